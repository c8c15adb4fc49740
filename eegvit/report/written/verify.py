"""A report recomputed from its predictions: what does not agree, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

import numpy as np

from eegvit.config import sha256 as sha256_of
from eegvit.report.text.csv_files import plain
from eegvit.report.written.folder import Written, read_csv
from eegvit.results.families import pair
from eegvit.results.leaderboard import subject_scores
from eegvit.results.metrics import METRICS
from eegvit.results.results import score_rows
from eegvit.results.statistics.flips import holm
from eegvit.results.statistics.intervals import bootstrap_interval

TELLING = ("scores.csv", "predictions.npz", "leaderboard.csv", "label_efficiency.csv")
ROUNDING = 1.5e-6  # scores are written with six decimals
PLACE = ("model", "data", "subject", "session", "seed")
PAIRED = ("difference", "low", "high", "both_low", "both_high", "sd", "effect", "p", "p_wilcoxon")


def verify(report: Written) -> tuple[list[str], list[str]]:
    """Return what was recomputed and agrees, and what does not agree.

    Every file's hash, every score of scores.csv, those of the most labels of label_efficiency.csv,
    the means, intervals and spreads of leaderboard.csv, and the tests of pairs.csv: all from
    predictions.npz alone.
    """
    agree: list[str] = []
    wrong: list[str] = []
    for what, checked in (
        ("hashes", _hashes(report)),
        ("scores", _scores(report)),
        ("scores by labels", _labels(report)),
        ("figures of the leaderboard", _leaderboard(report)),
        ("figures of pairs", _pairs(report)),
    ):
        found = list(checked)
        bad = [said for said in found if said]
        wrong += bad
        if found and not bad:
            agree.append(f"{len(found):,} {what} agree")
    return agree, wrong


def refuse_changed(report: Written) -> None:
    """Raise an error if scores are not those of the predictions, or what a page needs was changed.

    Files that only show what these say, such as the page, may be missing or of another time.
    """
    said = [one for one in _hashes(report) if one.startswith((*TELLING, "manifest.json"))]
    wrong = said + [one for one in (*_scores(report), *_labels(report)) if one]
    if wrong:
        more = f", and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
        raise ValueError(
            f"{report.folder} is not made again: {wrong[0]}{more}; `eegvit report verify"
            f" {report.folder}` says all"
        )


def _labels(report: Written) -> Iterator[str]:
    """Yield a sentence for each score of the most labels' first draw that is another."""
    rows = _lines(report, "label_efficiency.csv")
    most = max((float(row["labels"]) for row in rows), default=0.0)
    scores = {
        (plain(model), str(seed), plain(who)): told[report.metric]
        for (model, seed), predicted in report.predictions.items()
        for who, told in subject_scores(predicted).items()
    }
    for row in rows:
        if (float(row["labels"]), row["draw"]) == (most, "0"):
            where = f"label_efficiency.csv: {row['model']}, seed {row['seed']}, {row['subject']}"
            made = scores.get((row["model"], row["seed"], row["subject"]), math.nan)
            yield _told(where, row["metric"], row["score"], made)


def _hashes(report: Written) -> Iterator[str]:
    """Yield a sentence for each hash that is wrong, and nothing said for each that is right."""
    about = report.about
    known = {"scores.csv": about["scores_sha256"]} | dict(about.get("files", {}))
    for name, expected in known.items():
        file = report.folder / name
        if not file.exists():
            yield f"{name} is missing"
        elif sha256(file.read_bytes()).hexdigest() != expected:
            yield f"{name} is not the file that was written: its sha256 is another"
        else:
            yield ""
    if "asked" in about:
        right = sha256_of(about["asked"]) == about["study_sha256"]
        yield "" if right else "manifest.json: the study is not the one whose sha256 it has"


def _scores(report: Written) -> Iterator[str]:
    written = {tuple(row[name] for name in PLACE): row for row in _lines(report, "scores.csv")}
    made = {
        tuple(plain(row[name]) for name in PLACE): row for row in score_rows(report.predictions)
    }
    for place in dict.fromkeys((*written, *made)):
        where = ", ".join(f"{name} {value}" for name, value in zip(PLACE, place, strict=True))
        if place not in written or place not in made:
            missing = "scores.csv" if place not in written else "predictions.npz"
            yield f"scores.csv: {where}: missing in {missing}"
            continue
        for name in ("n_trials", *METRICS):
            if name in written[place]:
                yield _told(f"scores.csv: {where}", name, written[place][name], made[place][name])


def _leaderboard(report: Written) -> Iterator[str]:
    for metric in METRICS:
        for model, scored in report.scored(metric).items():
            row, where = report.row(model), f"leaderboard.csv: {model}"
            values = [v for v in scored.subjects.values() if not math.isnan(v)]
            mean = float(np.mean(values)) if values else math.nan
            if f"mean_{metric}" in row:
                yield _told(where, f"mean_{metric}", row[f"mean_{metric}"], mean)
            if metric != report.metric:
                continue
            low, high = bootstrap_interval(values)
            sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
            told = {"mean": mean, "sd": sd, "ci_low": low, "ci_high": high}
            for name, value in told.items():
                yield _told(where, name, row[name], value)


def _pairs(report: Written) -> Iterator[str]:
    if not (report.folder / "pairs.csv").exists():
        return
    scored = {plain(model): one for model, one in report.scored().items()}
    families: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for row in _lines(report, "pairs.csv"):
        where = f"pairs.csv: {row['first']} and {row['other']}"
        if row["first"] not in scored or row["other"] not in scored:
            yield f"{where}: there are no predictions of both"
            continue
        made = pair(scored[row["first"]], scored[row["other"]], report.metric)
        for name in PAIRED:
            yield _told(where, name, row[name], getattr(made, name))
        for name in ("n_subjects", "wins", "ties", "losses"):
            yield _told(where, name, row[name], getattr(made, name))
        families.setdefault(row["family"], []).append((row, made.p))
    for told in families.values():
        for (row, _), p in zip(told, holm([p for _, p in told]), strict=True):
            yield _told(f"pairs.csv: {row['first']} and {row['other']}", "p_holm", row["p_holm"], p)


def _told(where: str, name: str, written: str, made: float) -> str:
    """Return that a number is another, or nothing."""
    known = float(written) if written else math.nan
    same = math.isnan(known) and math.isnan(made) or abs(known - made) <= ROUNDING
    shown = "nothing" if math.isnan(made) else f"{made:.6f}"
    return "" if same else f"{where}: {name} is {written or 'empty'}, the predictions give {shown}"


def _lines(report: Written, name: str) -> Sequence[Mapping[str, str]]:
    file = report.folder / name
    return read_csv(file) if file.exists() else []
