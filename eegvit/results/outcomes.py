"""Outcomes of requested fits, and the predictions that they add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.plan.splits.split import Labels

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]

SUM_TOLERANCE = 1e-3  # of probabilities that were kept in single precision


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the store says of one requested fit.

    Parameters
    ----------
    model, split : str
        The model's name in the study, and the split of the protocol.
    seed : int
        The seed of the study that asked for it; several seeds may share one fit.
    key : str
        Key of the fit in the store.
    target : str
        What the model used of the target: "none", "causal", "unlabelled" or "calibrated: k".
    ids, data, subject, session : arrays of str, shape (n_test,)
        The test trials: who they are, and where they come from.
    y : array of int64, shape (n_test,)
        Their true classes.
    probabilities : array, shape (n_test, n_classes), or None
        What was predicted; None where the fit failed or was not run.
    reason : str
        Why there are none.
    seconds : mapping
        CPU seconds of its stages "features", "fit" and "predict", as if it were run alone.
    features : mapping
        CPU seconds of the features of each block of trials; other fits of the model share them.
    n_parameters : int or None
        Learned numbers of the fitted model.
    costs : mapping
        What it costs to use, if it was measured: "macs" of a trial, and the wall seconds
        "seconds_1" and "seconds_64" to predict one trial and 64; "spiking", what its spiking
        layers do; "units", what pruning left of it.
    history : mapping
        Losses of each epoch, "train_loss" and "valid_loss", of a network.
    outer : str
        The split within whose training trials this one lies, so that ensembles can learn from
        it; empty where it is scored.
    parts : tuple of Outcome
        The outcomes of other fits that an ensemble's is made of.
    labels : Labels or None
        Which labels it was given, where that is not all of them.
    """

    model: str
    split: str
    seed: int
    key: str
    target: str
    ids: NDArray[np.str_]
    data: NDArray[np.str_]
    subject: NDArray[np.str_]
    session: NDArray[np.str_]
    y: CodeArray
    probabilities: FloatArray | None = None
    reason: str = ""
    failed: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)
    features: Mapping[str, float] = field(default_factory=dict)
    n_parameters: int | None = None
    costs: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    outer: str = ""
    parts: tuple[Outcome, ...] = ()
    labels: Labels | None = None

    @property
    def status(self) -> str:
        """Whether it is "ok", "failed" or "missing" (not run yet)."""
        if self.probabilities is not None:
            return "ok"
        return "failed" if self.failed else "missing"


@dataclass(frozen=True, eq=False)
class Predictions:
    """All test trials of one model and seed, whatever split they were predicted in."""

    ids: NDArray[np.str_]
    data: NDArray[np.str_]
    subject: NDArray[np.str_]
    session: NDArray[np.str_]
    y: CodeArray
    probabilities: FloatArray  # (n, classes), nan where the fit is missing

    @property
    def done(self) -> NDArray[np.bool_]:
        """The trials that have a prediction."""
        return np.asarray(~np.isnan(self.probabilities).any(1))


def rows_of(values: NDArray[Any]) -> dict[Any, NDArray[np.int64]]:
    """Return where each value is, in one pass whatever the number of values.

    Examples
    --------
    >>> {value: rows.tolist() for value, rows in rows_of(np.array(["b", "a", "b"])).items()}
    {'a': [1], 'b': [0, 2]}
    >>> rows_of(np.array([]))
    {}
    """
    known, which, times = np.unique(values, return_inverse=True, return_counts=True)
    order = np.argsort(which, kind="stable")
    return dict(zip(known.tolist(), np.split(order, np.cumsum(times))[:-1], strict=True))


def checked(outcome: Outcome, n_classes: int) -> Outcome:
    """Turn predictions that are no probabilities into a failure with a reason."""
    given = outcome.probabilities
    if given is None:
        return outcome
    probabilities = np.asarray(given, np.float64)
    wrong = ""
    if probabilities.shape != (len(outcome.y), n_classes):
        wrong = (
            f"predicted probabilities of shape {probabilities.shape}"
            f" for {len(outcome.y)} test trials of {n_classes} classes"
        )
    elif not np.isfinite(probabilities).all():
        n = int((~np.isfinite(probabilities).all(1)).sum())
        wrong = f"predicted probabilities of {n} test trials are not finite"
    elif (probabilities < 0).any() or (abs(probabilities.sum(1) - 1) > SUM_TOLERANCE).any():
        wrong = "predicted probabilities are negative or do not sum to one"
    if wrong:
        return replace(outcome, probabilities=None, reason=wrong, failed=True)
    if probabilities is given:
        return outcome
    return replace(outcome, probabilities=probabilities)


def predictions(outcomes: Sequence[Outcome], n_classes: int) -> dict[tuple[str, int], Predictions]:
    grouped: dict[tuple[str, int], list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault((outcome.model, outcome.seed), []).append(outcome)
    return {key: _joined(key, parts, n_classes) for key, parts in grouped.items()}


def _joined(key: tuple[str, int], parts: Sequence[Outcome], n_classes: int) -> Predictions:
    columns = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in ("ids", "data", "subject", "session", "y")
    }
    places, times = np.unique(columns["ids"], return_counts=True)
    if (times > 1).any():
        raise ValueError(
            f"model '{key[0]}', seed {key[1]}: trial {places[times > 1][0]} is tested in more"
            " than one split; the protocol must test each trial once"
        )
    probabilities = np.concatenate(
        [
            np.full((len(p.y), n_classes), np.nan) if p.probabilities is None else p.probabilities
            for p in parts
        ]
    )
    return Predictions(**columns, probabilities=probabilities)
