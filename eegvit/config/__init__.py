"""The study file: YAML in, frozen and validated models out, every mistake with its line."""

from eegvit.config.cards.card import Card, Expected, View, Windows
from eegvit.config.document import StudyErrors, find, shipped
from eegvit.config.ensembles import Ensemble
from eegvit.config.load import load_card, load_study, load_yaml
from eegvit.config.models import Align, Evaluate, Model, Study, sha256
from eegvit.config.presets import load_preset

__all__ = [
    "Align",
    "Card",
    "Ensemble",
    "Evaluate",
    "Expected",
    "Model",
    "Study",
    "StudyErrors",
    "View",
    "Windows",
    "find",
    "load_card",
    "load_preset",
    "load_study",
    "load_yaml",
    "sha256",
    "shipped",
]
