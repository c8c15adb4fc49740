"""The torch part of a fused model, built from its branches."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from eegvit.branches.base import EEGClassifier
from eegvit.branches.fusion.choices import Classical, Start
from eegvit.branches.neural import NeuralClassifier

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, int, int]  # channels, times, classes


def in_parallel(
    members: Sequence[EEGClassifier],
    shape: Shape,
    shapes: Sequence[tuple[int, ...]],
    standardise: nn.Module,
    *,
    start: Start,
    classical: Classical,
    **fusion: Any,
) -> nn.Module:
    """Return branches side by side; networks that were fitted come with their weights.

    Parameters
    ----------
    members : sequence of EEGClassifier
    shape : (int, int, int)
        Channels, times and classes.
    shapes : sequence of tuple
        Of a trial's features, for each classical branch.
    standardise : nn.Module
        What the signals pass first; networks that were fitted have their own.
    start, classical
        As for `FusionClassifier`.
    fusion
        Other arguments of `FusedNetwork`.

    Examples
    --------
    >>> from torch import nn
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> members = [EEGNetClassifier(), EEGNetClassifier(n_filters=4)]
    >>> options = {"start": "scratch", "classical": "mlp", "fuse": "gated"}
    >>> network = in_parallel(members, (3, 250, 2), [], nn.Identity(), **options)
    >>> len(network.branches)
    2
    """
    from eegvit.networks.fusion.branches import (
        BandBranch,
        NetworkBranch,
        VectorBranch,
        streams,
    )
    from eegvit.networks.fusion.network import FusedNetwork

    n_channels, n_times, n_classes = shape
    entrance = {"mlp": VectorBranch, "cnn": BandBranch}[classical]
    remaining = iter(shapes)
    branches: list[nn.Module] = []
    for member in members:
        if not isinstance(member, NeuralClassifier):
            branches.append(entrance(next(remaining), n_classes))
        elif start == "scratch":
            for each in streams(member.network(*shape)):
                branches.append(NetworkBranch(copy.deepcopy(standardise), each))
        else:
            own: Any = copy.deepcopy(member.module_)
            for each in streams(own[1]):
                before = copy.deepcopy(own[0])
                branches.append(NetworkBranch(before, each, frozen=start == "frozen"))
    return FusedNetwork(
        branches,
        n_channels=n_channels,
        n_times=n_times,
        n_classes=n_classes,
        shapes=shapes,
        **fusion,
    )


def in_series(members: Sequence[EEGClassifier], shape: Shape, start: Start) -> nn.Module:
    """Return spiking neurons in front of the last branch, without standardisation.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> from eegvit.branches.spiking import SpikingClassifier
    >>> members = [SpikingClassifier(sfreq=125.0, n_features=8), EEGNetClassifier()]
    >>> in_series(members, (3, 250, 2), "scratch").fronts[0].n_features
    8
    """
    from eegvit.networks.fusion.series import Series

    n_channels, n_times, n_classes = shape
    fronts = []
    *firsts, last = members
    for member in firsts:
        spiking: Any = member
        if start == "scratch":
            front = spiking.network(n_channels, n_times, n_classes).front
        else:
            front = copy.deepcopy(spiking.module_[1].front)
        front.output = "spikes" if spiking.readout == "rate" else "membrane"
        fronts.append(front)
        n_channels = front.n_features
    network: Any = last
    return Series(fronts, network.network(n_channels, n_times, n_classes), frozen=start == "frozen")


def standardised(
    first: EEGClassifier, series: nn.Module, standardise: nn.Module, start: Start
) -> nn.Module:
    """Return a series behind a standardisation: that of its first branch if it was fitted.

    Examples
    --------
    >>> from torch import nn
    >>> from eegvit.branches.spiking import SpikingClassifier
    >>> len(standardised(SpikingClassifier(), nn.Identity(), nn.Identity(), "scratch"))
    2
    """
    from torch import nn

    fitted: Any = first
    before = standardise if start == "scratch" else copy.deepcopy(fitted.module_[0])
    return nn.Sequential(before, series)
