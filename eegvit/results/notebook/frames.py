"""Results as pandas frames, and as a table for notebooks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from eegvit.results.metrics import METRICS
from eegvit.results.results import Results


def leaderboard(results: Results) -> pd.DataFrame:
    """Return the leaderboard, a row a model or ensemble, by target use and rank."""
    metric = results.study.evaluate.metric
    tested = {row.model: results.tested(row) for row in results.board}
    p_holm = {model: pair.p_holm for model, pair in tested.items() if pair}
    rows = [
        {
            "rank": row.rank,
            "model": row.model,
            "target": row.target,
            metric: row.mean,
            "sd": row.sd,
            "ci_low": row.ci_low,
            "ci_high": row.ci_high,
            "seed_sd": row.seed_sd,
            "chance": row.chance,
            "p_holm": p_holm.get(row.model, float("nan")),
            **{name: row.others[name] for name in METRICS if name != metric},
            "status": row.status,
            "control": row.control,
            "n_parameters": row.n_parameters,
            "seconds_fit": row.seconds_fit,
            "seconds_1": row.seconds_1,
        }
        for row in results.board
    ]
    counts = {"rank": "Int64", "n_parameters": "Int64"}
    return pd.DataFrame(rows).astype(counts)


def scores(results: Results) -> pd.DataFrame:
    """Return every metric, a row for each model, data set, person, session and seed."""
    return pd.DataFrame(results.rows)


def predictions(results: Results) -> pd.DataFrame:
    """Return every prediction, a row for each model, seed and test trial.

    Columns are the trial's identity, its class, the predicted class, and one probability a
    class; what was not predicted is left out.
    """
    parts = []
    for (model, seed), told in results.predictions.items():
        done = told.done
        place = {name: getattr(told, name)[done] for name in ("data", "subject", "session")}
        part = pd.DataFrame({"model": model, "seed": seed, "trial": told.ids[done], **place})
        best = told.probabilities[done].argmax(axis=1)
        for name, codes in (("y", told.y[done]), ("predicted", best)):
            part[name] = np.asarray(results.classes)[codes]
        for code, name in enumerate(results.classes):
            part[f"p_{name}"] = told.probabilities[done, code]
        parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def html(results: Results) -> str:
    """Return the leaderboard as a table for a notebook."""
    metric = results.study.evaluate.metric
    shown = leaderboard(results)[["rank", "model", "target", metric, "sd", "ci_low", "ci_high"]]
    said = f"{results.study.name}: {results.n_subjects} people, {results.n_trials} test trials"
    if results.simulated:
        said += ", SIMULATED"
    table = shown.to_html(index=False, float_format="{:.3f}".format, na_rep="", border=0)
    return f"<p>{said}</p>{table}"
