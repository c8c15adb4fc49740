"""How much the loss depends on each unit of a network [1]_.

.. [1] Molchanov et al., Importance estimation for neural network pruning. CVPR 2019.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.compress.settings import By
from eegvit.networks.units import Place, Units, units_of
from eegvit.train.loss import cross_entropy

Scores = Mapping[str, NDArray[np.float64]]  # of each unit, by the names of `units_of`


def importance(
    network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], by: By = "taylor", seed: int = 0
) -> dict[str, NDArray[np.float64]]:
    """Return a score for each unit: the lower, the less it will be missed.

    Parameters
    ----------
    network : nn.Module
        Trained. It is evaluated as at inference, and stays as it is.
    batches : iterable of (Tensor, Tensor)
        Trials and their class codes, of training people; only "taylor" looks at them.
    by : {"taylor", "magnitude", "random"}
        The square of the first-order change of a batch's loss if the unit were silent, the mean
        over batches; the sum of squares of all its weights; or a number drawn at random.
    seed : int
        Of random numbers.

    Notes
    -----
    The change is the sum of gradient times weight over weights that all of what the unit gives
    passes: those before them say the same once more, and some not in proportion.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> X, y = torch.randn(8, 3, 128), torch.arange(8) % 2
    >>> scores = importance(EEGNet(3, 128, 2), [(X, y)])
    >>> {name: score.shape for name, score in scores.items()}
    {':filters': (8,), ':features': (16,)}
    """
    whole = copy.deepcopy(network).eval()
    found = units_of(whole)
    if by == "random":
        rng = np.random.default_rng(seed)
        return {name: rng.random(len(units)) for name, units in found.items()}
    if by == "magnitude":
        return {name: _magnitudes(units) for name, units in found.items()}
    totals = {name: np.zeros(len(units)) for name, units in found.items()}
    n_batches = 0
    for X, y in batches:
        whole.zero_grad()
        cross_entropy(whole(X), y).backward()
        for name, change in changes(found).items():
            totals[name] += change**2
        n_batches += 1
    return {name: total / max(1, n_batches) for name, total in totals.items()}


def changes(found: Mapping[str, Units]) -> dict[str, NDArray[np.float64]]:
    """Return the sum of gradient times weight of each unit, from gradients that are there."""
    known: dict[tuple[nn.Module, str, int], NDArray[np.float64]] = {}

    def product(place: Place) -> float:
        key = place.module, place.name, place.dim
        if key not in known:
            known[key] = _product(place.tensor, place.dim)
        return float(known[key][list(place.positions)].sum())

    return {
        name: np.array(
            [sum(product(place) for place in unit if place.carries) for unit in units.places]
        )
        for name, units in found.items()
    }


def _product(tensor: Tensor, dim: int) -> NDArray[np.float64]:
    """Return the sums of gradient times weight at each position of a dimension."""
    if tensor.grad is None:
        return np.zeros(tensor.shape[dim])
    both = (tensor.grad * tensor).detach().double().transpose(0, dim)
    return both.reshape(tensor.shape[dim], -1).sum(1).cpu().numpy()


def _magnitudes(units: Units) -> NDArray[np.float64]:
    return np.array([sum(map(_squares, unit)) for unit in units.places])


def _squares(place: Place) -> float:
    tensor = place.tensor
    if not (place.silenced and isinstance(tensor, nn.Parameter)):
        return 0.0
    at = torch.tensor(place.positions, device=tensor.device)
    return float(tensor.detach().index_select(place.dim, at).double().square().sum())
