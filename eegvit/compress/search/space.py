"""Shapes of a network: how deep and wide its blocks are, and what is one step smaller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from eegvit.networks.efficientvit.families.cascaded import of_blocks

SHARES = (1.0, 0.75, 0.5, 0.25)  # of the largest: the widths that are tried
Blocks = tuple[tuple[Any, ...], ...]  # of each stage, one of each block
OF_BLOCKS = ("keys", "values", "ratios")


@dataclass(frozen=True)
class Shape:
    """Sizes of an EfficientViT's stages.

    Parameters
    ----------
    widths : tuple of int
        Planes of each stage.
    keys, values : tuple of tuple of int
        Widths of a head's queries and keys, and of its values, in each block.
    ratios : tuple of tuple of float
        Hidden over outer planes of each block's feed-forward networks.
    """

    widths: tuple[int, ...]
    keys: Blocks
    values: Blocks
    ratios: Blocks

    @property
    def depths(self) -> tuple[int, ...]:
        """Blocks of each stage."""
        return tuple(map(len, self.ratios))

    def block(self, stage: int, block: int) -> tuple[float, ...]:
        """Return all that decides what a block costs, in one order."""
        return self.widths[stage], *(getattr(self, name)[stage][block] for name in OF_BLOCKS)

    def with_block(self, name: str, stage: int, block: int, value: Any) -> Self:
        """Return the shape with another size in one block."""
        given = [list(of_stage) for of_stage in getattr(self, name)]
        given[stage][block] = value
        changes: dict[str, Any] = {name: tuple(map(tuple, given))}
        return replace(self, **changes)


@dataclass(frozen=True)
class Space:
    """All shapes within the largest one.

    Parameters
    ----------
    largest : Shape
    heads : tuple of int
        Of each stage; all shapes have as many.

    Examples
    --------
    >>> space = Space.of({"widths": (16,), "depths": (2,), "heads": (2,), "key_dim": 4})
    >>> space.smallest
    Shape(widths=(4,), keys=((1,),), values=((2,),), ratios=((0.5,),))
    >>> list(space.steps(space.smallest)), len(space.steps(space.largest))
    ([], 8)
    """

    largest: Shape
    heads: tuple[int, ...]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Return the shapes within what the stages of a network are given."""
        widths, depths = tuple(settings["widths"]), tuple(settings["depths"])
        heads = tuple(settings["heads"])
        groups = [width // n for width, n in zip(widths, heads, strict=True)]
        given = [
            of_blocks(name, settings.get(name, usual), depths)
            for name, usual in (("key_dim", 16), ("value_dim", None), ("ffn_ratio", 2.0))
        ]
        keys, values, ratios = (
            tuple(tuple(group if one is None else one for one in stage)
                  for stage, group in zip(each, groups, strict=True))
            for each in given
        )  # fmt: skip
        return cls(Shape(widths, keys, values, ratios), heads)

    @property
    def smallest(self) -> Shape:
        """The shape with one block in each stage, each of its sizes the least."""
        return self.drawn(lambda _, sizes: sizes[-1])

    def widths(self, stage: int) -> tuple[int, ...]:
        """Return the numbers of planes that a stage may have, from many to few.

        Heads share planes evenly, and each has an even number: filters in front of a network
        have two planes each. Where that is not so of the largest shape there is no other.
        """
        largest, unit = self.largest.widths[stage], 2 * self.heads[stage]
        return (largest,) if largest % unit else _fewer(largest, unit)

    def levels(self, name: str, stage: int, block: int) -> tuple[float, ...]:
        """Return the sizes that a block may have, from large to small."""
        largest = getattr(self.largest, name)[stage][block]
        if name == "ratios":
            return tuple(share * largest for share in SHARES)
        return _fewer(largest, 1)

    def steps(self, shape: Shape) -> dict[str, Shape]:
        """Return each shape that is one step smaller, by what was done."""
        found: dict[str, Shape] = {}
        for stage, width in enumerate(shape.widths):
            here = f"stage {stage + 1}"
            if narrower := [level for level in self.widths(stage) if level < width]:
                widths = (*shape.widths[:stage], narrower[0], *shape.widths[stage + 1 :])
                found[f"{here}: {width} to {narrower[0]} planes"] = self._fitting(
                    replace(shape, widths=widths)
                )
            if shape.depths[stage] > 1:
                shorter: dict[str, Any] = {
                    name: _shorter(getattr(shape, name), stage) for name in OF_BLOCKS
                }
                found[f"{here}: block {shape.depths[stage]} left out"] = replace(shape, **shorter)
            for block in range(shape.depths[stage]):
                for name in OF_BLOCKS:
                    size = getattr(shape, name)[stage][block]
                    if less := [x for x in self.levels(name, stage, block) if x < size]:
                        said = f"{here}, block {block + 1}: {name} {size:g} to {less[0]:g}"
                        found[said] = shape.with_block(name, stage, block, less[0])
        return found

    def drawn(self, choose: Callable[[str, Sequence[Any]], Any]) -> Shape:
        """Return a shape, each of whose sizes is chosen.

        Parameters
        ----------
        choose : callable
            Is told what is chosen and given the possible sizes, and returns one of them.
        """
        widths = tuple(
            choose(f"width {stage}", self.widths(stage)) for stage in range(len(self.heads))
        )
        depths = [
            choose(f"depth {stage}", tuple(range(depth, 0, -1)))
            for stage, depth in enumerate(self.largest.depths)
        ]
        sizes = {
            name: tuple(
                tuple(
                    choose(f"{name} {stage} {block}", self.levels(name, stage, block))
                    for block in range(depth)
                )
                for stage, depth in enumerate(depths)
            )
            for name in OF_BLOCKS
        }
        return self._fitting(Shape(widths, **sizes))

    def random(self, rng: np.random.Generator) -> Shape:
        """Return a shape drawn at random, every size as likely as the others."""
        return self.drawn(lambda _, sizes: sizes[int(rng.integers(len(sizes)))])

    def _fitting(self, shape: Shape) -> Shape:
        """Return the shape with no values wider than the planes that a head has."""
        groups = [width // n for width, n in zip(shape.widths, self.heads, strict=True)]
        values = tuple(
            tuple(min(value, group) for value in stage)
            for stage, group in zip(shape.values, groups, strict=True)
        )
        return replace(shape, values=values)


def settings_of(shape: Shape, base: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the stages of a network are given for a shape.

    Parameters
    ----------
    shape : Shape
    base : mapping
        What the stages of the largest network are given.
    """
    own = {"widths": shape.widths, "depths": shape.depths, "key_dim": shape.keys}
    return {**base, **own, "value_dim": shape.values, "ffn_ratio": shape.ratios}


def _fewer(largest: int, unit: int) -> tuple[int, ...]:
    """Return about the shares of a number, in whole units, from large to small.

    Examples
    --------
    >>> _fewer(16, 4), _fewer(3, 1), _fewer(12, 4)
    ((16, 12, 8, 4), (3, 2, 1), (12, 8, 4))
    """
    sizes = {max(1, round(share * largest / unit)) * unit for share in SHARES[1:]}
    return largest, *sorted((size for size in sizes if size < largest), reverse=True)


def _shorter(blocks: Blocks, stage: int) -> Blocks:
    return tuple(each[:-1] if number == stage else each for number, each in enumerate(blocks))
