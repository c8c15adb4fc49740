"""Where what was saved is spent: on more of those units that the loss depends on most."""

from __future__ import annotations

import copy
import heapq
from collections.abc import Callable, Collection, Mapping

from torch import nn

from eegvit.compress.budget import TOLERANCE
from eegvit.compress.importance import Scores
from eegvit.networks.units import cut, units_of

MOVED = 0.1  # of a round's budget: what is taken from some units more, and given to others
ATTEMPTS = 3  # to come nearer to the budget

Cost = Callable[[nn.Module], float]
Unit = tuple[str, int]  # the name of its layer, and its number
Ranked = tuple[float, str, int, int]  # rank, smallest first; the unit; how often it is there


def copies(
    network: nn.Module,
    scores: Scores,
    savings: Mapping[str, float],
    cost_of: Cost,
    counted: Cost,
    target: float,
    last: Collection[str] = (),
) -> dict[str, list[int]]:
    """Return which units to copy, and how often, so that a network costs as much as a target.

    Those are copied first whose score is highest for what they cost. A unit and its copies share
    what it gives: of n the score of each counts as an n²-th.

    Parameters
    ----------
    network : nn.Module
    scores : mapping
        Of each unit, as `importance` returns them.
    savings : mapping
        What a unit of each layer costs, as `Savings` tells.
    cost_of : callable
        Returns what a network costs.
    counted : callable
        Returns the same in what `savings` are counted in.
    target : float
        A half percent above it will do.
    last : collection of str
        Layers that are given something only of what others leave.

    Returns
    -------
    dict
        As `widened` takes it: the numbers of all units of a layer, copied ones again.

    Examples
    --------
    >>> import numpy as np
    >>> from eegvit.networks.eegnet import EEGNet
    >>> def size(one):
    ...     return float(sum(p.numel() for p in one.parameters()))
    >>> network, scores = EEGNet(3, 128, 2), {":features": np.arange(16.0)}
    >>> more = copies(network, scores, {":features": 32.0}, size, size, size(network) + 100)
    >>> more[":features"][-5:]
    [13, 14, 14, 15, 15]
    """
    found, limit = units_of(copy.deepcopy(network)), TOLERANCE * target
    able = [name for name in scores if name in savings and found[name].widens]
    heaps = [
        [
            (-float(score) / savings[name], name, unit, 1)
            for name in names
            for unit, score in enumerate(scores[name])
            if score > 0
        ]
        for names in ([n for n in able if n not in last], [n for n in able if n in last])
    ]

    def numbers(added: list[Unit]) -> dict[str, list[int]]:
        left = {name: list(range(len(found[name]))) for name, _ in added}
        for name, unit in added:
            left[name].append(unit)
        return {name: sorted(own) for name, own in left.items()}

    added: list[Unit] = []
    for heap in heaps * ATTEMPTS:
        heapq.heapify(heap)
        wide = cut(network, numbers(added))
        more = _affordable(heap, savings, (limit / cost_of(wide) - 1) * counted(wide))
        while more and cost_of(cut(network, numbers(added + more))) > limit:
            more.pop()
        added += more
    return numbers(added)


def _affordable(heap: list[Ranked], savings: Mapping[str, float], room: float) -> list[Unit]:
    """Take the units of the highest ranks that there is room for, as often as they are worth it."""
    taken, passed = [], []
    while heap:
        rank, name, unit, times = heapq.heappop(heap)
        if savings[name] > room:
            passed.append((rank, name, unit, times))
            continue
        room -= savings[name]
        taken.append((name, unit))
        shared = rank * (times / (times + 1)) ** 2
        heapq.heappush(heap, (shared, name, unit, times + 1))
    heap += passed
    return taken
