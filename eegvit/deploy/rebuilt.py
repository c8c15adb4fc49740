"""Plain values to fitted estimators: the way back of `written`. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from eegvit.branches.neural import NeuralClassifier
from eegvit.deploy.classes import class_of, function_of
from eegvit.deploy.written import Written


def rebuilt(made: Written, allowed: Collection[str] = ()) -> Any:
    """Return the value that something was written of.

    Parameters
    ----------
    made : Written
    allowed : collection of str
        Packages whose classes are trusted beside those that any decoder may be made of.

    Examples
    --------
    >>> from eegvit.deploy.written import written
    >>> rebuilt(written({"a": (1, float("inf")), 2: np.float32(0.5)}))
    {'a': (1, inf), 2: np.float32(0.5)}
    """
    return _Reader(made, allowed).of(made.value)


class _Reader:
    def __init__(self, made: Written, allowed: Collection[str]) -> None:
        self.made, self.allowed = made, allowed
        self.seen: dict[int, Any] = {}
        self.kinds: dict[str, Callable[[Any], Any]] = {
            "float": float,
            "array": lambda key: made.arrays[key],
            "scalar": lambda key: made.arrays[key][()],
            "list": self._each,
            "tuple": lambda items: tuple(self._each(items)),
            "set": lambda items: set(self._each(items)),
            "frozenset": lambda items: frozenset(self._each(items)),
            "dict": lambda pairs: {self.of(key): self.of(value) for key, value in pairs},
            "dtype": _dtype,
            "numpy": _numpy_type,
            "function": function_of,
            "booster": self._booster,
            "again": lambda number: self.seen[number],
        }

    def of(self, value: Any) -> Any:
        """Return the value that JSON said."""
        if not isinstance(value, dict):
            return value
        if "object" in value:
            return self._object(value)
        if "objects" in value:
            return self._objects(value)
        ((kind, content),) = value.items()
        return self.kinds[kind](content)

    def _each(self, items: list[Any]) -> list[Any]:
        return [self.of(item) for item in items]

    def _object(self, about: dict[str, Any]) -> Any:
        cls = class_of(about["class"], self.allowed)
        made: Any = object.__new__(cls)
        self.seen[about["object"]] = made
        for name, value in about["state"]:
            if not isinstance(name, str) or name.startswith("__"):
                raise ValueError(f"an object of {about['class']} has no attribute '{name}'")
            vars(made)[name] = self.of(value)
        if "network" in about:
            self._fill(made, self.made.networks[about["network"]])
        return made

    def _fill(self, model: Any, tensors: dict[str, Any]) -> None:
        """Build a classifier's network as its parameters and cuts say, and give it its weights."""
        import torch

        from eegvit.networks.device import seeded
        from eegvit.networks.units import cut

        if not isinstance(model, NeuralClassifier):
            raise ValueError(f"{type(model).__name__} has no network")
        X = np.zeros((1, model.n_channels_in_, model.n_times_in_), np.float32)
        with seeded(0, "cpu"):
            network = model.unfitted(X)
        for kept in getattr(model, "cuts_", ()):
            network = cut(network, kept)
        model.keep(network, [])
        own = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}
        model.module_.load_state_dict(own)
        model.module_.eval()

    def _objects(self, about: dict[str, Any]) -> Any:
        array = np.empty(len(about["objects"]), dtype=object)
        array[:] = self._each(about["objects"])
        return array.reshape(about["shape"])

    def _booster(self, key: str) -> Any:
        from xgboost import Booster

        booster = Booster()
        booster.load_model(bytearray(self.made.arrays[key].tobytes()))
        return booster


def _dtype(text: str) -> Any:
    return np.dtype(text)


def _numpy_type(name: str) -> Any:
    found = getattr(np, name)
    if not (isinstance(found, type) and issubclass(found, np.generic)):
        raise ValueError(f"numpy.{name} is no type of numbers")
    return found
