"""Networks that go on learning from the trials they are asked about, without labels."""

from eegvit.adapt.classifier import AdaptingClassifier

__all__ = ["AdaptingClassifier"]
