"""Units of a layer, and the places of all weights that go with each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm

Role = Literal["keys", "values", "heads", "hidden", "filters", "features", "neurons"]
ROLES: tuple[str, ...] = get_args(Role)
Layer = ConvNorm | nn.Conv2d | nn.Linear
Norm = nn.BatchNorm1d | nn.BatchNorm2d


@dataclass(frozen=True, eq=False)
class Place:
    """Where a unit has weights.

    Parameters
    ----------
    module : nn.Module
    name : str
        Of one of its parameters or buffers.
    dim : int
    positions : tuple of int
        Along that dimension, one after another.
    carries : bool
        Whether all that the unit gives passes these weights, in proportion to them.
    silenced : bool
        Whether zero in its place makes the unit silent; a logarithm stays what it is.
    goes : bool
        Whether the module itself is taken out with the unit.
    """

    module: nn.Module
    name: str
    dim: int
    positions: tuple[int, ...]
    carries: bool = False
    silenced: bool = True
    goes: bool = False

    @property
    def tensor(self) -> Tensor:
        """The parameter or buffer."""
        found = getattr(self.module, self.name)
        assert isinstance(found, Tensor)
        return found


@dataclass(frozen=True, eq=False)
class Units:
    """What of a layer can be taken out: its units, one by one.

    Parameters
    ----------
    name : str
        Of the layer in the network, a colon, and what the units are.
    role : str
        One of `ROLES`.
    places : list of list of Place
        Those of each unit.
    narrow : callable
        Tells the layer which units are left, once their weights are all there are. If it
        returns a module, that takes the layer's place.
    scaled : bool
        Whether what units give is over the root of their number.
    fixed : bool
        Whether what comes behind has no place for more of them.
    """

    name: str
    role: Role
    places: list[list[Place]]
    narrow: Callable[[Sequence[int]], nn.Module | None]
    scaled: bool = False
    fixed: bool = False

    @property
    def widens(self) -> bool:
        """Whether copies of units can be added; heads grow by what is in them."""
        return self.role != "heads" and not self.fixed

    def __len__(self) -> int:
        return len(self.places)


def of_norm(norm: Norm, positions: Iterable[int], *, carries: bool = False) -> list[Place]:
    """Return the places of planes in a batch norm."""
    at = tuple(positions)
    learned = [Place(norm, name, 0, at, carries) for name in ("weight", "bias")]
    return learned + [Place(norm, name, 0, at) for name in ("running_mean", "running_var")]


def rows(layer: Layer, positions: Iterable[int], *, carries: bool = False) -> list[Place]:
    """Return the places of planes that a layer gives.

    Examples
    --------
    >>> [place.name for place in rows(ConvNorm(4, 8), [0])]
    ['weight', 'weight', 'bias', 'running_mean', 'running_var']
    """
    at = tuple(positions)
    if isinstance(layer, ConvNorm):
        return rows(layer.conv, at) + of_norm(layer.norm, at, carries=carries)
    names = ["weight"] if layer.bias is None else ["weight", "bias"]
    return [Place(layer, name, 0, at, carries) for name in names]


def columns(layer: Layer, positions: Iterable[int], *, carries: bool = False) -> list[Place]:
    """Return the places of planes that a layer is given.

    Examples
    --------
    >>> columns(nn.Linear(4, 8), [0])[0].dim
    1
    """
    inner = layer.conv if isinstance(layer, ConvNorm) else layer
    return [Place(inner, "weight", 1, tuple(positions), carries)]


def leaving(places: Iterable[Place]) -> list[Place]:
    """Return places whose modules are taken out with the unit."""
    return [
        Place(one.module, one.name, one.dim, one.positions, one.carries, one.silenced, True)
        for one in places
    ]
