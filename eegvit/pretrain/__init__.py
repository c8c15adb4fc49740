"""Self-supervised pretraining: from trials without labels to weights, and on to a classifier."""

from eegvit.pretrain.classifier import FineTunedClassifier

__all__ = ["FineTunedClassifier"]
