"""What is per trial and learns nothing: computed once a block, kept, and mapped by every fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.branches.base import about
from eegvit.config import sha256
from eegvit.data.cache import Cache
from eegvit.features.sums import Sums, class_sums
from eegvit.plan.recipe import Recipe
from eegvit.plan.versions import versions_of_steps
from eegvit.views.handle import Handle
from eegvit.views.view import DataView, Rows

FORMAT = 2  # of the features kept; a change of it computes them anew


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of one block; what a worker needs of it, and no label."""

    key: str
    signals: Handle
    rows: Rows


@dataclass(frozen=True, eq=False)
class Opened:
    """A block's signals or features, mapped, and the sums over it that were wanted so far."""

    whole: NDArray[Any]
    seconds: float = 0.0
    sums: dict[bytes, Sums] = field(default_factory=dict)

    def take(self, rows: Rows) -> NDArray[Any]:
        """Return rows, without a copy if they are all."""
        return self.whole if len(rows) == len(self.whole) else self.whole[rows]

    def class_sums(self, rows: Rows, y: NDArray[np.int64]) -> Sums:
        """Return the sums of some rows; those of all rows are remembered for each labelling."""
        if len(rows) < len(self.whole):
            return class_sums(self.whole[rows], y)
        labelling = y.tobytes()
        if labelling not in self.sums:
            self.sums[labelling] = class_sums(self.whole, y)
        return self.sums[labelling]


Parts = Sequence[tuple[Opened, Rows]]


def feature_recipe(block_key: str, leading: Any) -> dict[str, Any]:
    """Return everything that decides the per-trial features of a block."""
    steps = [
        [f"{type(step).__module__}.{type(step).__qualname__}", _parameters(step)]
        for _, step in leading.steps
    ]
    versions = versions_of_steps(leading)
    return {"block": block_key, "steps": steps, "versions": versions, "format": FORMAT}


def features(part: Part, leading: Any, cache: Cache) -> tuple[NDArray[Any], float]:
    """Return the features of a whole block, and the CPU seconds they took when computed."""

    recipe = feature_recipe(part.key, leading)
    (made,) = cache.arrays(
        recipe, lambda: [np.asarray(leading.fit_transform(part.signals.open()))], "features"
    )
    return made, cache.seconds(recipe).get("features", float("nan"))


def compute_features(recipe: Recipe, part: Part, cache: Cache) -> None:
    """Bring the features of a block into the cache."""
    leading, _ = about(recipe.build()).per_trial()
    if leading is not None:
        features(part, leading, cache)


def open_parts(parts: Sequence[Part], leading: Any, cache: Cache) -> tuple[Parts, dict[str, float]]:
    """Map each part's signals or features; return also the seconds each block's features took."""
    if leading is None:
        return [(Opened(part.signals.open()), part.rows) for part in parts], {}
    known = _opened_before(str(cache.root), sha256(feature_recipe("", leading)))
    for part in parts:
        if part.key not in known:
            known[part.key] = Opened(*features(part, leading, cache))
    opened = [(known[part.key], part.rows) for part in parts]
    return opened, {part.key: known[part.key].seconds for part in parts}


@lru_cache(maxsize=1)
def _opened_before(root: str, steps: str) -> dict[str, Opened]:
    """Return the blocks that this process has opened of one cache, as these steps made them."""
    return {}


def parts_of(view: DataView, rows: Rows) -> tuple[Part, ...]:
    """Return what a worker needs of some rows of a view."""
    return tuple(
        Part(block.key, handle_of(block.trials.X), within) for block, within in view.parts(rows)
    )


def handle_of(X: NDArray[Any]) -> Handle:
    """Return where the signals of a block are mapped from."""
    handle = Handle.of(X)
    if handle is None:
        raise ValueError("the signals of a view are not memory-mapped; open it by make_views")
    return handle


def gather(parts: Parts, first: Any) -> NDArray[Any]:
    """Return the rows of all parts as one array, or what the first step makes of them."""
    if first is not None:
        return np.concatenate([first.transform(block.take(rows)) for block, rows in parts])
    whole = parts[0][0].whole
    gathered = np.empty((sum(len(rows) for _, rows in parts), *whole.shape[1:]), whole.dtype)
    start = 0
    for block, rows in parts:
        gathered[start : start + len(rows)] = block.take(rows)
        start += len(rows)
    return gathered


def _parameters(step: Any) -> str:
    """Return a hash of a step's parameters, nested estimators included."""
    return sha256(step.get_params(deep=False) if hasattr(step, "get_params") else str(step))
