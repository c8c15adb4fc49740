"""Smaller and as good: which units of a network matter, and networks that learn from others."""

from eegvit.compress.classifier import PrunedClassifier, prune
from eegvit.compress.distilled import DistilledClassifier

__all__ = ["DistilledClassifier", "PrunedClassifier", "prune"]
