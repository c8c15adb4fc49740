"""Writing a report: every file whole or not at all, the page last."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import numpy as np

from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.text.csv_files import board_csv, labels_csv, scores_csv
from eegvit.report.text.markdown import markdown
from eegvit.results.results import Results
from eegvit.sealed import clear_half_made, replacing


def write(results: Results, out_dir: str | Path, *, command: str = "") -> Path:
    """Write the report of a study into a folder and return the path of its page.

    Parameters
    ----------
    results : Results
        What to report.
    out_dir : str or Path
        The folder; it is made if it does not exist, files of the same names are replaced.
    command : str
        What the user typed, to be shown on the page.
    """
    began = time.process_time()
    folder = Path(out_dir)
    folder.mkdir(parents=True, exist_ok=True)
    about = manifest(results, command)
    files = {
        "scores.csv": scores_csv(results).encode(),
        "predictions.npz": predictions_npz(results),
        "leaderboard.csv": board_csv(results).encode(),
        "leaderboard.md": markdown(results, command).encode(),
    }
    if results.efficiency is not None:
        files["label_efficiency.csv"] = labels_csv(results.efficiency).encode()
    text = page(results, about, began=began)
    about["cpu_seconds_per_stage"]["report"] = round(time.process_time() - began, 3)
    files["manifest.json"] = (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()
    files["leaderboard.html"] = text.encode()
    clear_half_made(folder)
    for name, content in files.items():
        with replacing(folder / name) as file:
            file.write(content)
    return folder / "leaderboard.html"


def predictions_npz(results: Results) -> bytes:
    """Return every prediction as an npz file without pickle.

    It holds `ids`, `y` and `classes` of all test trials in the order of their ids, and for
    every model and seed an array `probabilities/<model>/<seed>` of shape (trials, classes),
    nan where a fit is missing.
    """
    everyone = list(results.predictions.values())
    ids = np.concatenate([t.ids for t in everyone]) if everyone else np.empty(0, np.str_)
    labels = np.concatenate([t.y for t in everyone]) if everyone else np.empty(0, np.int64)
    ids, first = np.unique(ids, return_index=True)
    arrays = {"ids": ids, "y": labels[first], "classes": np.array(results.classes)}
    for (model, seed), tested in results.predictions.items():
        table = np.full((len(ids), len(results.classes)), np.nan)
        table[np.searchsorted(ids, tested.ids)] = tested.probabilities
        arrays[f"probabilities/{model}/{seed}"] = table
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()
