"""A study with ensembles, killed in the middle: the next run goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups")

STUDY = """
import sys
from pathlib import Path
import numpy as np
from eegvit.config import Card, Ensemble, Evaluate, Model, Study
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.local import local
from eegvit.plan.plan import make_plan
from eegvit.results.stored import score
from eegvit.views.arrays import view_of
from eegvit.execute.store import Store
from eegvit.trials import Trials, concatenate

root, out = map(Path, sys.argv[1:3])
parts = []
for person in range(1, 6):
    rng = np.random.default_rng(person)
    X, y = rng.standard_normal((16, 3, 32)), np.tile(["a", "b"], 8)
    X[::2, 0] *= 1.5
    parts.append(Trials.from_arrays(X, y, sfreq=32.0, subject=str(person)))
cache = Cache(root)
view = view_of(concatenate(parts), cache)
step = {"from": "steps.Guess", "parameters": {"seconds": 0.1}}
models = {"guess": Model(branch="pipeline", parameters={"steps": [step]}),
          "csp": Model(branch="csp_lda")}
card = Card(name="arrays", source="files", classes=("a", "b"), window=(0.0, 1.0))
rules = {"weighted": {}, "meta": {"calibrate": "temperature"}, "vote": {"select": "greedy"}}
ensembles = {n: Ensemble(of=("guess", "csp"), rule=n, **more) for n, more in rules.items()}
study = Study(name="s", data=(card,), evaluate=Evaluate(), models=models, ensembles=ensembles)
plan = make_plan(study, dict.fromkeys(models, view))

def run(store, jobs):
    with local(jobs) as workers:
        tally = execute(plan, store, cache, workers)
    found = score(study, plan, store).predictions
    told = {"|".join(map(str, k)): p.probabilities for k, p in found.items()}
    return {"tally": [tally.stored, tally.run, tally.failed], **told}

if __name__ == "__main__":
    runs = {"killed": run(Store(cache.fits), 2), "again": run(Store(cache.fits), 2)}
    runs["undisturbed"] = run(Store(root / "undisturbed"), 0)
    np.savez(out, **{f"{n}/{name}": v for n, r in runs.items() for name, v in r.items()})
"""
N_FITS = 2 * 15


def _start(folder: Path) -> subprocess.Popen[bytes]:
    script = folder / "study.py"
    script.write_text(STUDY, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    command = [sys.executable, script, folder / "cache", folder / "out.npz"]
    return subprocess.Popen(
        command, env=environment, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.slow
def test_killed_in_the_middle_and_gone_on(tmp_path):
    process, fits = _start(tmp_path), tmp_path / "cache" / "fits"
    end = time.monotonic() + 300
    while len(list(fits.glob("*/*.npz"))) < 8 and time.monotonic() < end:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    stored = len(list(fits.glob("*/*.npz")))
    assert 8 <= stored < N_FITS
    said, _ = (process := _start(tmp_path)).communicate(timeout=600)
    assert process.returncode == 0, said.decode()
    runs: dict[str, dict[str, np.ndarray]] = {}
    with np.load(tmp_path / "out.npz") as saved:
        for place in saved:
            run, _, name = place.partition("/")
            runs.setdefault(run, {})[name] = saved[place]
    tallies = {run: found.pop("tally").tolist() for run, found in runs.items()}
    assert tallies["undisturbed"] == [0, N_FITS, 0]
    assert tallies["killed"] == [stored, N_FITS - stored, 0]
    assert tallies["again"] == [N_FITS, 0, 0]  # all that ensembles need is there
    undisturbed = runs["undisturbed"]
    assert set(undisturbed) == {"guess|0", "csp|0", "weighted|0", "meta|0", "vote|0"}
    for found in runs.values():
        assert found.keys() == undisturbed.keys()
        assert all(np.array_equal(found[name], told) for name, told in undisturbed.items())
