"""Ensembles from stored predictions: what each learns in each split, and what it predicts.

Nothing is fitted to signals here, and no label of a trial that is scored is looked at: a rule
learns from the inner outcomes of its split, which predict training trials out-of-fold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from eegvit.config import Ensemble, sha256
from eegvit.ensemble.meta import MetaLearner, shares
from eegvit.ensemble.rules import Combiner, learn
from eegvit.ensemble.selection import chosen_and_learned
from eegvit.plan.target import target_order
from eegvit.results.outcomes import CodeArray, FloatArray, Outcome

COSTS = ("macs", "seconds_1", "seconds_64")


@dataclass(frozen=True, eq=False)
class Learned:
    """What an ensemble learned for one split and seed.

    Parameters
    ----------
    ensemble, split : str
        Which, and where.
    seed : int
        The seed of its members.
    chosen : tuple of str
        The members that it combines, in the order of their selection.
    weights : mapping
        Weight of each chosen member; of a meta-learner its share of the absolute coefficients
        or of the gain. Empty where the rule weighs nothing.
    temperatures : mapping
        Temperature of each chosen member, where it is calibrated.
    """

    ensemble: str
    split: str
    seed: int
    chosen: tuple[str, ...]
    weights: Mapping[str, float] = field(default_factory=dict)
    temperatures: Mapping[str, float] = field(default_factory=dict)


def combine(
    ensembles: Mapping[str, Ensemble], outcomes: Sequence[Outcome]
) -> tuple[list[Outcome], list[Learned]]:
    """Return the outcomes of ensembles, and what each of them learned.

    Parameters
    ----------
    ensembles : mapping
        The ensembles of a study by name.
    outcomes : sequence of Outcome
        Those of its models, scored and inner ones.
    """
    scored: dict[tuple[str, int, str], Outcome] = {}
    inner: dict[tuple[str, int, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.outer:
            inner[outcome.model, outcome.seed, outcome.outer].append(outcome)
        else:
            scored[outcome.model, outcome.seed, outcome.split] = outcome
    measured: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for outcome in scored.values():
        measured[outcome.model].append(outcome.costs)
    costs = {model: _cost_of_use(own) for model, own in measured.items()}
    made: list[Outcome] = []
    learned: list[Learned] = []
    known: dict[str, tuple[Outcome, Learned | None]] = {}  # seeds may share all fits
    for name, ensemble in ensembles.items():
        members = sorted(ensemble.of)  # so that their order in the file changes no bit
        for seed, split in dict.fromkeys((s, p) for m, s, p in scored if m == members[0]):
            parts = [scored[member, seed, split] for member in members]
            within = [inner[member, seed, split] for member in members if ensemble.learns]
            used = (*parts, *(o for fold in within for o in fold))
            key = f"ensemble/{sha256([name, ensemble, split, [o.key for o in used]])}"
            if key not in known:
                about = _about(name, key, parts, used, [costs[member] for member in members])
                known[key] = _combined(ensemble, about, parts, within)
            outcome, found = known[key]
            made.append(replace(outcome, seed=seed))
            if found is not None:
                learned.append(replace(found, seed=seed))
    return made, learned


def _combined(
    ensemble: Ensemble, about: Outcome, parts: Sequence[Outcome], within: Sequence[list[Outcome]]
) -> tuple[Outcome, Learned | None]:
    """Return what an ensemble predicts in one split, or why it does not."""
    wrong = [o for o in about.parts if o.probabilities is None]
    if wrong:
        first = next((o for o in wrong if o.failed), wrong[0])
        reason = f"member {first.model}: {first.reason}"
        return replace(about, reason=reason, failed=first.failed), None
    try:
        P = np.stack([_told([part], about.ids)[0] for part in parts])
        chosen, combiner = _learned(ensemble, within, len(parts))
        combined = combiner(P[sorted(chosen)])
    except (ValueError, ImportError) as error:
        reason = f"{type(error).__name__}: {error}"
        return replace(about, reason=reason, failed=True), None
    names = [part.model for part in parts]
    kept = [names[place] for place in sorted(chosen)]
    learned = Learned(
        about.model,
        about.split,
        about.seed,
        tuple(names[place] for place in chosen),
        dict(zip(kept, _weights(combiner, len(kept)), strict=False)),
        dict(zip(kept, _listed(combiner.temperatures), strict=False)),
    )
    return replace(about, probabilities=combined), learned


def _learned(
    ensemble: Ensemble, within: Sequence[list[Outcome]], n_members: int
) -> tuple[list[int], Combiner]:
    """Return the places of the members chosen and the rule with what it learned."""
    if not ensemble.learns:
        return list(range(n_members)), learn(ensemble.rule)
    ids = np.sort(np.concatenate([outcome.ids for outcome in within[0]]))
    told = [_told(folds, ids) for folds in within]
    return chosen_and_learned([member for member, _ in told], told[0][1], **ensemble.settings)


def _told(outcomes: Sequence[Outcome], ids: np.ndarray) -> tuple[FloatArray, CodeArray]:
    """Return what outcomes tell of these trials, in their order, and the trials' classes."""
    own = np.concatenate([outcome.ids for outcome in outcomes])
    order = np.argsort(own)
    places = order[np.searchsorted(own, ids, sorter=order).clip(max=len(own) - 1)]
    if len(own) != len(ids) or not np.array_equal(own[places], ids):
        raise ValueError(f"member {outcomes[0].model} predicts other trials than the others")
    told = np.concatenate([np.asarray(outcome.probabilities) for outcome in outcomes])
    return told[places], np.concatenate([outcome.y for outcome in outcomes])[places]


def _weights(combiner: Combiner, n_members: int) -> list[float]:
    if isinstance(combiner.learned, MetaLearner):
        return _listed(shares(combiner.learned, n_members))
    return _listed(combiner.learned)


def _listed(values: FloatArray | None) -> list[float]:
    return [] if values is None else [float(value) for value in values]


def _about(
    name: str,
    key: str,
    parts: Sequence[Outcome],
    used: tuple[Outcome, ...],
    costs: Sequence[Mapping[str, Any]],
) -> Outcome:
    """Return all of an ensemble's outcome but what it predicts: its costs are its members'."""
    sizes = [part.n_parameters for part in parts]
    stages = dict.fromkeys(stage for part in parts for stage in part.seconds)
    return replace(
        parts[0],
        model=name,
        key=key,
        target=max((part.target for part in parts), key=target_order),
        probabilities=None,
        seconds={s: sum(part.seconds.get(s, 0.0) for part in parts) for s in stages},
        features={},
        n_parameters=None if None in sizes else sum(size or 0 for size in sizes),
        costs={cost: _sum([own[cost] for own in costs]) for cost in COSTS},
        parts=used,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _cost_of_use(own: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return what one member costs to use, from the fits that it was measured on."""
    told = {cost: [v for costs in own if (v := costs.get(cost)) is not None] for cost in COSTS}
    return {cost: float(np.median(values)) if values else None for cost, values in told.items()}
