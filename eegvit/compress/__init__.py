"""Smaller and as good: which units of a trained network matter, and the network without others."""

from eegvit.compress.classifier import PrunedClassifier, prune

__all__ = ["PrunedClassifier", "prune"]
