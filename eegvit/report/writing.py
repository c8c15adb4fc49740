"""Writing a report: every file whole or not at all, the page last."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from eegvit.report.manifest import manifest
from eegvit.report.page import page
from eegvit.report.same_study import refuse_another
from eegvit.report.text.csv_files import board_csv, labels_csv, pairs_csv, scores_csv
from eegvit.report.text.markdown import markdown
from eegvit.results.results import Results
from eegvit.sealed import clear_half_made, replacing


def write(
    results: Results, out_dir: str | Path, *, command: str = "", overwrite: bool = False
) -> Path:
    """Write the report of a study into a folder and return the path of its page.

    Parameters
    ----------
    results : Results
        What to report.
    out_dir : str or Path
        The folder; it is made if it does not exist, an earlier report of the study is replaced.
    command : str
        What the user typed, to be shown on the page.
    overwrite : bool
        Replace the report of another study as well, which is refused otherwise.
    """
    began = time.process_time()
    folder = Path(out_dir)
    if not overwrite:
        refuse_another(folder, results.study)
    return write_files(folder, results, manifest(results, command), began=began)


def write_files(
    folder: Path, results: Results, about: Mapping[str, Any], *, began: float = math.nan
) -> Path:
    """Write all files of a report and return the path of its page.

    Parameters
    ----------
    folder : Path
        It is made if it does not exist.
    results : Results
        What to report.
    about : mapping
        The manifest, but for the hashes of the files.
    began : float
        CPU time of this process when it began; not asked for where the manifest has a report's.
    """
    about = {**about, "cpu_seconds_per_stage": dict(about["cpu_seconds_per_stage"])}
    command = about["command"]
    files = {
        "scores.csv": scores_csv(results).encode(),
        "predictions.npz": predictions_npz(results),
        "leaderboard.csv": board_csv(results).encode(),
        "pairs.csv": pairs_csv(results).encode(),
        "leaderboard.md": markdown(results, command).encode(),
    }
    if results.efficiency is not None:
        files["label_efficiency.csv"] = labels_csv(results.efficiency).encode()
    text = page(results, about, began=began)
    spent = round(time.process_time() - began, 3)
    about["cpu_seconds_per_stage"].setdefault("report", spent)
    files["leaderboard.html"] = text.encode()
    about["files"] = {name: sha256(content).hexdigest() for name, content in files.items()}
    page_last = files.pop("leaderboard.html")
    files["manifest.json"] = (json.dumps(about, indent=1, ensure_ascii=False) + "\n").encode()
    files["leaderboard.html"] = page_last
    folder.mkdir(parents=True, exist_ok=True)
    clear_half_made(folder)
    with ExitStack() as whole:  # they take their places one right after the other, the page last
        for name, content in reversed(files.items()):
            whole.enter_context(replacing(folder / name)).write(content)
    return folder / "leaderboard.html"


def predictions_npz(results: Results) -> bytes:
    """Return every prediction as an npz file without pickle.

    It holds `ids`, `data`, `subject`, `session` and `y` of all test trials in the order of their
    ids, the names of the `classes`, and for every model and seed an array
    `probabilities/<model>/<seed>` of shape (trials, classes), nan where a fit is missing.
    """
    everyone = list(results.predictions.values())
    ids = np.concatenate([t.ids for t in everyone]) if everyone else np.empty(0, np.str_)
    ids, first = np.unique(ids, return_index=True)
    arrays = {"ids": ids, "classes": np.array(results.classes)}
    for name in ("data", "subject", "session", "y"):
        columns = [getattr(t, name) for t in everyone]
        arrays[name] = np.concatenate(columns)[first] if columns else np.empty(0, np.int64)
    for (model, seed), tested in results.predictions.items():
        table = np.full((len(ids), len(results.classes)), np.nan)
        table[np.searchsorted(ids, tested.ids)] = tested.probabilities
        arrays[f"probabilities/{model}/{seed}"] = table
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()
