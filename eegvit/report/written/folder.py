"""A report's folder, read again: its manifest, predictions and the scores that follow from them."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.config.document import Document
from eegvit.report.text.csv_files import plain
from eegvit.results.families import Scored
from eegvit.results.leaderboard import subject_scores
from eegvit.results.outcomes import Predictions


@dataclass(frozen=True, eq=False)
class Written:
    """A report that was written.

    Parameters
    ----------
    folder : Path
        Where it lies.
    about : mapping
        Its manifest.
    classes : tuple of str
        Names of the classes, in the order of the probabilities' columns.
    predictions : mapping
        By model and seed.
    board : tuple of mapping
        The rows of leaderboard.csv.
    """

    folder: Path
    about: Mapping[str, Any]
    classes: tuple[str, ...]
    predictions: Mapping[tuple[str, int], Predictions]
    board: tuple[Mapping[str, str], ...]

    @property
    def name(self) -> str:
        """The study's name."""
        return str(self.about["study"])

    @property
    def metric(self) -> str:
        """The metric that it ranks by."""
        return self.board[0]["metric"] if self.board else "accuracy"

    @property
    def people(self) -> frozenset[str]:
        """Whom it tests, as "data set/person"."""
        first = next(iter(self.predictions.values()), None)
        if first is None:
            return frozenset()
        pairs = zip(first.data.tolist(), first.subject.tolist(), strict=True)
        return frozenset(f"{data}/{who.removeprefix(f'{data}:')}" for data, who in pairs)

    def row(self, model: str) -> Mapping[str, str]:
        """Return a model's row of leaderboard.csv."""
        return next(row for row in self.board if row["model"] == plain(model))

    def scored(self, metric: str = "") -> dict[str, Scored]:
        """Return the scores of each model that has all its predictions, from these alone."""
        found: dict[str, dict[int, dict[str, float]]] = {}
        for (model, seed), told in self.predictions.items():
            scores = {s: v[metric or self.metric] for s, v in subject_scores(told).items()}
            found.setdefault(model, {})[seed] = scores
        return {
            model: _scored(model, by_seed, int(self.row(model)["n_seeds"]))
            for model, by_seed in found.items()
            if self.row(model)["status"] == "ok"
        }


def read(folder: str | Path) -> Written:
    """Return a report that was written, or say what is missing of it."""
    place = Path(folder)
    try:
        about = json.loads((place / "manifest.json").read_text("utf-8"))
        rows = read_csv(place / "leaderboard.csv")
        with np.load(place / "predictions.npz", allow_pickle=False) as saved:
            arrays = {name: saved[name] for name in saved.files}
        scores = read_csv(place / "scores.csv")
        classes = tuple(map(str, arrays["classes"]))
        told = _predictions(arrays, scores, about["data"])
        return Written(place, about, classes, told, tuple(rows))
    except FileNotFoundError as error:
        raise ValueError(
            f"{place} holds no report: {Path(error.filename).name} is missing. A report's folder"
            " is reports/NAME after `eegvit NAME`"
        ) from None
    except (zipfile.BadZipFile, json.JSONDecodeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{place}: the report cannot be read ({error}); `eegvit report remake STUDY` writes it"
            " again from the fits, if they are stored"
        ) from None


def protocol_of(about: Mapping[str, Any]) -> str:
    """Return the protocol of a study from its manifest."""
    asked = about.get("asked")
    if asked is None:
        asked = Document.of_text(about["study_text"], Path("study.yaml")).value or {}
    return str((asked.get("evaluate") or {}).get("protocol", "cross_subject"))


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the lines of a CSV file by the names of their columns."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _predictions(
    arrays: Mapping[str, NDArray[Any]],
    scores: list[dict[str, str]],
    cards: Sequence[Mapping[str, Any]],
) -> dict[tuple[str, int], Predictions]:
    ids, y = arrays["ids"], arrays["y"].astype(np.int64)
    data, subject, session = (
        [arrays[name] for name in ("data", "subject", "session")]
        if "subject" in arrays
        else _places(ids, scores, cards)
    )
    found = {}
    for name, table in arrays.items():
        if name.startswith("probabilities/"):
            model, _, seed = name.removeprefix("probabilities/").rpartition("/")
            found[model, int(seed)] = Predictions(ids, data, subject, session, y, table)
    return found


def _places(
    ids: NDArray[np.str_], scores: list[dict[str, str]], cards: Sequence[Mapping[str, Any]]
) -> list[NDArray[np.str_]]:
    """Return data set, person and session of each trial where only its identity was kept."""
    only = str(cards[0]["name"]) if len(cards) == 1 else ""  # also of people without a score
    parts = [str(one).split("/") for one in ids]
    of_data = {(row["subject"], row["session"]): row["data"] for row in scores}
    data = [of_data.get((part[0], part[1]), only) for part in parts]
    return [np.array(data), *(np.array([part[i] for part in parts]) for i in (0, 1))]


def _scored(model: str, by_seed: Mapping[int, Mapping[str, float]], n_seeds: int) -> Scored:
    seeds = list(by_seed.values())
    shared = [s for s in seeds[0] if all(s in one for one in seeds)]
    subjects = {s: float(np.mean([one[s] for one in seeds])) for s in shared}
    return Scored(model, n_seeds, subjects, by_seed)
