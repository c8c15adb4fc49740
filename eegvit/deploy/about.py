"""What a decoder says of itself: the study, the scores that vouch for it, versions."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from eegvit import __version__
from eegvit.branches.base import about
from eegvit.config import Study, sha256
from eegvit.deploy.alignment import Alignment
from eegvit.deploy.calibration import Calibration
from eegvit.plan.versions import version
from eegvit.results.leaderboard import BoardRow
from eegvit.views.view import DataView

if TYPE_CHECKING:
    from eegvit.deploy.reading import Reading
    from eegvit.study import StudyResults

_SCORES = (
    "target", "align", "status", "n_subjects", "n_seeds", "rank", "mean", "sd", "ci_low",
    "ci_high", "chance", "chance_bound",
)  # fmt: skip


def about_study(results: StudyResults, model: str, view: DataView, fitted: Any) -> dict[str, Any]:
    """Return what vouches for a model of a study, as plain values."""
    study = results.plan.study
    plain = study.model_dump(mode="json", exclude={"path", "source_text"})
    (row,) = [row for row in results.details.board if row.model == model]
    packages = sorted(about(fitted).packages())
    return {
        "model": model,
        "branch": row.branch,
        "study": study.name,
        "study_sha256": sha256(plain),
        "data": sorted({block.data for block in view.blocks}),
        "simulated": results.details.simulated,
        "n_people": len(np.unique(view.people)),
        "n_trials": len(view),
        "protocol": study.evaluate.protocol,
        "metric": study.evaluate.metric,
        "scores": _scores(row),
        "versions": {"eegvit": __version__} | {name: version(name) for name in packages},
        "fitted": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def differing(about: dict[str, Any]) -> str:
    """Return a sentence on packages of other versions than those that a decoder is of.

    Examples
    --------
    >>> differing({"versions": {"eegvit": "0.0.1"}})[:41]
    'It was written with eegvit 0.0.1 (here 0.'
    """
    here = {name: version(name) for name in about["versions"]} | {"eegvit": __version__}
    other = [
        f"{name} {then} (here {here[name]})"
        for name, then in about["versions"].items()
        if here[name] != then
    ]
    if not other:
        return "Versions are those that it was written with; fit it again"
    return f"It was written with {', '.join(other)}; install these, or fit it again"


def said(
    about: dict[str, Any], reading: Reading, align: Alignment, calibration: Calibration | None
) -> str:
    """Return the lines that describe a decoder."""
    card, scores = reading.card, about["scores"]
    data = ", ".join(about["data"]) + (" [SIMULATED]" if about["simulated"] else "")
    band = "from memory" if reading.from_memory else _band(card.band)
    aligned = align.method if align.method == "none" else f"{align.method}, {align.mode}"
    if align.since is not None:
        aligned += f", knowing {align.since.n} trials of the person"
    lines = [
        f"Decoder {about['model']} ({about['branch']}) of the study {about['study']}",
        f"  learned from  {about['n_trials']} trials of {about['n_people']} people: {data}",
        f"  classes       {', '.join(card.classes)}",
        f"  channels      {len(reading.ch_names)}: {', '.join(reading.ch_names)}",
        f"  window        {card.window[0]:g} to {card.window[1]:g} s at {reading.sfreq:g} Hz,"
        f" band {band}",
        f"  alignment     {aligned}",
        f"  vouched for   {_vouched(about, scores)}",
    ]
    if calibration is not None:
        lines.append(f"  calibrated    by {calibration.n_trials} labelled trials")
    return "\n".join(lines)


def _vouched(about: dict[str, Any], scores: dict[str, Any]) -> str:
    """Return the score of the study, of whom it is, and what of them it used."""
    if scores["status"] != "ok" or scores["mean"] is None:
        return f"nothing: its fits in the study are {scores['status']}"
    interval = ""
    if scores["ci_low"] is not None:
        interval = f" (95 % {scores['ci_low']:.3f} to {scores['ci_high']:.3f})"
    simulated = ", SIMULATED" if about["simulated"] else ""
    return (
        f"{about['metric']} {scores['mean']:.3f}{interval}, chance {scores['chance']:.3f},"
        f" {scores['n_subjects']} people, {about['protocol'].replace('_', '-')},"
        f" use of the target: {scores['target']}{simulated}; by fits without those tested"
    )


def _band(band: tuple[float | None, float | None] | None) -> str:
    low, high = band or (None, None)
    if low is None and high is None:
        return "as recorded"
    return f"{'0' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'} Hz"


def _scores(row: BoardRow) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in _SCORES} | {"others": dict(row.others)}
    return {name: _plain(value) for name, value in told.items()}


def _plain(value: Any) -> Any:
    """Return numbers as JSON can say them: None for nan."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def refuse(study: Study, model: str, recentre: str) -> None:
    """Refuse a row of a study that one fitted model does not make."""
    of = study.ensembles[model].of if model in study.ensembles else (model,)
    if recentre != "none" and model in study.ensembles:
        raise ValueError(
            f"the members of '{model}' are recentred one by one, which a decoder does not do:"
            " fit one of them alone, or leave `recentre` out"
        )
    if recentre == "causal":
        raise ValueError(
            f"'{model}' is recentred trial by trial (`recentre: causal`), which a decoder does not"
            " do: fit it without, or with `recentre: session`"
        )
    for name in of:
        if study.models[name].adapt is not None:
            raise ValueError(
                f"'{name}' is updated while it is tested (`adapt`), which a decoder does not do:"
                " fit the model without it"
            )
        if study.models[name].trained_on:
            raise ValueError(
                f"'{name}' is a bound (`trained_on: own_sessions`): each of its models is of one"
                " person. Fit the model without it"
            )
        if study.models[name].seeds == "mean":
            raise ValueError(
                f"'{name}' is the mean of networks over seeds (`seeds: mean`), and a decoder holds"
                " one network: fit the model without it"
            )
