"""eegvit decodes EEG trials and says honestly how well it does so across people.

Every name here is imported when it is first asked for: `import eegvit` loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from eegvit.adapt.classifier import AdaptingClassifier as AdaptingClassifier
    from eegvit.branches.braindecode import BraindecodeClassifier as BraindecodeClassifier
    from eegvit.branches.chance import ChanceClassifier as ChanceClassifier
    from eegvit.branches.csp import CSPLDAClassifier as CSPLDAClassifier
    from eegvit.branches.eegnet import EEGNetClassifier as EEGNetClassifier
    from eegvit.branches.efficientvit import EfficientViTClassifier as EfficientViTClassifier
    from eegvit.branches.fbcsp import FBCSPClassifier as FBCSPClassifier
    from eegvit.branches.fusion import FusionClassifier as FusionClassifier
    from eegvit.branches.mdm import MDMClassifier as MDMClassifier
    from eegvit.branches.pipeline import PipelineClassifier as PipelineClassifier
    from eegvit.branches.shallow import ShallowConvNetClassifier as ShallowConvNetClassifier
    from eegvit.branches.spd import SPDNetClassifier as SPDNetClassifier
    from eegvit.branches.spiking import SpikingClassifier as SpikingClassifier
    from eegvit.branches.tangent import FBTangentSpaceClassifier as FBTangentSpaceClassifier
    from eegvit.branches.tangent import TangentSpaceClassifier as TangentSpaceClassifier
    from eegvit.compress.classifier import PrunedClassifier as PrunedClassifier
    from eegvit.compress.classifier import prune as prune
    from eegvit.compress.distilled import DistilledClassifier as DistilledClassifier
    from eegvit.compress.search import search_shape as search_shape
    from eegvit.config import Study as Study
    from eegvit.config import load_card as load_card
    from eegvit.config import load_preset as load_preset
    from eegvit.config import load_study as load_study
    from eegvit.deploy.decoder import Decoder as Decoder
    from eegvit.ensemble.classifier import EnsembleClassifier as EnsembleClassifier
    from eegvit.preprocess.by_group import EuclideanAlignment as EuclideanAlignment
    from eegvit.preprocess.by_group import RiemannianRecentring as RiemannianRecentring
    from eegvit.pretrain.classifier import FineTunedClassifier as FineTunedClassifier
    from eegvit.study import StudyResults as StudyResults
    from eegvit.study import run_study as run_study
    from eegvit.trials import Trials as Trials

_HOMES = {
    "AdaptingClassifier": "adapt.classifier",
    "BraindecodeClassifier": "branches.braindecode",
    "ChanceClassifier": "branches.chance",
    "CSPLDAClassifier": "branches.csp",
    "Decoder": "deploy.decoder",
    "DistilledClassifier": "compress.distilled",
    "EEGNetClassifier": "branches.eegnet",
    "EfficientViTClassifier": "branches.efficientvit",
    "EnsembleClassifier": "ensemble.classifier",
    "EuclideanAlignment": "preprocess.by_group",
    "FBCSPClassifier": "branches.fbcsp",
    "FBTangentSpaceClassifier": "branches.tangent",
    "FineTunedClassifier": "pretrain.classifier",
    "FusionClassifier": "branches.fusion",
    "MDMClassifier": "branches.mdm",
    "PipelineClassifier": "branches.pipeline",
    "PrunedClassifier": "compress.classifier",
    "RiemannianRecentring": "preprocess.by_group",
    "ShallowConvNetClassifier": "branches.shallow",
    "SPDNetClassifier": "branches.spd",
    "SpikingClassifier": "branches.spiking",
    "Study": "config",
    "StudyResults": "study",
    "TangentSpaceClassifier": "branches.tangent",
    "Trials": "trials",
    "load_card": "config",
    "load_preset": "config",
    "load_study": "config",
    "prune": "compress.classifier",
    "run_study": "study",
    "search_shape": "compress.search",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'eegvit' has no attribute '{name}'")
    return getattr(importlib.import_module(f"eegvit.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
