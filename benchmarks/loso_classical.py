"""Leave-one-subject-out CSP and LDA: CPU seconds after loading and peak memory, against MOABB.

python benchmarks/loso_classical.py
python benchmarks/loso_classical.py --subjects 4 --trials 96

Both get the same trials and the same model: OAS covariances, eight filters from joint
diagonalisation, linear discriminant analysis. Each runs in a process of its own, one thread.
MOABB is handed its trials in memory; reading and filtering them count for neither.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from timing import one_thread

one_thread()

CLASSES = ("left_hand", "right_hand", "feet", "tongue")
SFREQ = 250.0
N_FILTERS = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=9)
    parser.add_argument("--trials", type=int, default=576, help="a subject, in two sessions")
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--times", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = {"folder": folder, **vars(options)}
        call("simulate", work)
        ours, theirs = call("ours", work), call("theirs", work)
    shape = f"{options.subjects} x {options.trials} x {options.channels} x {options.times}"
    scores = [score for _, score in sorted(ours["scores"].items())]
    # MOABB keeps scores in single precision
    worst = max(abs(ours["scores"][k] - theirs["scores"][k]) for k in theirs["scores"])
    assert ours["scores"].keys() == theirs["scores"].keys() and worst < 1e-6, (
        f"the scores differ by up to {worst}: {ours['scores']}, {theirs['scores']}"
    )
    print(f"{shape}, mean accuracy {sum(scores) / len(scores):.4f}, equal in every session")
    for name, told in (("eegvit", ours), ("MOABB", theirs)):
        print(f"{name:7} {told['seconds']:6.2f} CPU-seconds after loading,"
              f" peak memory {told['peak'] / 1e9:.2f} GB")  # fmt: skip
    print(f"memory {theirs['peak'] / ours['peak']:.1f}x")
    print(f"ratio {theirs['seconds'] / ours['seconds']:.1f}x")


def call(what: str, work: dict[str, Any]) -> dict[str, Any]:
    """Carry out one of the functions below in a fresh process."""
    code = "import json, sys, loso_classical as b; b.answer(*json.load(sys.stdin))"
    home = {name: work["folder"] for name in ("MNE_DATA", "MNE_HOME", "_MNE_FAKE_HOME_DIR")}
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        input=json.dumps([what, work]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parent,
        env={**os.environ, **home, "MOABB_DOWNLOAD_PROVIDER": "upstream"},
    )
    return json.loads(said.stdout.splitlines()[-1])


def answer(what: str, work: dict[str, Any]) -> None:
    """Print what a function gives, and the most memory that it held, as a line of JSON."""
    told = {"simulate": simulate, "ours": ours, "theirs": theirs}[what](work)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak *= 1 if sys.platform == "darwin" else 1024
    print("\n" + json.dumps({**told, "peak": peak}))


def simulate(work: dict[str, Any]) -> dict[str, Any]:
    """Write every person's trials: sources whose power depends on the class, mixed."""
    import numpy as np

    rng = np.random.default_rng(0)
    n_channels, n_times, n = work["channels"], work["times"], work["trials"]
    mixing = rng.standard_normal((n_channels, n_channels))
    for subject in range(work["subjects"]):
        y = rng.permutation(np.arange(n) % len(CLASSES))
        X = rng.standard_normal((n, n_channels, n_times), dtype=np.float32)
        power = 0.15 * rng.standard_normal((n, n_channels))
        power[np.arange(n), y] -= 0.25
        X *= np.exp(power).astype(np.float32)[..., None]
        own = mixing + 0.3 * rng.standard_normal((n_channels, n_channels))
        np.save(file_of(work, subject, "X"), (own @ X).astype(np.float32))
        np.save(file_of(work, subject, "y"), y)
    return {}


def ours(work: dict[str, Any]) -> dict[str, Any]:
    """Run a study of trials from the cache, every fit in this process."""
    import contextlib
    from unittest import mock

    from eegvit.config import Card, Evaluate, Model, Study
    from eegvit.data.cache import Cache
    from eegvit.evaluate import execute, fitting, make_plan, score
    from eegvit.evaluate.store import Store

    csp = {"n_components": N_FILTERS, "multiclass": "joint", "shrinkage": 0.0}
    study = Study(
        name="benchmark",
        data=(Card(name="arrays", source="files", classes=CLASSES, window=(0.0, 4.0)),),
        evaluate=Evaluate(protocol="cross_subject"),
        models={"csp+lda": Model(branch="csp_lda", parameters={**csp, "estimator": "oas"})},
    )
    cache = Cache(Path(work["folder"]) / "cache")
    view = load_view(work, cache)
    store = Store(Path(work["folder"]) / "fits")
    begin = time.process_time()
    with contextlib.redirect_stdout(sys.stderr), mock.patch.object(fitting, "_forget_peak_memory"):
        plan = make_plan(study, {"csp+lda": view})
        execute(plan, store, cache, jobs=0)
        rows = score(study, plan, store).rows
    seconds = time.process_time() - begin
    return {
        "seconds": seconds,
        "scores": {f"{row['subject']}/{row['session']}": row["accuracy"] for row in rows},
    }


def load_view(work: dict[str, Any], cache: Any) -> Any:
    """Bring every person's trials into the cache and map them from there."""
    import numpy as np

    from eegvit.evaluate import view_of
    from eegvit.evaluate.view import make_view
    from eegvit.trials import Trials

    blocks: list[Any] = []
    for subject in range(work["subjects"]):
        X, y = (np.load(file_of(work, subject, name)) for name in "Xy")
        trials = Trials.from_arrays(
            X,
            np.array(CLASSES)[y],
            sfreq=SFREQ,
            subject=str(subject + 1),
            session=session_of(len(y)),
            classes=CLASSES,
        )
        blocks += view_of(trials, cache).blocks
    return make_view({"arrays": True}, blocks)


def theirs(work: dict[str, Any]) -> dict[str, Any]:
    """Run MOABB's evaluation on a data set whose trials are in memory."""
    import moabb
    import numpy as np
    import pandas as pd
    from moabb.datasets.fake import FakeDataset
    from moabb.evaluations import CrossSubjectEvaluation
    from moabb.paradigms import MotorImagery
    from pyriemann.estimation import Covariances
    from pyriemann.spatialfilters import CSP
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    loaded = []

    class InMemory(CrossSubjectEvaluation):
        def _load_data(self, *args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
            n = work["trials"]
            size = (work["subjects"] * n, work["channels"], work["times"])
            X = np.empty(size)  # double precision, as its paradigms give it
            y = np.empty(len(X), dtype=object)
            for subject in range(work["subjects"]):
                rows = slice(subject * n, (subject + 1) * n)
                X[rows] = np.load(file_of(work, subject, "X"), mmap_mode="r")
                y[rows] = np.array(CLASSES)[np.load(file_of(work, subject, "y"))]
            subjects = np.repeat(np.arange(work["subjects"]) + 1, n)
            sessions = np.tile(session_of(n), work["subjects"])
            about = pd.DataFrame({"subject": subjects, "session": sessions, "run": "0"})
            loaded.append(time.process_time())
            return X, y, about

    moabb.set_log_level("error")
    dataset = FakeDataset(event_list=CLASSES, n_subjects=work["subjects"], sfreq=int(SFREQ))
    evaluation = InMemory(
        paradigm=MotorImagery(n_classes=len(CLASSES)),
        datasets=[dataset],
        hdf5_path=work["folder"],
        overwrite=True,
    )
    model = make_pipeline(Covariances("oas"), CSP(N_FILTERS), LinearDiscriminantAnalysis())
    results = evaluation.process({"csp+lda": model})
    seconds = time.process_time() - loaded[0]
    keys = results["subject"].astype(str) + "/" + results["session"].astype(str)
    return {"seconds": seconds, "scores": dict(zip(keys, results["score"], strict=True))}


def session_of(n: int) -> Any:
    """Return the session of each of a person's trials."""
    import numpy as np

    return np.where(np.arange(n) < n // 2, "0", "1")


def file_of(work: dict[str, Any], subject: int, name: str) -> Path:
    """Return where a person's trials or labels are."""
    return Path(work["folder"]) / f"{subject + 1}_{name}.npy"


if __name__ == "__main__":
    main()
