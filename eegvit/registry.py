"""Names that study files and cards may use, and the classes they stand for.

The tables come first. Beside them stand the entry points of other packages, in the groups
`eegvit.branches` and `eegvit.sources`; none takes the place of a name here.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Mapping
from importlib import metadata
from types import ModuleType
from typing import Any

BRANCHES: dict[str, str] = {
    "chance": "eegvit.branches.chance:ChanceClassifier",
    "csp_lda": "eegvit.branches.csp:CSPLDAClassifier",
    "fbcsp": "eegvit.branches.fbcsp:FBCSPClassifier",
    "tangent_space": "eegvit.branches.tangent:TangentSpaceClassifier",
    "fb_tangent_space": "eegvit.branches.tangent:FBTangentSpaceClassifier",
    "mdm": "eegvit.branches.mdm:MDMClassifier",
    "eegnet": "eegvit.branches.eegnet:EEGNetClassifier",
    "shallow": "eegvit.branches.shallow:ShallowConvNetClassifier",
    "spd": "eegvit.branches.spd:SPDNetClassifier",
    "efficientvit": "eegvit.branches.efficientvit:EfficientViTClassifier",
    "snn": "eegvit.branches.spiking:SpikingClassifier",
    "fusion": "eegvit.branches.fusion:FusionClassifier",
    "braindecode": "eegvit.branches.braindecode:BraindecodeClassifier",
    "pipeline": "eegvit.branches.pipeline:PipelineClassifier",
}

NEURAL = "eegvit.branches.neural:NeuralClassifier"  # what can be pretrained
PRETRAINED = "eegvit.pretrain.classifier:FineTunedClassifier"  # what a model with `pretrain` is
PRUNED = "eegvit.compress.classifier:PrunedClassifier"  # what a model with `prune` is
DISTILLED = "eegvit.compress.distilled:DistilledClassifier"  # what a model with `distill` is
ADAPTING = "eegvit.adapt.classifier:AdaptingClassifier"  # what a model with `adapt` is

SOURCES: dict[str, str] = {
    "moabb": "eegvit.data.moabb:MoabbSource",
    "files": "eegvit.data.recordings.files:FilesSource",
    "bids": "eegvit.data.recordings.bids:BidsSource",
    "simulated": "eegvit.data.simulation.source:SimulatedSource",
    "arrays": "eegvit.data.arrays:ArraysSource",
}

GROUPS = {"eegvit.branches": BRANCHES, "eegvit.sources": SOURCES}  # of entry points
EXTRAS = {  # packages that not every installation has: their extras
    "distributed": "cluster",
    "optuna": "compress",
    "braindecode": "braindecode",
    "onnx": "deploy",
    "onnxruntime": "deploy",
    "onnxscript": "deploy",
    "mne_lsl": "stream",
    "pyxdf": "stream",
}


def resolve(address: str) -> Any:
    """Return the object that "module:name" or "module.name" stands for.

    Examples
    --------
    >>> resolve("math:sqrt")(4.0)
    2.0
    """
    module, _, name = address.replace(":", ".").rpartition(".")
    if not module:
        raise ValueError(f"'{address}' is no import path: it needs a module and a name")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        raise ValueError(f"module '{module}' has no '{name}'") from None
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        missing = package in EXTRAS and not installed(package)
        reason = absence(package) if missing else error
        raise ValueError(f"'{address}' cannot be imported: {reason}") from error


def optional(module: str) -> ModuleType:
    """Return a module of a package that comes with an extra, or say how to get it.

    Examples
    --------
    >>> optional("braindecode.models").ATCNet.__name__
    'ATCNet'
    """
    package = module.partition(".")[0]
    if not installed(package):
        raise ImportError(absence(package))
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:  # OSError: a library that does not fit another
        raise ImportError(
            f"{package} is installed but cannot be imported: {error}. A package that it needs is"
            f" missing or of another version; these fit: {_way_to(package)}"
        ) from error


def installed(package: str) -> bool:
    """Say whether a package is there, without importing it."""
    return importlib.util.find_spec(package) is not None


def absence(package: str) -> str:
    """Return the sentence that a package is missing, and how to get it.

    Examples
    --------
    >>> absence("braindecode")
    "braindecode is not installed: pip install 'eegvit[braindecode]' (a checkout: '.[braindecode]')"
    """
    return f"{package} is not installed: {_way_to(package)}"


def _way_to(package: str) -> str:
    extra = EXTRAS[package]
    return f"pip install 'eegvit[{extra}]' (a checkout: '.[{extra}]')"


def lookup(table: Mapping[str, str], name: str) -> Any:
    """Return the class that a table's name, or an entry point beside it, stands for."""
    address = table.get(name) or registered(table).get(name)
    if address is None:
        raise ValueError(f"unknown name '{name}'{suggest(name, known(table))}")
    return resolve(address)


def branch_class(name: str) -> Any:
    """Return the class of a model's branch: a name, or "module:Class" that was checked before.

    Examples
    --------
    >>> branch_class("sklearn.svm:SVC").__name__
    'SVC'
    """
    return resolve(name) if ":" in name else lookup(BRANCHES, name)


def known(table: Mapping[str, str]) -> dict[str, str]:
    """Return a table's names with their addresses, and those of entry points beside it."""
    return {**table, **registered(table)}


def registered(table: Mapping[str, str]) -> dict[str, str]:
    """Return what installed packages register beside a table: names and addresses."""
    return {
        point.name: f"{point.module}:{point.attr}"
        for group, own in GROUPS.items()
        if own is table
        for point in metadata.entry_points(group=group)
        if point.name not in table
    }


def suggest(name: str, known: Any) -> str:
    """Return ', did you mean ...' for the nearest known name, or what is known.

    Examples
    --------
    >>> suggest("egnet", ["eegnet", "fbcsp"])
    ", did you mean 'eegnet'?"
    """
    names = [str(k) for k in known]
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    if near:
        return f", did you mean '{near[0]}'?"
    return f"; known: {', '.join(names)}" if names else ""
