"""The leaderboard: mean, spread, chance and rank of each model, and paired tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eegvit.config import Study
from eegvit.data.folders import natural
from eegvit.plan.target import target_order
from eegvit.results.metrics import LOWER_IS_BETTER, METRICS, scores_of_groups
from eegvit.results.outcomes import FloatArray, Outcome, Predictions, rows_of
from eegvit.results.statistics.chance import chance_bound, chance_level
from eegvit.results.statistics.intervals import bootstrap_interval, crossed_interval

Tested = Mapping[tuple[str, int], Predictions]
NAN = float("nan")
RECENTRED = {"session": "per session", "causal": "per session, causal"}


@dataclass(frozen=True)
class BoardRow:
    """One row of the leaderboard.

    `rank` holds within rows of one `target` only and is None for a model that lacks fits; its
    `mean` and all that follows from it are nan then. A subject's score is the metric over its
    test trials pooled over sessions, then averaged over seeds; `sd` and the interval are over
    subjects, `seed_sd` is over seeds of the mean over subjects, and the interval from `both_low`
    to `both_high` is over subjects and seeds. A `control` has all that but a rank.
    """

    model: str
    branch: str
    target: str
    align: str
    status: str  # "ok", "failed" or "incomplete"
    reason: str
    n_fits: int
    n_failed: int
    n_missing: int
    n_seeds: int
    n_subjects: int
    rank: int | None
    mean: float
    sd: float
    ci_low: float
    ci_high: float
    both_low: float
    both_high: float
    seed_sd: float
    chance: float
    chance_bound: float
    others: Mapping[str, float]  # mean over subjects of every metric
    subjects: Mapping[str, float]  # score of each subject
    by_seed: Mapping[int, Mapping[str, float]]  # and of each seed
    n_parameters: int | None
    macs: float  # multiply-accumulates of one trial, nan if not known
    seconds_1: float  # wall seconds to predict one trial
    seconds_64: float  # and 64 at once
    seconds_fit: float  # CPU seconds of a fit run alone, mean
    stages: Mapping[str, float]  # CPU seconds of all its fits, shared features once
    spiking: Mapping[str, Any]  # what its spiking layers do; empty without any
    units: Sequence[Mapping[str, Any]]  # what pruning left, by stage and role; empty without it
    control: str  # "shuffled" where it must be at chance and is never ranked

    @property
    def seconds_total(self) -> float:
        """CPU seconds of all its fits."""
        return sum(self.stages.values())


def make_board(study: Study, outcomes: Sequence[Outcome], tested: Tested) -> list[BoardRow]:
    """Return a row for every model and ensemble, grouped by target use, best first."""
    by_model: dict[str, list[Outcome]] = {name: [] for name in (*study.models, *study.ensembles)}
    for outcome in outcomes:
        if outcome.model in by_model:
            by_model[outcome.model].append(outcome)
    about = {model: _about(study, model, own) for model, own in by_model.items()}
    return board_of(about, tested, study.evaluate.metric)


def board_of(about: Mapping[str, Mapping[str, Any]], tested: Tested, metric: str) -> list[BoardRow]:
    """Return the rows that are scored by these predictions, as `make_board` does.

    Parameters
    ----------
    about : mapping
        Of each model and ensemble all that predictions do not tell: what `BoardRow` has from
        `branch` to `n_seeds`, and from `n_parameters` on.
    tested : mapping
        Predictions by model and seed.
    metric : str
        What ranks go by.
    """
    rows = []
    for model, told in about.items():
        seeds = {seed: p for (name, seed), p in tested.items() if name == model}
        rows.append(_row(model, metric, told, seeds))
    return _ranked(rows, metric)


def class_counts(tested: Tested, classes: Sequence[str]) -> dict[str, int]:
    """Return the test trials of each class."""
    for predictions in tested.values():
        counts = np.bincount(predictions.y, minlength=len(classes))
        return {name: int(n) for name, n in zip(classes, counts, strict=True)}
    return {}


def subject_chance(tested: Tested, metric: str) -> dict[str, tuple[float, float]]:
    """Return chance level and bound of each subject."""
    for predictions in tested.values():
        return {
            subject: (chance_level(counts, metric), chance_bound([counts], metric))
            for subject, counts in _subject_counts(predictions).items()
        }
    return {}


def _about(study: Study, model: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what the outcomes of a row say beside what they predict."""
    fits = {o.key: o for o in outcomes}
    failed = [o for o in fits.values() if o.status == "failed"]
    missing = [o for o in fits.values() if o.status == "missing"]
    complete = bool(fits) and not failed and not missing
    several = complete and len({o.key for o in outcomes if o.split == outcomes[0].split}) > 1
    parameters = [o.n_parameters for o in fits.values() if o.n_parameters is not None]
    spent = [float(sum(o.seconds.values())) for o in fits.values() if o.status == "ok"]
    used = {part.key: part for o in fits.values() for part in o.parts or (o,)}
    return {
        "branch": _branch(study, model),
        "target": outcomes[0].target if outcomes else "none",
        "align": _alignment(study, model),
        "status": "ok" if complete else "failed" if failed else "incomplete",
        "reason": _reason(failed, missing, len(fits)),
        "n_fits": len(used),
        "n_failed": len(failed),
        "n_missing": len(missing),
        "n_seeds": len({o.seed for o in outcomes}) if several else 1,
        "n_parameters": max(parameters, default=None),
        **{name: _known(fits.values(), name) for name in ("macs", "seconds_1", "seconds_64")},
        "seconds_fit": float(np.mean(spent)) if spent else NAN,
        "stages": stages(used.values()),
        "spiking": next((s for fit in fits.values() if (s := fit.costs.get("spiking"))), {}),
        "units": next((u for fit in fits.values() if (u := fit.costs.get("units"))), []),
        "control": (study.models[model].control or "") if model in study.models else "",
    }


def _row(
    model: str, metric: str, about: Mapping[str, Any], seeds: Mapping[int, Predictions]
) -> BoardRow:
    complete, several = about["status"] == "ok", about["n_seeds"] > 1
    by_seed = [subject_scores(p) for p in seeds.values()]
    by_subject = _over_seeds(by_seed)
    values = [s[metric] for s in by_subject.values() if not np.isnan(s[metric])]
    seed_means = [np.nanmean([s[metric] for s in one.values()]) for one in by_seed if one]
    counts = list(_subject_counts(next(iter(seeds.values()))).values()) if seeds else []
    low, high = bootstrap_interval(values) if complete and values else (NAN, NAN)
    both = crossed_interval(_crossed(by_seed, metric)) if several else (NAN, NAN)
    return BoardRow(
        model=model,
        **about,
        n_subjects=len(values),
        rank=None,
        mean=float(np.mean(values)) if complete and values else NAN,
        sd=float(np.std(values, ddof=1)) if complete and len(values) > 1 else NAN,
        ci_low=low,
        ci_high=high,
        both_low=both[0],
        both_high=both[1],
        seed_sd=float(np.std(seed_means, ddof=1)) if several else NAN,
        chance=float(np.mean([chance_level(c, metric) for c in counts])) if counts else NAN,
        chance_bound=chance_bound(counts, metric) if counts else NAN,
        others=_means(list(by_subject.values())) if complete else dict.fromkeys(METRICS, NAN),
        subjects={subject: s[metric] for subject, s in by_subject.items()},
        by_seed={
            seed: {subject: s[metric] for subject, s in one.items()}
            for seed, one in zip(seeds, by_seed, strict=True)
        },
    )


def _known(fits: Iterable[Outcome], name: str) -> float:
    """Return a cost of use from the fits that it was measured on; nan if there is none."""
    told = [value for fit in fits if (value := fit.costs.get(name)) is not None]
    return float(np.median(told)) if told else NAN


def stages(fits: Iterable[Outcome]) -> dict[str, float]:
    """Return the CPU seconds of fits by stage; features that fits of a family share count once."""
    shared: dict[tuple[str, str], float] = {}
    trained = predicted = 0.0
    for fit in fits:
        family = fit.key.partition("/")[0]
        shared |= {(family, block): seconds for block, seconds in fit.features.items()}
        trained += fit.seconds.get("fit", 0.0)
        predicted += fit.seconds.get("predict", 0.0)
    return {"features": float(sum(shared.values())), "fit": trained, "predict": predicted}


def _ranked(rows: Sequence[BoardRow], metric: str) -> list[BoardRow]:
    """Order by target use and score; equal means share a rank; controls follow, without one."""
    sign = 1.0 if metric in LOWER_IS_BETTER else -1.0
    unranked = {row.model for row in rows if row.control or np.isnan(row.mean)}
    rows = sorted(rows, key=lambda r: (target_order(r.target), np.isnan(r.mean)))
    board: list[BoardRow] = []
    for target in dict.fromkeys(row.target for row in rows):
        own = [row for row in rows if row.target == target]
        ranked = [row for row in own if row.model not in unranked]
        scored = sorted(ranked, key=lambda r: sign * r.mean)
        means = [row.mean for row in scored]
        board += [replace(row, rank=1 + means.index(row.mean)) for row in scored]
        board += [row for row in own if row.model in unranked]
    return board


def subject_scores(tested: Predictions) -> dict[str, dict[str, float]]:
    """Return every metric of each subject whose test trials all have a prediction."""
    rows, done = rows_of(tested.subject), tested.done
    whole = [subject for subject in sorted(rows, key=natural) if done[rows[subject]].all()]
    own = [rows[subject] for subject in whole]
    return dict(zip(whole, scores_of_groups(tested.y, tested.probabilities, own), strict=True))


def _over_seeds(by_seed: Sequence[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Average each subject's scores over seeds; a subject that lacks a seed is left out."""
    if not by_seed:
        return {}
    shared = [s for s in by_seed[0] if all(s in one for one in by_seed)]
    return {
        s: {name: float(np.mean([one[s][name] for one in by_seed])) for name in METRICS}
        for s in shared
    }


def _crossed(by_seed: Sequence[dict[str, dict[str, float]]], metric: str) -> FloatArray:
    """Return scores (people, seeds) of the people that every seed has."""
    columns = [{s: told[metric] for s, told in one.items()} for one in by_seed]
    people = [s for s in columns[0] if not any(np.isnan(c.get(s, NAN)) for c in columns)]
    return np.array([[c[s] for c in columns] for s in people]).reshape(-1, len(columns))


def _means(subjects: Sequence[Mapping[str, float]]) -> dict[str, float]:
    means = {}
    for name in METRICS:
        values = [s[name] for s in subjects if not np.isnan(s[name])]
        means[name] = float(np.mean(values)) if values else NAN
    return means


def _subject_counts(tested: Predictions) -> dict[str, list[int]]:
    rows, n_classes = rows_of(tested.subject), tested.probabilities.shape[1]
    return {
        s: np.bincount(tested.y[rows[s]], minlength=n_classes).tolist()
        for s in sorted(rows, key=natural)
    }


def _branch(study: Study, name: str) -> str:
    if name in study.ensembles:
        return f"ensemble: {study.ensembles[name].said}"
    return study.models[name].said


def _alignment(study: Study, model: str) -> str:
    if model in study.ensembles:
        found = {_alignment(study, member) for member in study.ensembles[model].of}
        return found.pop() if len(found) == 1 else "aligned as its members"
    align = study.models[model].align or study.align
    recentre = study.models[model].recentre or study.recentre
    after = "" if recentre == "none" else f", recentred {RECENTRED[recentre]}"
    if align.method == "none":
        return f"none{after}"
    return f"{align.method} per {align.domain}, {align.mode}{after}"


def _reason(failed: Sequence[Outcome], missing: Sequence[Outcome], n_fits: int) -> str:
    said = []
    if failed:
        reasons = list(dict.fromkeys(o.reason for o in failed))
        more = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
        said.append(f"{len(failed)} of {n_fits} fits failed: {reasons[0]}{more}")
    if missing:
        said.append(f"{len(missing)} of {n_fits} fits not run yet")
    return "; ".join(said) or ("" if n_fits else "no fits in the plan")
