"""Several branches as one network."""

from eegvit.branches.fusion.classifier import FusionClassifier

__all__ = ["FusionClassifier"]
