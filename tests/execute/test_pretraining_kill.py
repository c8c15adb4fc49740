"""A study of few labels, killed while it pretrains and while it fits: it goes on to the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups")

STUDY = """
import sys
from pathlib import Path
import numpy as np
from eegvit.config import Card, Evaluate, Model, Study
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.plan.plan import make_plan
from eegvit.results.stored import outcomes
from eegvit.views.arrays import view_of
from eegvit.execute.store import Store
from eegvit.trials import Trials, concatenate

root, out, jobs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
parts = []
for person in range(1, 4):
    rng = np.random.default_rng(person)
    X, y = rng.standard_normal((40, 3, 64)), np.tile(["a", "b"], 20)
    parts.append(Trials.from_arrays(X, y, sfreq=32.0, subject=str(person)))
cache = Cache(root)
view = view_of(concatenate(parts), cache)
short = {"kernel_length": 8, "epochs": 1, "batch_size": 8, "device": "cpu"}
common = {"steps": 30, "epochs": 20, "batch_size": 8}
models = {name: Model(branch="eegnet", parameters=short, pretrain={**common, "objective": name})
          for name in ("contrastive", "none")}
card = Card(name="arrays", source="files", classes=("a", "b"), window=(0.0, 1.0))
evaluate = Evaluate(label_fraction=(0.5,), draws=2)
study = Study(name="s", data=(card,), evaluate=evaluate, models=models)
plan = make_plan(study, dict.fromkeys(models, view))

def run(store):
    tally = execute(plan, store, cache, jobs=jobs)
    told = {"|".join(map(str, (o.model, o.split, o.labels))): o.probabilities
            for o in outcomes(plan, store)}
    return {"tally": [tally.stored, tally.run, tally.failed], **told}

if __name__ == "__main__":
    runs = {"killed": run(Store(cache.fits))}
    if not jobs:
        runs["undisturbed"] = run(Store(root / "undisturbed"))
    np.savez(out, **{f"{n}/{name}": v for n, r in runs.items() for name, v in r.items()})
"""
N_FITS = 2 * 3 * 2


def _start(folder: Path, jobs: int) -> subprocess.Popen[bytes]:
    script = folder / "study.py"
    script.write_text(STUDY, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, script, folder / "cache", folder / "out.npz", str(jobs)]
    return subprocess.Popen(
        command, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _kill_when(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not reached() and time.monotonic() < end and process.poll() is None:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()[0].decode()
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_killed_while_pretraining_and_while_fitting_and_gone_on(tmp_path):
    fits = tmp_path / "cache" / "fits"

    def count(pattern: str) -> int:
        return len(list(fits.glob(pattern)))

    _kill_when(_start(tmp_path, 1), lambda: count("pretrained/*.safetensors") >= 1)
    made = {p: p.stat().st_mtime_ns for p in fits.glob("pretrained/*.safetensors")}
    assert 1 <= len(made) < 3 and not count("*/*.npz")
    _kill_when(_start(tmp_path, 1), lambda: count("*/*.npz") >= 2)
    stored = count("*/*.npz")
    assert 2 <= stored < N_FITS and count("pretrained/*.safetensors") == 3
    said, _ = (process := _start(tmp_path, 0)).communicate(timeout=600)
    assert process.returncode == 0, said.decode()
    assert all(path.stat().st_mtime_ns == when for path, when in made.items())
    runs: dict[str, dict[str, np.ndarray]] = {"killed": {}, "undisturbed": {}}
    with np.load(tmp_path / "out.npz") as saved:
        for place in saved:
            run, _, name = place.partition("/")
            runs[run][name] = saved[place]
    tallies = {run: found.pop("tally").tolist() for run, found in runs.items()}
    assert tallies == {"killed": [stored, N_FITS - stored, 0], "undisturbed": [0, N_FITS, 0]}
    assert runs["killed"].keys() == runs["undisturbed"].keys() and len(runs["killed"]) == N_FITS
    for name, told in runs["undisturbed"].items():
        assert np.array_equal(runs["killed"][name], told)
    assert not count("*/*.checkpoint*")
