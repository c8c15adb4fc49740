"""Models whose row is the mean of networks over seeds: one prediction of all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eegvit.config import Study, sha256
from eegvit.results.outcomes import Outcome

SUMMED = ("macs", "seconds_1", "seconds_64")


def mean_over_seeds(study: Study, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return outcomes in which a model of `seeds: mean` predicts the same for every seed.

    What it predicts is the mean of its networks' probabilities; what it costs is their sum.
    """
    together = {name for name, model in study.models.items() if model.seeds == "mean"}
    groups: dict[tuple[str, str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.model in together:
            groups[outcome.model, outcome.split, outcome.outer].append(outcome)
    mean = {place: _mean(own) for place, own in groups.items()}
    return [
        replace(mean[o.model, o.split, o.outer], seed=o.seed) if o.model in together else o
        for o in outcomes
    ]


def _mean(own: Sequence[Outcome]) -> Outcome:
    """Return the mean of the outcomes of one split; without one of them there is none."""
    parts = tuple({outcome.key: outcome for outcome in own}.values())
    key = f"seeds/{sha256([part.key for part in parts])}"
    sizes = [part.n_parameters for part in parts if part.n_parameters is not None]
    about = replace(
        parts[0],
        key=key,
        probabilities=None,
        seconds={name: sum(p.seconds.get(name, 0.0) for p in parts) for name in own[0].seconds},
        n_parameters=sum(sizes) if len(sizes) == len(parts) else None,
        costs=_costs(parts),
        history={},
        parts=parts,
    )
    for part in parts:
        if part.probabilities is None:
            return replace(about, reason=part.reason, failed=part.failed)
    told = np.mean([np.asarray(part.probabilities) for part in parts], axis=0)
    return replace(about, probabilities=told)


def _costs(parts: Sequence[Outcome]) -> dict[str, float]:
    """Return what all of them cost to use together, as far as one of them was measured."""
    measured = next((part.costs for part in parts if part.costs), {})
    return {name: len(parts) * measured[name] for name in SUMMED if measured.get(name) is not None}
