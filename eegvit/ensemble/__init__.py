"""Ensembles: rules that combine the class probabilities of several members."""

from eegvit.ensemble.classifier import EnsembleClassifier
from eegvit.ensemble.rules import RULES, Combiner, learn

__all__ = ["RULES", "Combiner", "EnsembleClassifier", "learn"]
