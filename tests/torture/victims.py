"""A study by the command line, in a process that may be killed or starved at any moment.

Processes are forked from one that has imported everything, so that hundreds can be started. They
lead a group of their own, have a home and a folder for temporary files of their own, and tell over
a pipe which stage they are in and which files they are about to change.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import itertools
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from recorded import make_raw, write

STUDY = """\
name: tortured
data:
  name: few
  source: files
  options: {root: recordings, pattern: "s{subject}_raw.fif", events: {"769": left, "770": right}}
  classes: [left, right]
  channels: [C3, Cz, C4]
  band: [4, 40]
  window: [0, 1]
align: {method: euclidean, domain: session}
view: {resample: 64}
evaluate: {protocol: cross_subject, seeds: [0]}
models:
  csp: {branch: csp_lda}
  riemann: {branch: fb_tangent_space, mean_of: session}
  net: &net {branch: eegnet, n_filters: 2, epochs: 4, batch_size: 16, device: cpu}
  pretrained: {<<: *net, pretrain: {objective: contrastive, epochs: 3, steps: 6, batch_size: 16}}
  pruned: {<<: *net, prune: {to: 0.7, of: parameters, rounds: 2}}
  taught: {<<: *net, distill: {from: average}}
ensembles:
  average: {of: [csp, net]}
"""
NETS = ("net", "pretrained", "pruned", "taught")
CLASSICAL, NETWORKS, SAVING = "classical fits", "fits of networks", "saving"
STAGES = {  # what each is, where it is called from
    "reading": "eegvit.data.recordings.files:FilesSource.read",
    "alignment": "eegvit.views.blocks:align_offline",
    "features": "eegvit.execute.fits:compute_features",
    "pretraining": "eegvit.execute.pretraining:pretrain_and_save",
    CLASSICAL: "eegvit.execute.fits:fit_and_save",
    "checkpoints": "eegvit.train.checkpoint:Checkpoint.save",
    "the page": "eegvit.report:write",
}
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
PRELOADED = [
    __name__, "eegvit.command.run", "eegvit.study.running", "eegvit.report.writing",
    "eegvit.branches.csp", "eegvit.branches.tangent", "eegvit.branches.eegnet",
    "eegvit.pretrain.model", "moabb",
    "eegvit.data.recordings.files", "eegvit.ensemble.rules", "torch", "matplotlib.figure",
    "eegvit.report.topography", "sklearn.pipeline", "scipy.stats", "eegvit.networks.macs",
    "mne.io", "mne.io.fiff", "torch._dynamo", "torch._inductor", "torch.onnx",
    "eegvit.pretrain.classifier", "eegvit.networks.eegnet", "eegvit.pretrain.probes",
    "eegvit.train.together", "eegvit.compress.rounds", "eegvit.compress.distilled",
]  # fmt: skip
LIMIT = 600.0  # seconds after which a run counts as hanging, on a busy machine too

Spoil = Callable[[], None]
_numbers = itertools.count()


@dataclass(frozen=True)
class Home:
    """Where a study is, with all that its processes may write."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        if not self.study.exists():
            self.study.write_text(STUDY, encoding="utf-8")
            for subject in (1, 2, 3):
                raw = make_raw(["769", "770"] * 8, subject)
                raw._data[0] *= np.repeat(np.tile([2, 1], 10), 150)[: raw.n_times]
                write(self.folder / "recordings" / f"s{subject}_raw.fif", raw)

    @property
    def study(self) -> Path:
        """The study file."""
        return self.folder / "study.yaml"

    @property
    def out(self) -> Path:
        """The folder of reports."""
        return self.folder / "out"

    @property
    def cache(self) -> Path:
        """The cache and store."""
        return self.folder / "cache"

    def scores(self) -> dict[str, Any]:
        """Return what the last report says: every score and every probability."""
        found: dict[str, Any] = {"scores": (self.out / "tortured" / "scores.csv").read_bytes()}
        with np.load(self.out / "tortured" / "predictions.npz") as saved:
            return found | {name: saved[name].tolist() for name in saved}

    def fits(self) -> dict[Path, int]:
        """Return the fits and pretrainings that are stored, with when that was."""
        kept = [p for end in ("npz", "safetensors") for p in self.cache.glob(f"fits/*/*.{end}")]
        return {path: path.stat().st_mtime_ns for path in kept}

    def strays(self) -> set[str]:
        """Return the files that are outside the output and the cache."""
        inside = (self.out, self.cache, self.folder / "recordings")
        files = (p for p in self.folder.rglob("*") if p.is_file() and p.suffix != ".said")
        return {
            str(path.relative_to(self.folder))
            for path in files
            if not any(path.is_relative_to(folder) for folder in inside)
        } - {"study.yaml"}

    def left_over(self) -> list[Path]:
        """Return what killed processes left in the output and the cache."""
        patterns = (
            "*.damaged",
            "*.failed.json",
            "*.checkpoint",
            ".*.tmp",
            "making/*",
            "*.running",
            "*.lock",
        )
        places = (self.out, self.cache)
        return sorted(path for place in places for end in patterns for path in place.rglob(end))


@dataclass
class Victim:
    """A run of the study in a process of its own."""

    terminal: Path
    process: BaseProcess
    told: Connection

    def wait(self, seconds: float = LIMIT) -> int | None:
        """Return the exit code of a run that nobody kills meanwhile; None if it does not end."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._next(left)
            if not self.process.is_alive():
                self.process.join()
                return self.process.exitcode
        return None

    def reach(self, stage: str, nth: int) -> bool:
        """Wait until a stage is told of for the nth time; False if the run ends before."""
        end = time.monotonic() + LIMIT
        while (left := end - time.monotonic()) > 0:
            told = self._next(left)
            nth -= told == stage
            if nth <= 0:
                return True
            if told is None and not self.process.is_alive():
                return False
        return False

    def kill(self) -> int | None:
        """Kill the run and its workers; return its exit code, which is another if it had ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join()
        return self.process.exitcode

    def _next(self, seconds: float) -> str | None:
        """Return what the run tells next; None if there is nothing for a while."""
        try:
            if self.told.poll(min(seconds, 0.2)):
                return str(self.told.recv())
        except (EOFError, OSError):  # it has ended
            self.process.join(min(seconds, 0.2))
        return None

    def said(self) -> str:
        """Return what the run wrote on the terminal."""
        return self.terminal.read_text("utf-8", "replace")


@functools.cache
def nursery() -> ForkServerContext:
    """Return where processes come from."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def start(home: Home, *, jobs: int = 0, die_at: int = 0, spoil: Spoil | None = None) -> Victim:
    """Start the study by the command line.

    Parameters
    ----------
    home : Home
    jobs : int
        Worker processes. Without, all is done in one process, which tells its stages.
    die_at : int
        Which of the changes of files is the moment of death; it is not made any more.
    spoil : callable or None
        Called in the process before the study begins.
    """
    here, there = nursery().Pipe(duplex=False)
    terminal = home.folder / f"{next(_numbers)}.said"
    process = nursery().Process(target=_live, args=(home, terminal, there, jobs, die_at, spoil))
    process.start()
    there.close()
    victim = Victim(terminal, process, here)
    if not victim.reach("born", 1):
        raise RuntimeError(f"the process did not start: {process.exitcode}")
    return victim


def run_study(home: Home, **more: Any) -> tuple[int | None, str]:
    """Carry the study out; return its exit code, None if it hangs, and what it said."""
    victim = start(home, **more)
    code = victim.wait()
    return code, victim.said()


def _live(
    home: Home, terminal: Path, told: Connection, jobs: int, die_at: int, spoil: Spoil | None
) -> None:
    """Be a process: carry out the command, and end as a program does."""
    os.setsid()
    os.chdir(home.folder)
    os.dup2(os.open(terminal, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(n, "w"), "utf-8") for n in (1, 2))
    os.environ |= {"HOME": str(home.folder / "home"), "TMPDIR": str(home.folder / "tmp")}
    os.environ |= {"EEGVIT_CACHE": str(home.cache), "COLUMNS": "100"}
    from eegvit.command import main

    told.send("born")
    if not jobs:
        _in_one_process(told.send, die_at)
    if spoil is not None:
        spoil()
    where = ["--out", str(home.out), "--cache", str(home.cache), "--jobs", str(jobs or 1)]
    try:
        code = main([str(home.study), *where])
    except BaseException:
        traceback.print_exc()
        code = 99
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _in_one_process(tell: Callable[[str], None], die_at: int) -> None:
    """Let tasks be carried out here, checkpoints be written at each epoch, and stages be told."""
    from eegvit.execute import local
    from eegvit.tasks import InProcess
    from eegvit.train import loop

    local.local = lambda _: contextlib.nullcontext(InProcess())
    loop.time = SimpleNamespace(monotonic=itertools.count(step=1000).__next__)  # type: ignore
    for stage, place in STAGES.items():
        module, _, path = place.partition(":")
        *owners, name = path.split(".")
        owner: Any = functools.reduce(getattr, owners, importlib.import_module(module))
        setattr(owner, name, _telling(tell, stage, getattr(owner, name)))
    changes = itertools.count(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        wrote = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if wrote or event in CHANGES:
            if next(changes) == die_at:
                os.killpg(0, signal.SIGKILL)
            tell(SAVING)

    sys.addaudithook(hook)


def _telling(tell: Callable[[str], None], stage: str, function: Callable[..., Any]) -> Any:
    @functools.wraps(function)
    def call(*arguments: Any, **more: Any) -> Any:
        network = stage == CLASSICAL and arguments[0].name.startswith(NETS)
        tell(NETWORKS if network else stage)
        return function(*arguments, **more)

    return call


def wrong_words(said: str) -> Iterator[str]:
    """Yield what a user should never read."""
    if "Traceback (most recent call last)" in said:
        yield f"a traceback: {said.strip().splitlines()[-1][:300]}"
