"""What a network costs, and which units to leave for it to cost less."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from eegvit.compress.importance import Scores
from eegvit.compress.settings import Of
from eegvit.networks.fold import fold
from eegvit.networks.macs import count
from eegvit.networks.units import Place, cut, units_of

REPEATS = 30  # runs whose median is the latency
TOLERANCE = 1.005  # of a target: units are cut whole


def cost(network: nn.Module, example: Tensor, of: Of = "macs") -> float:
    """Return what a network costs.

    Parameters
    ----------
    network : nn.Module
    example : Tensor, shape (1, ...)
        One trial.
    of : {"macs", "parameters", "latency"}
        Multiply-accumulates of a trial, learned numbers, or seconds that a trial takes once norms
        are folded into convolutions: the median of 30 runs.

    Examples
    --------
    >>> (
    ...     cost(nn.Linear(5, 3), torch.zeros(1, 5)),
    ...     cost(nn.Linear(5, 3), torch.zeros(1, 5), "parameters"),
    ... )
    (15.0, 18.0)
    """
    if of == "parameters":
        return float(sum(p.numel() for p in network.parameters()))
    if of == "macs":
        return float(count(network, example))
    return latency(network, example)


def latency(network: nn.Module, example: Tensor) -> float:
    """Return the seconds that a network takes, its norms folded: the median of several runs.

    Examples
    --------
    >>> 0 < latency(nn.Linear(5, 3), torch.zeros(1, 5)) < 1
    True
    """
    folded, seconds = fold(network), []
    with torch.inference_mode():
        for _ in range(REPEATS + 3):
            began = time.perf_counter()
            folded(example)
            seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[3:]))


class Savings:
    """What a network saves by one unit of each kind, each found out once.

    Parameters
    ----------
    example : Tensor, shape (1, ...)
    of : {"macs", "parameters", "latency"}
        Which cost. Of a latency, units are told apart by their multiply-accumulates.
    """

    def __init__(self, example: Tensor, of: Of) -> None:
        self.example = example
        self.of: Of = "parameters" if of == "parameters" else "macs"
        self.known: dict[tuple[str, str, int], float] = {}

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """Return what one unit of each layer saves, by the names of `units_of`."""
        total: float | None = None
        found = {}
        for name, units in units_of(copy.deepcopy(network)).items():
            if len(units) < 2:
                continue
            alike = name.partition(":")[0], units.role, sum(map(_weights, units.places[0]))
            if alike not in self.known:
                total = cost(network, self.example, self.of) if total is None else total
                less = cut(network, {name: range(1, len(units))})
                self.known[alike] = total - cost(less, self.example, self.of)
            found[name] = max(self.known[alike], 1.0)
        return found


def _weights(place: Place) -> int:
    size = place.tensor.numel() // place.tensor.shape[place.dim]
    return size * len(place.positions)


def choose(
    network: nn.Module,
    scores: Scores,
    savings: Mapping[str, float],
    cost_of: Callable[[nn.Module], float],
    target: float,
) -> dict[str, list[int]]:
    """Return which units to leave so that a network costs no more than a target.

    Those go first whose score is least for what they save; one of each layer stays.

    Parameters
    ----------
    network : nn.Module
    scores : mapping
        Of each unit, as `importance` returns them.
    savings : mapping
        What a unit of each layer saves, as `Savings` tells.
    cost_of : callable
        Returns what a network costs.
    target : float
        A half percent above it will do.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> network, scores = EEGNet(3, 128, 2), {":filters": np.arange(8.0)}
    >>> example = torch.zeros(1, 3, 128)
    >>> choose(network, scores, {":filters": 1.0}, lambda one: cost(one, example), 85_000)
    {':filters': [5, 6, 7]}
    """
    ranked: list[tuple[float, str, int]] = []
    for name, saved in savings.items():
        if name in scores:
            by_score = np.argsort(scores[name], kind="stable")[:-1]
            ranked += [(float(scores[name][unit]) / saved, name, int(unit)) for unit in by_score]
    ranked.sort()
    saved_by = np.cumsum([0.0, *(savings[name] for _, name, _ in ranked)])

    def left(n_lost: int) -> dict[str, list[int]]:
        lost: dict[str, set[int]] = {}
        for _, name, unit in ranked[:n_lost]:
            lost.setdefault(name, set()).add(unit)
        return {
            name: [unit for unit in range(len(scores[name])) if unit not in gone]
            for name, gone in lost.items()
        }

    limit, too_few, enough = TOLERANCE * target, 0, len(ranked)
    most, least = cost_of(network), cost_of(cut(network, left(enough)))
    if most <= limit:
        return {}
    if least > limit:
        raise ValueError(
            f"with one unit left in each layer the network still has {least / most:.0%} of what it"
            " costs: raise `to`, or take a smaller network"
        )
    while enough - too_few > 1:  # look where it should be enough, by what is known so far
        share = (most - limit) / (most - least)
        wanted = saved_by[too_few] + share * (saved_by[enough] - saved_by[too_few])
        guess = int(np.clip(np.searchsorted(saved_by, wanted), too_few + 1, enough - 1))
        costs = cost_of(cut(network, left(guess)))
        if costs <= limit:
            enough, least = guess, costs
        else:
            too_few, most = guess, costs
    return left(enough)
