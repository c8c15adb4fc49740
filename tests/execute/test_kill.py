"""Killed at any moment and started again: same predictions, nothing done twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups")

STUDY = """
import signal
import sys
from pathlib import Path
import numpy as np
from eegvit.config import Align, Card, Evaluate, Model, Study
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.local import local
from eegvit.plan.plan import make_plan
from eegvit.results.stored import outcomes
from eegvit.views.arrays import view_of
from eegvit.execute.store import Store
from eegvit.trials import Trials, concatenate

# a shell that starts tests in the background lets them ignore Ctrl-C
signal.signal(signal.SIGINT, signal.default_int_handler)
root, out = map(Path, sys.argv[1:3])
parts = []
for person in range(1, 5):
    rng = np.random.default_rng(person)
    X, y = rng.standard_normal((16, 3, 32)), np.tile(["a", "b"], 8)
    parts.append(Trials.from_arrays(X, y, sfreq=32.0, subject=str(person)))
cache, align = Cache(root), Align(method="euclidean")
view = view_of(concatenate(parts), cache, align)
step = {"from": "steps.Guess", "parameters": {"seconds": 0.25}}
models = {"guess": Model(branch="pipeline", parameters={"steps": [step]})}
card = Card(name="arrays", source="files", classes=("a", "b"), window=(0.0, 1.0))
protocol = Evaluate(protocol="within_session", n_folds=4)
study = Study(name="s", data=(card,), align=align, evaluate=protocol, models=models)
plan, store = make_plan(study, {"guess": view}), Store(cache.fits)
if __name__ == "__main__":
    print("planned", flush=True)
    with local(2) as workers:
        execute(plan, store, cache, workers)
    found = outcomes(plan, store)
    np.savez(out, *[o.probabilities for o in found], keys=[o.key for o in found])
"""
N_FITS = 16


class Runner:
    """Starts the study in a process group of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.script = folder / "study.py"
        self.script.write_text(STUDY, encoding="utf-8")
        self.root, self.log = folder / name, folder / f"{name}.log"
        self.out = folder / f"{name}.npz"
        self.log.touch()

    def start(self) -> subprocess.Popen[str]:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]),
            "FINISHED_FITS": str(self.log),
        }
        command = [sys.executable, self.script, self.root, self.out]
        process = subprocess.Popen(
            command,
            env=environment,
            start_new_session=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout.readline() == "planned\n", process.stderr.read()
        return process

    def finish(self) -> dict[str, np.ndarray]:
        _, said = self.start().communicate(timeout=600)
        with np.load(self.out) as saved:
            return dict(saved)

    def fitted(self) -> Counter[str]:
        """Return how often each fit came to its end, whoever did it."""
        return Counter(line.split()[1] for line in self.log.read_text("utf-8").splitlines())

    def stored(self) -> set[Path]:
        return set(self.root.glob("fits/*/*.npz"))


def _wait_until_gone(pids: set[int]) -> set[int]:
    end = time.monotonic() + 60
    while pids and time.monotonic() < end:
        pids = {pid for pid in pids if _alive(pid)}
        time.sleep(0.05)
    return pids


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _children(pid: int) -> set[int]:
    return {
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return what a run that nobody kills gives."""
    runner = Runner(tmp_path_factory.mktemp("undisturbed"), "cache")
    result = runner.finish()
    assert sum(runner.fitted().values()) == N_FITS
    return result


@pytest.mark.slow
def test_three_kills(tmp_path, undisturbed):
    runner, moments = Runner(tmp_path, "cache"), random.Random(3)
    redone = 0
    for kill in range(3):
        process, before = runner.start(), runner.stored()
        # half of the moments lie in the fits, whenever the workers are ready for them
        n_before = sum(runner.fitted().values())
        end = time.monotonic() + 300
        while kill % 2 and sum(runner.fitted().values()) == n_before and time.monotonic() < end:
            if process.poll() is not None:
                break
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.4))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert before <= runner.stored()
        redone = sum(runner.fitted().values()) - len(runner.stored())
        assert redone <= 2 * (kill + 1)  # at most the fit in hand of each worker
    result = runner.finish()
    assert result.keys() == undisturbed.keys()
    for name, value in undisturbed.items():
        assert np.array_equal(result[name], value)
    times = runner.fitted()
    assert len(times) == N_FITS and sum(times.values()) == N_FITS + redone
    assert not list(runner.root.glob("fits/*/*.failed.json"))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_workers_die_with_their_parent_and_ctrl_c_stops_all(tmp_path):
    for number in (signal.SIGKILL, signal.SIGINT):
        runner = Runner(tmp_path, f"cache{int(number)}")
        process = runner.start()
        end = time.monotonic() + 300
        while not sum(runner.fitted().values()) and time.monotonic() < end:
            time.sleep(0.02)
        workers = _children(process.pid)
        assert workers
        process.send_signal(number)  # to the parent alone
        process.communicate(timeout=120)
        assert process.returncode == (-9 if number == signal.SIGKILL else -2)
        assert not _wait_until_gone(workers)
