"""Results of a study: score rows, leaderboard and paired tests, computed from the store alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from eegvit.config import Study
from eegvit.data.folders import natural
from eegvit.plan.splits.few_labels import largest
from eegvit.results.audit import Audit
from eegvit.results.embeddings import Representation
from eegvit.results.ensembles import combine
from eegvit.results.families import Family, Pair, against, families
from eegvit.results.few_labels import Efficiency, describe_efficiency
from eegvit.results.leaderboard import BoardRow, class_counts, make_board, stages, subject_chance
from eegvit.results.members import Ensembles, describe_ensembles
from eegvit.results.metrics import scores_of_groups
from eegvit.results.outcomes import Outcome, Predictions, checked, predictions, rows_of
from eegvit.results.responses.signals import Signals
from eegvit.views.view import STAGES as VIEW_STAGES

STAGES = ("features", "fit", "predict")


@dataclass(frozen=True)
class Reading:
    """What was read of one recording.

    Parameters
    ----------
    data, subject, session : str
        Whose recording, and which.
    read, left_out : int
        Trials that the study has of it, and those that it has not.
    why : str
        Why these were left out; empty if none was.
    """

    data: str
    subject: str
    session: str
    read: int
    left_out: int = 0
    why: str = ""


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that the report says, but for the machine it is written on.

    Parameters
    ----------
    study : Study
        What was asked for.
    classes : tuple of str
        Class names, in the order of the probabilities' columns.
    rows : list of dict
        One score row per model or ensemble, data, subject, session and seed.
    fits : list of dict
        One entry per distinct fit; models that share it are listed with it.
    board : list of BoardRow
        The leaderboard, grouped by target use and sorted within.
    families : tuple of Family
        Paired tests of all pairs of rows of each target use, ranks, and what joins rows.
    against : tuple of Pair
        Every row against the study's reference, if it has one.
    subject_chance : dict
        Chance level and its bound for each subject.
    class_counts : dict
        Test trials of each class.
    stages : dict
        CPU seconds of each stage, over all fits, each counted once, as are features that
        fits of one family share.
    view_stages : dict
        CPU seconds of each stage that made the trials, when they were made; nan if not known.
    predictions : dict
        Predictions by model or ensemble and seed.
    ensembles : Ensembles
        What the ensembles learned, how alike their members' errors are, and what choosing
        could bring at most.
    efficiency : Efficiency or None
        Scores by the number of labels, in a study of few labels; all else is of the largest.
    representations : tuple of Representation
        What networks hold before they see labels, where models are pretrained.
    signals : Signals or None
        Mean signals of the trials tested, of flicker and of responses to events.
    warnings : tuple of str
        What was warned of while recordings were read and models were fitted, each once.
    reading : tuple of Reading
        Trials read and left out of each recording, where that is known.
    audit : Audit or None
        What was checked of the plan, and what each model saw.
    histories : dict
        By model, the losses of each epoch of its fits.
    again : str
        That the page was made again from a report's folder, and what is not known there; empty
        where results are those of fits.
    """

    study: Study
    classes: tuple[str, ...]
    rows: list[dict[str, Any]]
    fits: list[dict[str, Any]]
    board: list[BoardRow]
    families: tuple[Family, ...]
    against: tuple[Pair, ...]
    subject_chance: dict[str, tuple[float, float]]
    class_counts: dict[str, int]
    stages: dict[str, float]
    view_stages: dict[str, float]
    predictions: dict[tuple[str, int], Predictions]
    ensembles: Ensembles = field(default_factory=Ensembles)
    efficiency: Efficiency | None = None
    representations: tuple[Representation, ...] = ()
    signals: Signals | None = None
    warnings: tuple[str, ...] = ()
    reading: tuple[Reading, ...] = ()
    audit: Audit | None = None
    histories: dict[str, list[Mapping[str, Sequence[float]]]] = field(default_factory=dict)
    again: str = ""

    def family(self, target: str) -> Family:
        """Return the paired tests of the rows of one target use."""
        return next(one for one in self.families if one.target == target)

    def tested(self, row: BoardRow) -> Pair | None:
        """Return the test of a row that stands beside it: against the reference or the best."""
        if self.against:
            return next((one for one in self.against if one.first == row.model), None)
        return self.family(row.target).against_first(row.model) if row.rank is not None else None

    @property
    def simulated(self) -> bool:
        """Whether any of the data is simulated."""
        return any(card.simulated for card in self.study.data)

    @property
    def n_subjects(self) -> int:
        """How many people were tested."""
        return len(self.subject_chance)

    @property
    def n_trials(self) -> int:
        """How many test trials there are."""
        return sum(self.class_counts.values())


def tabulate(
    study: Study,
    classes: Sequence[str],
    outcomes: Sequence[Outcome],
    view_stages: Mapping[str, float] | None = None,
    found: Sequence[Representation] = (),
) -> Results:
    """Return the results of these outcomes: the same for the same outcomes in any order."""
    names = list(study.models)
    own = sorted(
        (checked(o, len(classes)) for o in outcomes),
        key=lambda o: (names.index(o.model), o.seed, natural(o.split), o.key),
    )
    combined, learned = combine(study.ensembles, own)
    shown = largest(study.evaluate)
    weighed = {o.model: o.costs for o in own if o.costs and o.labels}  # one fit tells for all
    scored = [
        replace(o, costs=weighed.get(o.model, o.costs))
        for o in own
        if not o.outer and o.labels == shown
    ] + combined
    tested = predictions(scored, len(classes))
    board = make_board(study, scored, tested)
    return Results(
        study=study,
        classes=tuple(classes),
        rows=score_rows(tested),
        fits=_fit_rows(own),
        board=board,
        families=families(board, study.evaluate.metric),
        against=against(board, study.reference, study.evaluate.metric),
        subject_chance=subject_chance(tested, study.evaluate.metric),
        class_counts=class_counts(tested, classes),
        stages=stages({o.key: o for o in own}.values()),
        view_stages=dict.fromkeys(VIEW_STAGES, float("nan")) | dict(view_stages or {}),
        predictions=tested,
        ensembles=describe_ensembles(study, own, tested, learned),
        efficiency=None if shown is None else describe_efficiency(study, own, len(classes)),
        representations=tuple(found),
        histories=_histories(scored),
    )


def score_rows(tested: Mapping[tuple[str, int], Predictions]) -> list[dict[str, Any]]:
    """Return one row of metrics per model, data, subject, session and seed."""
    rows = []
    for (model, seed), predicted in tested.items():
        done = np.flatnonzero(predicted.done)
        columns = (predicted.data, predicted.subject, predicted.session)
        places = np.stack([column[done] for column in columns], axis=1)
        known, which = np.unique(places, axis=0, return_inverse=True)
        chosen = [done[own] for own in rows_of(which.reshape(-1)).values()]
        told = scores_of_groups(predicted.y, predicted.probabilities, chosen)
        for (data, subject, session), own, scores in zip(known.tolist(), chosen, told, strict=True):
            row: dict[str, Any] = {"model": model, "data": data, "subject": subject}
            rows.append(row | {"session": session, "seed": seed, "n_trials": len(own)} | scores)
    names = list(dict.fromkeys(model for model, _ in tested))
    return sorted(
        rows,
        key=lambda row: (
            names.index(row["model"]),
            *(natural(row[name]) for name in ("data", "subject", "session")),
            row["seed"],
        ),
    )


def _histories(outcomes: Sequence[Outcome]) -> dict[str, list[Mapping[str, Sequence[float]]]]:
    """Return the losses of each distinct fit of a model that has some."""
    parts = ((o.model, part) for o in outcomes for part in o.parts or (o,))
    fits = {(m, p.key): p.history for m, p in parts if p.model == m and p.history}
    found: dict[str, list[Mapping[str, Sequence[float]]]] = {}
    for (model, _), history in fits.items():
        found.setdefault(model, []).append(history)
    return found


def _fit_rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """One entry per distinct fit; the seeds and models that share it are listed together."""
    fits: dict[str, dict[str, Any]] = {}
    for o in outcomes:
        entry = fits.setdefault(
            o.key,
            {"model": o.model, "shared_with": [], "split": o.split, "seeds": [], "key": o.key}
            | {"status": o.status, "reason": o.reason}
            | {"n_parameters": o.n_parameters, "n_test": len(o.y)}
            | {f"seconds_{stage}": float(o.seconds.get(stage, 0.0)) for stage in STAGES},
        )
        if o.model not in (entry["model"], *entry["shared_with"]):
            entry["shared_with"].append(o.model)
        if o.seed not in entry["seeds"]:
            entry["seeds"].append(o.seed)
    return list(fits.values())
