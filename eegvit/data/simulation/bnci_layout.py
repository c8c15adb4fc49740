"""Simulated recordings on disk, laid out as BCI Competition IV 2a is by BNCI Horizon 2020.

MOABB reads them as BNCI2014_001, where `MNE_DATA` names the folder:

    python -m eegvit.data.simulation.bnci_layout ROOT --subjects 9
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from eegvit.data.moabb import SIMULATED
from eegvit.data.simulation.headmodel import EOG
from eegvit.data.simulation.people import CLASSES, stream
from eegvit.data.simulation.recordings import CHANNELS, FIXATION, Design, Run, simulate

FOLDER = Path("MNE-bnci-data", "~bci", "database", "001-2014")
SESSIONS = ("T", "E")
MOST_SUBJECTS = 9


def write(root: Path | str, *, subjects: Sequence[int], design: Design | None = None) -> list[Path]:
    """Write two sessions of each subject below a folder; return the files.

    Parameters
    ----------
    root : path
        What `MNE_DATA` will name.
    subjects : sequence of int
        Of 1 to 9, as in the data set.
    design : Design, optional
        By default six runs of 48 trials, of all four classes, at 250 Hz.
    """
    design = design or Design()
    if design.classes != CLASSES:
        raise ValueError(f"the layout holds the classes {', '.join(CLASSES)}, in that order")
    if design.n_trials // design.n_runs < 2:
        raise ValueError("the layout needs at least two trials a run")
    beyond = [number for number in subjects if not 1 <= number <= MOST_SUBJECTS]
    if beyond:
        raise ValueError(f"subject {beyond[0]}: the data set has subjects 1 to {MOST_SUBJECTS}")
    folder = Path(root) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SIMULATED).write_text("Simulated by eegvit: nobody was recorded.\n", encoding="utf-8")
    return [
        _write_session(folder / f"A{subject:02d}{letter}.mat", design, subject, session)
        for subject in subjects
        for session, letter in enumerate(SESSIONS)
    ]


def _write_session(path: Path, design: Design, subject: int, session: int) -> Path:
    channels = (*CHANNELS, *EOG)
    person = stream(design.seed, subject, 0, 2)
    about = {
        "gender": "female" if person.uniform() < 0.5 else "male",
        "age": int(person.integers(20, 31)),
    }
    runs = [_structure(run, design, about) for run in simulate(design, subject, session, channels)]
    cells = np.empty((1, len(runs) + 1), dtype=object)
    cells[0, 0] = _without_trials(runs[0])
    cells[0, 1:] = runs
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.mat")
    savemat(unfinished, {"data": cells}, do_compression=False)
    unfinished.replace(path)
    return path


def _structure(run: Run, design: Design, about: dict[str, Any]) -> dict[str, Any]:
    """One run as the data set describes it: trials begin with the fixation cross, from 1."""
    begin = run.cues - round(FIXATION * design.sampling_rate) + 1
    return {
        "X": np.ascontiguousarray(run.signals.T),  # (times, channels) microvolts
        "trial": begin.astype(np.int32)[:, np.newaxis],
        "y": np.array([CLASSES.index(label) + 1 for label in run.labels], np.uint8)[:, np.newaxis],
        "fs": float(design.sampling_rate),
        "classes": np.array([[name.replace("_", " ") for name in CLASSES]], dtype=object),
        "artifacts": run.artifacts.astype(np.uint8)[:, np.newaxis],
        **about,
    }


def _without_trials(run: dict[str, Any]) -> dict[str, Any]:
    """The rest with open eyes that the data set records before the first run."""
    rest = int(2 * run["fs"])
    nothing = np.zeros((0, 0), dtype=np.uint8)
    return {**run, "X": run["X"][:rest], "trial": nothing, "y": nothing, "artifacts": nothing}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the data set from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m eegvit.data.simulation.bnci_layout",
        description="Write simulated recordings that MOABB reads as BNCI2014_001.",
    )
    parser.add_argument("root", type=Path, help="folder that MNE_DATA will name")
    parser.add_argument("--subjects", type=int, default=MOST_SUBJECTS, help="how many, up to 9")
    parser.add_argument("--trials", type=int, default=Design.n_trials, help="trials a session")
    parser.add_argument("--runs", type=int, default=Design.n_runs, help="runs a session")
    parser.add_argument("--seed", type=int, default=Design.seed)
    parser.add_argument("--difficulty", type=float, default=Design.difficulty)
    given = parser.parse_args(arguments)
    try:
        design = Design(
            seed=given.seed,
            n_trials=given.trials,
            n_runs=given.runs,
            difficulty=given.difficulty,
        )
        files = write(given.root, subjects=range(1, given.subjects + 1), design=design)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    for file in files:
        print(f"{file}  {file.stat().st_size / 1e6:.0f} MB")
    print(f"{len(files)} simulated sessions. To read them with MOABB, set")
    print(f"  MNE_DATA={given.root.resolve()} MOABB_DOWNLOAD_PROVIDER=upstream")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
