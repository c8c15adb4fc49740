"""Fitted estimators as plain values: JSON, arrays, and the tensors of networks.

An object is its class's address and its attributes. What is neither a plain value, nor an array,
nor an object of a class that `classes` knows is refused by name.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.branches.neural import NeuralClassifier
from eegvit.deploy.classes import address_of, class_of, function_of

KINDS = "biufcSUmM"  # of arrays that hold nothing but values
FORGOTTEN = {  # what only training needs, or says of the people or the machine
    "_metadata_request",
    "file",
    "history_",
    "memory",
    "out_of_fold_",
    "weights",
    "weights_",
}


class NotWritable(ValueError):
    """A model holds something that a decoder's file cannot."""


@dataclass(eq=False)
class Written:
    """What is written of a value: it as JSON can say it, and what that refers to.

    Parameters
    ----------
    value : object
    arrays : dict of array
    networks : dict of dict of array
        Tensors of each network by their names.

    Examples
    --------
    >>> made = written({"a": (1, np.arange(3))})
    >>> made.value
    {'dict': [['a', {'tuple': [1, {'array': '0'}]}]]}
    >>> made.arrays
    {'0': array([0, 1, 2])}
    """

    value: Any = None
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    networks: dict[str, dict[str, NDArray[Any]]] = field(default_factory=dict)


def written(value: Any, allowed: Collection[str] = ()) -> Written:
    """Return what is written of a value.

    Parameters
    ----------
    value : object
        Plain values, arrays and fitted estimators, in dictionaries and lists.
    allowed : collection of str
        Packages whose classes are trusted beside those that any decoder may be made of.
    """
    writer = _Writer(tuple(allowed))
    writer.made.value = writer.of(value, "the decoder")
    return writer.made


class _Writer:
    def __init__(self, allowed: tuple[str, ...]) -> None:
        self.allowed = allowed
        self.made = Written()
        self.seen: dict[int, tuple[int, Any]] = {}  # the objects are held, so that no id recurs

    def of(self, value: Any, where: str) -> Any:
        """Return one value as JSON can say it; `where` is whose it is, for errors."""
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if isinstance(value, np.ndarray):
            return self._array(value, where)
        if isinstance(value, np.generic):
            return {"scalar": self._kept(np.asarray(value))}
        if type(value) in (list, tuple, set, frozenset):
            return {type(value).__name__: [self.of(each, where) for each in value]}
        if isinstance(value, dict):
            pairs = [[self.of(k, where), self.of(v, where)] for k, v in value.items()]
            return {"dict": pairs}
        if isinstance(value, np.dtype):
            return {"dtype": value.str}
        if isinstance(value, type) and issubclass(value, np.generic):
            return {"numpy": value.__name__}
        return self._thing(value, where)

    def _thing(self, value: Any, where: str) -> Any:
        """Return a function, a booster or an object."""
        if callable(value) and hasattr(value, "__name__") and not hasattr(value, "fit"):
            try:
                function_of(address_of(value))
            except (ValueError, AttributeError):
                raise NotWritable(_refusal(where, f"the function {value!r}")) from None
            return {"function": address_of(value)}
        if address_of(type(value)) == "xgboost.core:Booster":
            raw = np.frombuffer(bytes(value.save_raw("json")), np.uint8)
            return {"booster": self._kept(raw)}
        if id(value) in self.seen:
            return {"again": self.seen[id(value)][0]}
        return self._object(value, where)

    def _object(self, value: Any, where: str) -> Any:
        address = address_of(type(value))
        try:
            known = class_of(address, self.allowed) is type(value)
        except ValueError:
            known = False
        if not known or not hasattr(value, "__dict__"):
            raise NotWritable(_refusal(where, f"an object of {address.replace(':', '.')}"))
        number = len(self.seen)
        self.seen[id(value)] = number, value
        attributes = dict(vars(value))
        network = None
        if isinstance(value, NeuralClassifier):
            network = self._network(attributes.pop("module_", None))
        state = [
            [name, None if name in FORGOTTEN else self.of(held, f"{type(value).__name__}.{name}")]
            for name, held in attributes.items()
        ]
        about = {"object": number, "class": address, "state": state}
        return about if network is None else {**about, "network": network}

    def _network(self, module: Any) -> str | None:
        if module is None:
            return None
        key = str(len(self.made.networks))
        self.made.networks[key] = {
            name: np.ascontiguousarray(tensor.detach().cpu().numpy()).reshape(tensor.shape)
            for name, tensor in module.state_dict().items()
        }
        return key

    def _array(self, array: NDArray[Any], where: str) -> Any:
        if array.dtype.kind in KINDS and array.dtype.fields is None:
            return {"array": self._kept(np.asarray(array))}
        if array.dtype.kind == "O":
            items = [self.of(each, where) for each in array.ravel().tolist()]
            return {"objects": items, "shape": list(array.shape)}
        raise NotWritable(_refusal(where, f"an array of {array.dtype}"))

    def _kept(self, array: NDArray[Any]) -> str:
        key = str(len(self.made.arrays))
        self.made.arrays[key] = array
        return key


def _refusal(where: str, what: str) -> str:
    return (
        f"{where} holds {what}, which cannot be written without pickle: a decoder is made of"
        " arrays and plain values. Choose another model"
    )
