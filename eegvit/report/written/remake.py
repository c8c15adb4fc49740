"""A report made again from its folder alone: the scores of then, the statistics of today."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import eegvit
from eegvit.config import Study
from eegvit.report.manifest import commit, digest_of_scores
from eegvit.report.tables.costs import TOGETHER
from eegvit.report.text.csv_files import FORMULA, plain
from eegvit.report.words import number_of
from eegvit.report.writing import write_files
from eegvit.report.written.folder import Written, read, read_csv
from eegvit.report.written.study_then import study_then, trials_then
from eegvit.report.written.verify import refuse_changed
from eegvit.results.families import against, families
from eegvit.results.few_labels import Efficiency, efficiency_of
from eegvit.results.leaderboard import board_of, class_counts, subject_chance
from eegvit.results.members import describe_ensembles
from eegvit.results.outcomes import rows_of
from eegvit.results.responses.signals import paradigm_of
from eegvit.results.results import STAGES, Results, score_rows
from eegvit.views.view import STAGES as VIEW_STAGES

WORDS = ("branch", "target", "align", "status", "reason")
COUNTS = ("n_fits", "n_failed", "n_missing", "n_seeds")
COSTS = ("macs", "seconds_1", "seconds_64", "seconds_fit")
ENOUGH = 2e-6  # of seconds, which are written with six decimals
Fits = Sequence[Mapping[str, Any]]


def remake(folder: str | Path) -> tuple[Results, Path]:
    """Write a report again from what lies in its folder; return what it says, and its page.

    Parameters
    ----------
    folder : str or Path
        With manifest.json, predictions.npz, leaderboard.csv and scores.csv. It is refused where
        scores do not agree with predictions, or files that are read are not those written.
    """
    report = read(folder)
    refuse_changed(report)
    results = results_of(report)
    told = {"on": _today(), "commit": commit(), "eegvit": eegvit.__version__}
    trials = trials_then(report)
    told |= {} if trials is None else {"trials": trials}
    about = dict(report.about) | {"scores_sha256": digest_of_scores(results), "remade": told}
    about.pop("files", None)
    return results, write_files(report.folder, results, about)


def results_of(report: Written) -> Results:
    """Return the results that a report is of, as far as its folder tells them.

    What follows from predictions is computed from them. What they do not tell, such as costs,
    failures and target use, is that of leaderboard.csv and of the manifest's fits.
    """
    study, gone = study_then(report)
    names = (*study.models, *study.ensembles)
    _refuse_other_rows(report, names)
    metric, tested = study.evaluate.metric, dict(report.predictions)
    fits: Fits = [{"shared_with": [], **fit} for fit in report.about["fits"]]
    board = board_of({name: _about(report, study, name, fits) for name in names}, tested, metric)
    spent = {
        stage: math.nan if seconds is None else seconds
        for stage, seconds in report.about["cpu_seconds_per_stage"].items()
    }
    results = Results(
        study=study,
        classes=report.classes,
        rows=score_rows(tested),
        fits=[dict(fit) for fit in fits],
        board=board,
        families=families(board, metric),
        against=against(board, study.reference, metric),
        subject_chance=subject_chance(tested, metric),
        class_counts=class_counts(tested, report.classes),
        stages={stage: spent.get(stage, math.nan) for stage in STAGES},
        view_stages={stage: spent.get(stage, math.nan) for stage in VIEW_STAGES},
        predictions=tested,
        ensembles=replace(describe_ensembles(study, (), tested, ()), count=None),
        efficiency=_efficiency(report, study),
    )
    return replace(results, again=_again(report, results, gone))


def _about(report: Written, study: Study, model: str, fits: Fits) -> dict[str, Any]:
    """Return what is known of a row beside its scores."""
    row = report.row(model)
    parameters = row["n_parameters"]
    return {
        **{name: _said(row[name]) for name in WORDS},
        **{name: int(row[name]) for name in COUNTS},
        "n_parameters": int(parameters) if parameters else None,
        **{name: _number(row.get(name)) for name in COSTS},
        "stages": _stages(row, _fits_of(study, model, fits), model in study.ensembles),
        "spiking": {},
        "units": [],
        "control": row.get("control", ""),
    }


def _stages(row: Mapping[str, str], fits: Fits, combined: bool) -> dict[str, float]:
    """Return the CPU seconds of a row by stage, or together where its fits are not sure."""
    total, mean = _number(row["seconds_total"]), _number(row["seconds_fit"])
    alone = [sum(fit[f"seconds_{stage}"] for stage in STAGES) for fit in fits]
    sure = len(fits) == int(row["n_fits"]) > 0 and all(fit["status"] == "ok" for fit in fits)
    if sure and not combined:
        sure = abs(sum(alone) / len(alone) - mean) <= ENOUGH
    trained, predicted = (sum(fit[f"seconds_{s}"] for fit in fits) for s in ("fit", "predict"))
    features = total - trained - predicted  # those that fits share counted once
    if not sure or features < -ENOUGH:
        return {TOGETHER: total}
    features = features if features > ENOUGH else 0.0
    return {"features": features, "fit": trained, "predict": predicted}


def _fits_of(study: Study, model: str, fits: Fits) -> Fits:
    """Return the fits of a row: of an ensemble its members', the inner ones too if it learns."""
    ensemble = study.ensembles.get(model)
    names = {model} if ensemble is None else set(ensemble.of)
    own = [fit for fit in fits if names & {fit["model"], *fit["shared_with"]}]
    if ensemble is not None and ensemble.learns:
        return own
    return [fit for fit in own if not fit["split"].endswith(" held out")]


def _efficiency(report: Written, study: Study) -> Efficiency | None:
    """Return scores by the number of labels, if the folder has them."""
    file = report.folder / "label_efficiency.csv"
    amounts = study.evaluate.amounts
    if amounts is None or not file.exists():
        return None
    names = {plain(name): name for name in study.models}
    tested = next(iter(report.predictions.values()))
    people = {plain(who): (who, len(own)) for who, own in rows_of(tested.subject).items()}
    rows: list[dict[str, Any]] = []
    places: dict[float, set[tuple[Any, ...]]] = {amount: set() for amount in amounts}
    known: dict[tuple[str, float], set[tuple[Any, ...]]] = {}
    for row in read_csv(file):
        amount = min(amounts, key=lambda each: abs(each - float(row["labels"])))
        who, n_trials = people[row["subject"]]
        score = _number(row["score"])
        if row["metric"] == "accuracy" and not math.isnan(score):  # equal ones are equal again
            score = round(score * n_trials) / n_trials
        own = {"model": names[row["model"]], "labels": amount, "subject": who, "score": score}
        place = int(row["draw"]), int(row["seed"]), who
        rows.append({**row, **own, "draw": place[0], "seed": place[1]})
        places[amount].add(place)
        known.setdefault((own["model"], amount), set()).add(place)
    said = "scores are missing in label_efficiency.csv"
    wanted = [(name, amount) for name in study.models for amount in amounts]
    lacking = [one for one in wanted if not known.get(one) or known[one] != places[one[1]]]
    return efficiency_of(study, rows, {}, dict.fromkeys(lacking, said))


def _again(report: Written, results: Results, gone: Sequence[str]) -> str:
    """Return that the page was made again, and what it lacks, in a sentence each."""
    now = commit()
    code = f", commit {now[:8]}{'+' if now.endswith('+') else ''}" if now else ""
    said = (
        f"Made again on {_today()[:10]} by eegvit {eegvit.__version__}{code}, from the folder of"
        f" the report of {report.about['written'][:10]} alone: predictions, scores and costs are"
        " those of then, statistics and figures those of today."
    )
    said += f" Left out, since the folder does not hold it: {', '.join(_lacking(report, results))}."
    if gone:
        said += f" Keys of the study that mean nothing today: {', '.join(gone)}."
    return said


def _lacking(report: Written, results: Results) -> list[str]:
    study, board = results.study, results.board
    together = sum(TOGETHER in row.stages for row in board)
    ways = {
        "the audit of the plan": True,
        "trials left out, and warnings": True,
        "how trials were cut": trials_then(report) == "",
        "mean signals": paradigm_of(study) in ("p300", "ssvep"),
        "learning curves": any(row.n_parameters is not None for row in board),
        "what networks hold before they see labels": any(m.pretrain for m in study.models.values()),
        "what ensembles learned": any(one.learns for one in study.ensembles.values()),
        "which branches are trained otherwise than those fused": "fusion"
        in {model.branch for model in study.models.values()},
        "what spiking layers do": any("snn" in row.branch for row in board),
        "pruned units": any(model.prune for model in study.models.values()),
        "how many labels an amount is": results.efficiency is not None,
        "scores by the number of labels": bool(study.evaluate.amounts)
        and results.efficiency is None,
        f"the stages of the time of {number_of(together, 'row')}": together > 0,
    }
    return [what for what, lacks in ways.items() if lacks]


def _refuse_other_rows(report: Written, names: Sequence[str]) -> None:
    """Raise an error unless the leaderboard and the predictions are of the study's rows."""
    rows = {row["model"] for row in report.board}
    wanted = {plain(name) for name in names}
    told = {plain(model) for model, _ in report.predictions}
    if more := sorted((rows ^ wanted) | (told - wanted)):
        raise ValueError(
            f"{report.folder}: {', '.join(more[:4])}: not in all of the manifest's study,"
            " leaderboard.csv and predictions.npz; these files are of different reports"
        )


def _today() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _number(text: str | None) -> float:
    return float(text) if text else math.nan


def _said(text: str) -> str:
    """Return a text of a CSV file as it was before it was kept from being a formula."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text
