"""What a network costs, looked up in a table of what each of its blocks costs here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from eegvit.compress.budget import cost
from eegvit.compress.search.space import Shape
from eegvit.networks.efficientvit.model import EfficientViT

Key = tuple[str, tuple[float, ...]]  # what part it is, and its sizes
Measured = tuple[Key, nn.Module, Any]  # a part, and what it is given
LAYERS = 3  # of what halves the map, and of each block


class Table:
    """What each part of a network costs here, each measured when it is first asked for.

    A part that is nowhere larger than another is taken to be no slower: what says otherwise is
    noise, and so would be a step that follows it.

    Parameters
    ----------
    build : callable
        Returns an untrained network of a shape, behind a standardisation.
    example : Tensor, shape (1, channels, times)
    measure : callable
        Returns what a module costs for what it is given.

    Attributes
    ----------
    table : dict
        The cost of each part that was measured, by what it is and its sizes.

    Examples
    --------
    >>> from eegvit.compress.budget import latency
    >>> from eegvit.compress.search.space import Space, settings_of
    >>> base = {"widths": (16,), "depths": (2,), "heads": (2,), "kernels": (3, 3)}
    >>> def build(shape):
    ...     network = EfficientViT(3, 250, 2, sfreq=125.0, preset=settings_of(shape, base))
    ...     return nn.Sequential(nn.Identity(), network)
    >>> space, seconds = Space.of(base), Table(build, torch.zeros(1, 3, 250), latency)
    >>> seconds(space.largest) > seconds(space.smallest) > 0
    True
    >>> [what for what, _ in seconds.table]
    ['front', 'stage 1', 'head', 'front', 'stage 1', 'head']
    """

    def __init__(
        self,
        build: Callable[[Shape], nn.Module],
        example: Tensor,
        measure: Callable[[nn.Module, Any], float],
    ) -> None:
        self.build, self.example, self.measure = build, example, measure
        self.table: dict[Key, float] = {}

    def __call__(self, shape: Shape) -> float:
        """Return what a shape costs for a trial: the sum over its parts."""
        if any(key not in self.table for key in keys_of(shape)):
            with torch.no_grad():
                for key, part, given in parts_of(self.build(shape).eval(), shape, self.example):
                    if key not in self.table:
                        self.table[key] = self.measure(part, given)
        return sum(map(self.known, keys_of(shape)))

    def known(self, key: Key) -> float:
        """Return the least of what a part and those that are no smaller cost."""
        what, sizes = key
        return min(
            found
            for (other, larger), found in self.table.items()
            if other == what and all(a >= b for a, b in zip(larger, sizes, strict=True))
        )


def keys_of(shape: Shape) -> list[Key]:
    """Return what each part of a network is, from front to back.

    Examples
    --------
    >>> keys_of(Shape((8,), ((4,),), ((4,),), ((2.0,),)))
    [('front', (8,)), ('stage 1', (8, 4, 4, 2.0)), ('head', (8,))]
    """
    keys: list[Key] = [("front", (shape.widths[0],))]
    for stage, depth in enumerate(shape.depths):
        if stage > 0:
            before, after = shape.block(stage - 1, -1), shape.block(stage, 0)
            keys.append((f"before stage {stage + 1}", (before[0], before[-1], after[0], after[-1])))
        keys += [(f"stage {stage + 1}", shape.block(stage, block)) for block in range(depth)]
    return [*keys, ("head", shape.widths)]


def parts_of(network: Any, shape: Shape, example: Tensor) -> Iterator[Measured]:
    """Yield each part of a network as `keys_of` names it, and what it is given."""
    keys, front, maps = iter(keys_of(shape)), _Front(*network), []
    yield next(keys), front, example
    x = front(example)
    for stage in network[1].stages.stages:
        layers = list(stage)
        for start in range(0, len(layers), LAYERS):
            part = nn.Sequential(*layers[start : start + LAYERS])
            yield next(keys), part, x
            x = part(x)
        maps.append(x)
    yield next(keys), _Head(network[1]), maps


def macs(part: nn.Module, given: Any) -> float:
    """Return the multiply-accumulates of a part for what it is given.

    Examples
    --------
    >>> macs(nn.Linear(5, 3), torch.zeros(1, 5))
    15.0
    """
    return cost(_Given(part, given), torch.zeros(1), "macs")


class _Given(nn.Module):
    def __init__(self, part: nn.Module, given: Any) -> None:
        super().__init__()
        self.part, self.given = part, given

    def forward(self, _: Tensor) -> Any:
        return self.part(self.given)


class _Front(nn.Module):
    def __init__(self, standardise: nn.Module, network: EfficientViT) -> None:
        super().__init__()
        self.standardise, self.layout = standardise, network.layout

    def forward(self, x: Tensor) -> Tensor:
        x = self.layout(self.standardise(x))
        return x.contiguous(memory_format=torch.channels_last)


class _Head(nn.Module):
    def __init__(self, network: EfficientViT) -> None:
        super().__init__()
        self.network = network

    def forward(self, maps: list[Tensor]) -> Tensor:
        return self.network.forward_head(maps)
