"""Any model of braindecode as a classifier."""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import warnings
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from eegvit.branches.neural import NeuralClassifier
from eegvit.registry import optional, suggest

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class BraindecodeClassifier(NeuralClassifier):
    """A model of braindecode by its name, trained like every other network here.

    braindecode comes with the extra `eegvit[braindecode]` and is imported when the classifier
    is fitted, not before. The parameters of training are those of `NeuralClassifier`.

    Parameters
    ----------
    model : str
        Name of a class in `braindecode.models`.
    model_parameters : dict or None
        Its own parameters; shape, sampling rate and channels are filled in.
    sfreq : float or None
        Sampling rate in Hz, for the models that need it.
    ch_names : tuple of str or None
        Names of the channels, for the models that need them.

    Notes
    -----
    To compare a published network with others under the same training, splits and statistics. How
    it is trained is chosen here, not by its paper: `epochs`, `augment` and the rest are yours to
    set.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((24, 3, 128)), np.repeat(["left", "right"], 12)
    >>> model = BraindecodeClassifier(model="EEGNet", model_parameters={"F1": 4}, epochs=2)
    >>> model.fit(X, y).predict_proba(X).shape
    (24, 2)
    """

    needs: ClassVar[tuple[str, ...]] = ("braindecode",)

    model: str = "EEGNet"
    model_parameters: dict[str, Any] | None = None
    sfreq: float | None = None
    ch_names: tuple[str, ...] | None = None

    @classmethod
    def mistakes(
        cls, parameters: Mapping[str, Any], allowed: Collection[str] = ()
    ) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield (path, sentence) for what is wrong with parameters; nothing is imported."""
        name = parameters.get("model", cls.model)
        known = model_names()
        if not known:
            yield ("model",), "braindecode is not installed, and its models cannot be used"
        elif name not in known:
            yield ("model",), f"braindecode.models has no '{name}'{suggest(name, known)}"
        taken = parameter_names(name) if name in known else None
        for given in parameters.get("model_parameters") or {}:
            if taken is not None and given not in taken:
                said = f"{name} has no parameter '{given}'{suggest(str(given), taken)}"
                yield ("model_parameters", given), said

    def packages(self) -> frozenset[str]:
        """Return those of networks, and braindecode."""
        return super().packages() | {"braindecode"}

    def keep(self, network: nn.Module, history: list[dict[str, float]]) -> Self:
        """Become fitted by a trained network, its weights free of constraints."""
        from eegvit.networks.logits import bake_constraints

        super().keep(network, history)
        bake_constraints(network)
        return self

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return the untrained model."""
        from eegvit.data.montage import channel_info
        from eegvit.networks.logits import Logits

        cls = braindecode_model(self.model)
        given = dict(self.model_parameters or {})
        known = inspect.signature(cls).parameters
        unknown = [name for name in given if name not in known]
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
            raise ValueError(
                f"{self.model} has no parameter '{unknown[0]}'{suggest(unknown[0], known)}"
            )
        rate = self.sfreq or self.sfreq_
        names = self.ch_names or self.ch_names_
        from_data: dict[str, Any] = {
            "n_chans": n_channels,
            "n_times": n_times,
            "n_outputs": n_classes,
            "sfreq": rate,
            "chs_info": channel_info(tuple(names), rate) if names and rate else None,
        }
        filled = {k: v for k, v in from_data.items() if k in known and v is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return Logits(cls(**filled | given), n_classes)
            except Exception as error:
                raise ValueError(
                    f"braindecode's {self.model} cannot be built for {n_channels} channels x"
                    f" {n_times} times{f' at {rate:g} Hz' if rate else ''}:"
                    f" {type(error).__name__}: {error}"
                    + ("" if rate else " (no sampling rate was given: sfreq=...)")
                ) from error


def model_names() -> tuple[str, ...]:
    """Return the names of braindecode's models, read from its source without importing it.

    Examples
    --------
    >>> "ATCNet" in model_names()
    True
    """
    for statement in _source("__init__"):
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return tuple(n for n in ast.literal_eval(statement.value) if n[0].isupper())
    return ()


def parameter_names(model: str) -> tuple[str, ...] | None:
    """Return the names that a model of braindecode takes, from its source; None if any.

    Examples
    --------
    >>> "att_drop_prob" in parameter_names("ATCNet")
    True
    """
    for statement in _source("__init__"):
        if not isinstance(statement, ast.ImportFrom) or not statement.module:
            continue
        if any(alias.name == model for alias in statement.names):
            for cls in _source(statement.module):
                if isinstance(cls, ast.ClassDef) and cls.name == model:
                    return _taken(cls)
    return None


def _taken(cls: ast.ClassDef) -> tuple[str, ...] | None:
    for method in cls.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            given = method.args
            names = (argument.arg for argument in (*given.args[1:], *given.kwonlyargs))
            return None if given.kwarg else tuple(names)
    return None


@functools.cache
def _source(module: str) -> list[ast.stmt]:
    """Return the statements of a module of braindecode's models; none if it is not installed."""
    found = importlib.util.find_spec("braindecode")
    if found is None or not found.submodule_search_locations:
        return []
    file = Path(found.submodule_search_locations[0]) / "models" / f"{module.strip('.')}.py"
    return ast.parse(file.read_text(encoding="utf-8")).body if file.is_file() else []


def braindecode_model(name: str) -> Any:
    """Return the model class of this name, or say what is wrong.

    Examples
    --------
    >>> braindecode_model("ATCNet").__name__
    'ATCNet'
    """
    models = optional("braindecode.models")
    known = [n for n in models.__all__ if inspect.isclass(getattr(models, n, None))]
    if name not in known:
        raise ValueError(f"braindecode.models has no '{name}'{suggest(name, known)}")
    return getattr(models, name)
