"""What networks hold before they see labels, read from the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.execute.embeddings import networks
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan


@dataclass(frozen=True)
class Representation:
    """What the networks of a model hold before they see labels.

    Parameters
    ----------
    models : tuple of str
        All models of the study that start from these networks.
    n_networks : int
        How many were measured: one for each split and seed.
    figures : mapping
        Means over them; the names are those of `eegvit.pretrain.probes.described`.
    places : array, shape (n, 2)
        Trials of the first of them on its two main axes, the farthest at 1.
    classes, people : tuples of str
        Class and person of each.
    axes : tuple of float
        Share of the variance that each axis has.
    """

    models: tuple[str, ...]
    n_networks: int
    figures: Mapping[str, float]
    places: NDArray[np.float64]
    classes: tuple[str, ...]
    people: tuple[str, ...]
    axes: tuple[float, ...]


def representations(plan: Plan, store: Store) -> tuple[Representation, ...]:
    """Return what was found of the networks of each model, of those that are measured."""
    keys: dict[str, list[str]] = {}
    classes: Sequence[str] = ()
    for network in networks(plan, store):
        keys.setdefault(network.model, []).append(network.key)
        classes = network.view.classes
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, own in keys.items():
        alike.setdefault(tuple(own), []).append(name)
    found = []
    for own_keys, models in alike.items():
        noted = [note for note in map(store.note, own_keys) if note is not None]
        if noted:
            found.append(_mean(tuple(models), noted, classes))
    return tuple(found)


def _mean(
    models: tuple[str, ...], noted: Sequence[dict[str, Any]], classes: Sequence[str]
) -> Representation:
    first = noted[0]
    names = [name for name, value in first.items() if isinstance(value, (int, float))]
    return Representation(
        models,
        len(noted),
        {name: float(np.mean([note[name] for note in noted])) for name in names},
        np.array(first["places"]),
        tuple(classes[code] for code in first["codes"]),
        tuple(first["people"]),
        tuple(first["axes"]),
    )
