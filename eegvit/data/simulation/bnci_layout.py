"""Simulated recordings on disk, laid out as BNCI Horizon 2020 has the BCI Competition IV.

MOABB reads them as BNCI2014_001 (2a) or BNCI2014_004 (2b), where `MNE_DATA` names the folder:

    python -m eegvit.data.simulation.bnci_layout ROOT --subjects 9
    python -m eegvit.data.simulation.bnci_layout ROOT --layout 2b
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from eegvit.data.moabb import SIMULATED
from eegvit.data.simulation.headmodel import EOG
from eegvit.data.simulation.people import CLASSES, stream
from eegvit.data.simulation.recordings import CHANNELS, Design, Run, simulate

MOST_SUBJECTS = 9


@dataclass(frozen=True)
class Layout:
    """How one data set lies on disk.

    Parameters
    ----------
    number : str
        Its number at BNCI Horizon 2020: that of its folder.
    dataset : str
        The class of MOABB that reads it.
    letter : str
        What the names of its files begin with.
    channels : tuple of str
        Electrodes; three of the eyes follow.
    classes : tuple of str
        In the order of their codes, from 1.
    cue : float
        Seconds from the start of a trial to its cue.
    files : mapping of str to tuple of (trials, runs)
        The letter that ends a file's name, and the sessions in it.
    joined : bool
        Whether the runs of a session are one stretch; else each is for itself, after a rest.
    """

    number: str
    dataset: str
    letter: str
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    cue: float
    files: dict[str, tuple[tuple[int, int], ...]]
    joined: bool

    @property
    def folder(self) -> Path:
        """Where MOABB looks, below `MNE_DATA`."""
        return Path("MNE-bnci-data", "~bci", "database", self.number)


LAYOUTS = {
    "2a": Layout(
        number="001-2014",
        dataset="BNCI2014_001",
        letter="A",
        channels=CHANNELS,
        classes=CLASSES,
        cue=2.0,
        files={"T": ((288, 6),), "E": ((288, 6),)},
        joined=False,
    ),
    "2b": Layout(
        number="004-2014",
        dataset="BNCI2014_004",
        letter="B",
        channels=("C3", "Cz", "C4"),
        classes=CLASSES[:2],
        cue=3.0,
        files={"T": ((120, 6), (120, 6), (160, 4)), "E": ((160, 4), (160, 4))},
        joined=True,
    ),
}


def write(
    root: Path | str,
    *,
    subjects: Sequence[int],
    layout: str = "2a",
    n_trials: int | None = None,
    n_runs: int | None = None,
    seed: int = Design.seed,
    difficulty: float = Design.difficulty,
) -> list[Path]:
    """Write all sessions of each subject below a folder; return the files.

    Parameters
    ----------
    root : path
        What `MNE_DATA` will name.
    subjects : sequence of int
        Of 1 to 9, as in the data sets.
    layout : {"2a", "2b"}
        Which data set's.
    n_trials, n_runs : int or None
        Of each session; None is what the data set's own has.
    seed, difficulty
        As of the source `simulated`.
    """
    chosen = LAYOUTS[layout]
    beyond = [number for number in subjects if not 1 <= number <= MOST_SUBJECTS]
    if beyond:
        raise ValueError(f"subject {beyond[0]}: the data set has subjects 1 to {MOST_SUBJECTS}")
    designs = {
        ending: [
            Design(
                seed=seed,
                n_trials=n_trials or own_trials,
                n_runs=n_runs or own_runs,
                difficulty=difficulty,
                classes=chosen.classes,
            )
            for own_trials, own_runs in sizes
        ]
        for ending, sizes in chosen.files.items()
    }
    folder = Path(root) / chosen.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SIMULATED).write_text("Simulated by eegvit: nobody was recorded.\n", encoding="utf-8")
    return [path for number in subjects for path in _write_person(folder, chosen, number, designs)]


def _write_person(
    folder: Path, layout: Layout, subject: int, designs: Mapping[str, Sequence[Design]]
) -> Iterator[Path]:
    sessions = count()
    for ending, of_file in designs.items():
        stretches = [
            stretch
            for design in of_file
            for stretch in _session(layout, design, subject, next(sessions))
        ]
        cells = np.empty((1, len(stretches)), dtype=object)
        cells[0, :] = stretches
        path = folder / f"{layout.letter}{subject:02d}{ending}.mat"
        unfinished = path.with_name(f".{path.name}.{os.getpid()}.mat")
        savemat(unfinished, {"data": cells}, do_compression=False)
        unfinished.replace(path)
        yield path


def _session(layout: Layout, design: Design, subject: int, session: int) -> list[dict[str, Any]]:
    """The stretches of a session as the data set describes them."""
    person = stream(design.seed, subject, 0, 2)
    about = {
        "gender": "female" if person.uniform() < 0.5 else "male",
        "age": int(person.integers(20, 31)),
    }
    runs = simulate(design, subject, session, (*layout.channels, *EOG))
    if layout.joined:
        return [_structure(_join(runs), layout, design, about)]
    stretches = [_structure(run, layout, design, about) for run in runs]
    return [_without_trials(stretches[0]), *stretches]


def _join(runs: Sequence[Run]) -> Run:
    """Runs one after the other, as one."""
    starts = np.cumsum([0, *(run.signals.shape[1] for run in runs)])
    return Run(
        signals=np.concatenate([run.signals for run in runs], axis=1),
        cues=np.concatenate([run.cues + start for run, start in zip(runs, starts, strict=False)]),
        labels=np.concatenate([run.labels for run in runs]),
        artifacts=np.concatenate([run.artifacts for run in runs]),
    )


def _structure(run: Run, layout: Layout, design: Design, about: dict[str, Any]) -> dict[str, Any]:
    """One stretch: trials begin with the fixation cross, counted from 1."""
    begin = run.cues - round(layout.cue * design.sampling_rate) + 1
    codes = [layout.classes.index(label) + 1 for label in run.labels]
    names = [name.replace("_", " ") for name in layout.classes]
    return {
        "X": np.ascontiguousarray(run.signals.T),  # (times, channels) microvolts
        "trial": begin.astype(np.int32)[:, np.newaxis],
        "y": np.array(codes, np.uint8)[:, np.newaxis],
        "fs": float(design.sampling_rate),
        "classes": np.array([names], dtype=object),
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
        description="Write simulated recordings that MOABB reads as BNCI2014_001 or _004.",
    )
    parser.add_argument("root", type=Path, help="folder that MNE_DATA will name")
    parser.add_argument("--layout", choices=LAYOUTS, default="2a", help="which data set's")
    parser.add_argument("--subjects", type=int, default=MOST_SUBJECTS, help="how many, up to 9")
    parser.add_argument("--trials", type=int, help="trials a session, if not the data set's")
    parser.add_argument("--runs", type=int, help="runs a session, if not the data set's")
    parser.add_argument("--seed", type=int, default=Design.seed)
    parser.add_argument("--difficulty", type=float, default=Design.difficulty)
    given = parser.parse_args(arguments)
    try:
        files = write(
            given.root,
            subjects=range(1, given.subjects + 1),
            layout=given.layout,
            n_trials=given.trials,
            n_runs=given.runs,
            seed=given.seed,
            difficulty=given.difficulty,
        )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    for file in files:
        print(f"{file}  {file.stat().st_size / 1e6:.0f} MB")
    print(f"{len(files)} files of simulated sessions. To read them with MOABB, set")
    print(f"  MNE_DATA={given.root.resolve()} MOABB_DOWNLOAD_PROVIDER=upstream")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
