"""A network of covariances, with a norm for each person."""

from eegvit.branches.spd.classifier import SPDNetClassifier

__all__ = ["SPDNetClassifier"]
