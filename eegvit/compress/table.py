"""What each stage and role of a network matters, and what pruning left of it."""

from __future__ import annotations

import copy
import re
from collections import defaultdict
from typing import Any

import numpy as np
from torch import nn

from eegvit.compress.importance import Scores
from eegvit.networks.units import units_of

STREAM, STAGE = re.compile(r"streams\.(\d+)"), re.compile(r"stages\.stages\.(\d+)")


def table_of(whole: nn.Module, small: nn.Module, scores: Scores) -> list[dict[str, Any]]:
    """Return a row for each stage and role of a network, as plain values.

    Parameters
    ----------
    whole, small : nn.Module
        Before and after pruning.
    scores : mapping
        The importance of each unit of the whole network.

    Returns
    -------
    list of dict
        "stage", "role", "units", how many are "left", and "importance": the mean of a unit over
        the mean of all units of the network.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> network, scores = EEGNet(3, 128, 2), {":filters": np.ones(8), ":features": np.ones(16)}
    >>> table_of(network, network, scores)[0]
    {'stage': 'network', 'role': 'filters', 'units': 8, 'left': 8, 'importance': 1.0}
    """
    left: dict[tuple[str, str], int] = defaultdict(int)
    for name, units in units_of(copy.deepcopy(small)).items():
        left[stage_of(name), units.role] += len(units)
    own: dict[tuple[str, str], list[float]] = defaultdict(list)
    for name, units in units_of(copy.deepcopy(whole)).items():
        own[stage_of(name), units.role] += scores[name].tolist()
    mean = float(np.mean([score for each in own.values() for score in each])) or 1.0
    return [
        {
            "stage": stage,
            "role": role,
            "units": len(each),
            "left": left[stage, role],
            "importance": float(np.mean(each)) / mean,
        }
        for (stage, role), each in own.items()
    ]


def stage_of(name: str) -> str:
    """Return where in a network units are, by their name.

    Examples
    --------
    >>> stage_of("1.streams.0.stages.stages.1.2.inner.0:keys 0"), stage_of("1.layout:filters")
    ('stream 1, stage 2', 'stem')
    """
    path = name.partition(":")[0]
    stream, stage = STREAM.search(path), STAGE.search(path)
    said = [f"stream {int(stream[1]) + 1}"] if stream else []
    if stage:
        said.append(f"stage {int(stage[1]) + 1}")
    elif "layout" in path:
        said.append("stem")
    return ", ".join(said) or "network"
