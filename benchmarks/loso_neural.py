"""Leave-one-subject-out EEGNet: a study of ours against braindecode's classifier under MOABB.

python benchmarks/loso_neural.py
python benchmarks/loso_neural.py --subjects 3 --trials 32 --epochs 2 --seeds 2

Simulated people, 22 channels, 4 classes, 4 s at 250 Hz. Both train EEGNet on the same trials
for the same number of epochs and keep the last: batches of 32, AdamW with the same learning
rate, cosine schedule over all steps and weight decay (none on biases and norms), the same
momentum of batch norms, channels standardised over the training trials. Theirs is
braindecode's EEGClassifier (skorch) in MOABB's CrossSubjectEvaluation, which a small
transformer hands numbers in single precision, as it demands.

Each study runs in a process of its own, one thread, ours and theirs in turn for the first
`--repeats` seeds; seeds beyond that run ours only, for the spread. Loading and imports count
for neither: ours begins when the trials are a view (read, hashed and in the cache), MOABB's
when it is handed its trials as one array in memory. Scoring counts for both.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from processes import call, cpu
from timing import one_thread

one_thread()

CLASSES = ("feet", "left_hand", "right_hand", "tongue")  # in the order of MOABB's codes
SFREQ = 250.0
BATCH = 32
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 1e-2
ENOUGH = 20  # degrees of freedom below which the spread over seeds is too uncertain to judge by


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=9)
    parser.add_argument("--trials", type=int, default=96, help="a subject, a multiple of 4")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=1, help="seeds that both run")
    parser.add_argument("--seeds", type=int, default=4, help="seeds that ours runs")
    options = parser.parse_args()
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = {"folder": folder, **vars(options)}
        call("loso_neural", "simulate", work)
        for seed in range(max(options.seeds, options.repeats)):
            given = {**work, "seed": seed, "run": str(Path(folder) / f"run{seed}")}
            ours.append(call("loso_neural", "study", given))
            if seed < options.repeats:
                theirs.append(call("loso_neural", "peer", given))
    size = f"{options.subjects} people x {options.trials} x 22 x {round(4 * SFREQ)}"
    print(f"{size}, {options.epochs} epochs in batches of {BATCH}")
    compare_scores(ours, theirs)
    for name, runs in (("eegvit", ours), ("MOABB", theirs)):
        wall, used, peak = (median(runs, figure) for figure in ("wall", "cpu", "peak"))
        print(
            f"{name:7} {wall:6.1f} s, {used:6.1f} CPU-seconds, peak memory {peak / 1e9:.2f} GB"
            f" (medians of {len(runs)})"
        )
    print(f"wall time {median(theirs, 'wall') / median(ours, 'wall'):.1f}x")
    print(f"ratio {median(theirs, 'cpu') / median(ours, 'cpu'):.1f}x")  # of CPU-seconds


def compare_scores(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Print every person's accuracy and refuse means that differ by more than seeds do."""
    people = sorted(ours[0]["scores"], key=int)
    of_ours = {who: [run["scores"][who] for run in ours] for who in people}
    of_theirs = {who: [run["scores"][who] for run in theirs] for who in people}
    for name, scores in (("eegvit", of_ours), ("MOABB", of_theirs)):
        means = [statistics.mean(scores[who]) for who in people]
        told = " ".join(f"{100 * mean:.1f}" for mean in means)
        print(f"{name:7} accuracy {100 * statistics.mean(means):5.1f} %, by person {told}")
    # a person's score varies with the seed by this much; means of people and seeds by less
    variance = statistics.mean(statistics.variance(scores) for scores in of_ours.values())
    error = math.sqrt(variance / len(people) * (1 / len(ours) + 1 / len(theirs)))
    means = [statistics.mean(run["scores"].values()) for run in ours]
    by_seed = " ".join(f"{100 * mean:.1f}" for mean in means)
    difference = statistics.mean(means) - statistics.mean(
        statistics.mean(run["scores"].values()) for run in theirs
    )
    print(
        f"eegvit by seed {by_seed}; a person's score varies by {100 * math.sqrt(variance):.1f}"
        f" with the seed, the difference of means {100 * difference:+.1f} by"
        f" {100 * error:.1f}"
    )
    freedom = len(people) * (len(ours) - 1)
    assert freedom < ENOUGH or abs(difference) <= 3 * error, "more than three standard errors"


def median(runs: list[dict[str, Any]], figure: str) -> float:
    """Return the median of a figure over runs."""
    return statistics.median(run[figure] for run in runs)


def simulate(work: dict[str, Any]) -> dict[str, Any]:
    """Write every person's trials."""
    import numpy as np

    from eegvit.config import Card
    from eegvit.data.simulation.source import SimulatedSource

    card = Card(
        name="simulated",
        source="simulated",
        classes=CLASSES,
        band=(4.0, 38.0),
        window=(0.0, 4.0),
    )
    people = SimulatedSource(
        card,
        n_subjects=work["subjects"],
        n_sessions=1,
        n_trials=work["trials"],
        n_runs=1,
        sampling_rate=SFREQ,
        difficulty=0.3,
    )
    for subject in people.subjects():
        (trials,) = people.read(subject)
        np.save(file_of(work, subject, "X"), trials.X)
        np.save(file_of(work, subject, "y"), trials.labels)
    return {}


def study(work: dict[str, Any]) -> dict[str, Any]:
    """Run a study of trials from the cache, every fit in this process."""
    import contextlib
    from unittest import mock

    from eegvit.config import Card, Evaluate, Model, Study
    from eegvit.data.cache import Cache
    from eegvit.execute import one_fit as fitting
    from eegvit.execute.fits import execute
    from eegvit.execute.store import Store
    from eegvit.networks import device, eegnet, layers, predict  # noqa: F401
    from eegvit.plan.plan import make_plan
    from eegvit.results.stored import score

    import eegvit.train  # noqa: F401  isort: skip

    training = {
        "epochs": work["epochs"],
        "batch_size": BATCH,
        "learning_rate": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAY,
        "warmup": 0.0,
        "device": "cpu",
    }
    asked = Study(
        name="benchmark",
        data=(Card(name="arrays", source="files", classes=CLASSES, window=(0.0, 4.0)),),
        evaluate=Evaluate(protocol="cross_subject", seeds=(work["seed"],)),
        models={"eegnet": Model(branch="eegnet", parameters=training)},
    )
    cache = Cache(Path(work["run"]) / "cache")
    view = load_view(work, cache)
    store = Store(cache.fits)
    loaded, began = cpu(), time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr), mock.patch.object(fitting, "forget_peak_memory"):
        plan = make_plan(asked, {"eegnet": view})
        execute(plan, store, cache)
        rows = score(asked, plan, store).rows
    return {
        "wall": time.perf_counter() - began,
        "cpu": cpu() - loaded,
        "scores": {row["subject"]: row["accuracy"] for row in rows},
    }


def load_view(work: dict[str, Any], cache: Any) -> Any:
    """Bring every person's trials into the cache and map them from there."""
    import numpy as np

    from eegvit.trials import Trials
    from eegvit.views.arrays import view_of
    from eegvit.views.view import make_view

    blocks: list[Any] = []
    for subject in map(str, range(1, work["subjects"] + 1)):
        X, y = (np.load(file_of(work, subject, name)) for name in ("X", "y"))
        trials = Trials.from_arrays(X, y, sfreq=SFREQ, subject=subject, classes=CLASSES)
        blocks += view_of(trials, cache).blocks
    return make_view({"arrays": True}, blocks)


def peer(work: dict[str, Any]) -> dict[str, Any]:
    """Run MOABB's evaluation of braindecode's EEGNet on trials that are in memory."""
    import moabb
    import numpy as np
    import pandas as pd
    import torch
    from braindecode import EEGClassifier
    from moabb.datasets.fake import FakeDataset
    from moabb.evaluations import CrossSubjectEvaluation
    from moabb.paradigms import MotorImagery
    from sklearn.pipeline import Pipeline
    from skorch.callbacks import LRScheduler

    n = work["trials"]
    n_steps = work["epochs"] * math.ceil((work["subjects"] - 1) * n / BATCH)
    torch.set_num_threads(1)
    torch.manual_seed(work["seed"])
    network = EEGClassifier(
        "EEGNet",
        module__n_chans=22,
        module__n_outputs=len(CLASSES),
        module__n_times=round(4 * SFREQ),
        module__batch_norm_momentum=max(0.01, min(0.5, 10 / n_steps)),
        optimizer=torch.optim.AdamW,
        optimizer__lr=LEARNING_RATE,
        optimizer__weight_decay=WEIGHT_DECAY,
        optimizer__param_groups=[
            (pattern, {"weight_decay": 0.0}) for pattern in ("bnorm*", "*.bias")
        ],
        callbacks=[
            LRScheduler(
                torch.optim.lr_scheduler.CosineAnnealingLR, T_max=n_steps, step_every="batch"
            )
        ],
        batch_size=BATCH,
        iterator_train__drop_last=False,
        max_epochs=work["epochs"],
        train_split=None,
        classes=list(range(len(CLASSES))),
        verbose=0,
    )
    began: list[float] = []

    class InMemory(CrossSubjectEvaluation):
        def _load_data(self, *args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
            X = np.empty((work["subjects"] * n, 22, round(4 * SFREQ)))  # double, as it gives it
            y = np.empty(len(X), dtype=object)
            for subject in range(work["subjects"]):
                rows = slice(subject * n, (subject + 1) * n)
                X[rows] = np.load(file_of(work, str(subject + 1), "X"))
                y[rows] = np.load(file_of(work, str(subject + 1), "y"))
            subjects = np.repeat(np.arange(work["subjects"]) + 1, n)
            about = pd.DataFrame({"subject": subjects, "session": "0", "run": "0"})
            began[:] = cpu(), time.perf_counter()
            return X, y, about

    moabb.set_log_level("error")
    dataset = FakeDataset(event_list=CLASSES, n_subjects=work["subjects"], sfreq=int(SFREQ))
    evaluation = InMemory(
        paradigm=MotorImagery(n_classes=len(CLASSES)),
        datasets=[dataset],
        hdf5_path=work["run"],
        overwrite=True,
    )
    results = evaluation.process(
        {"eegnet": Pipeline([("standardise", standardise()), ("eegnet", network)])}
    )
    return {
        "wall": time.perf_counter() - began[1],
        "cpu": cpu() - began[0],
        "scores": dict(zip(results["subject"].astype(str), results["score"], strict=True)),
    }


def standardise() -> Any:
    """Return a transformer to channels of mean 0 and deviation 1, in single precision."""
    import numpy as np
    from sklearn.base import BaseEstimator, TransformerMixin

    class Standardise(TransformerMixin, BaseEstimator):
        def fit(self, X: Any, y: Any = None) -> Standardise:
            self.mean_ = X.mean(axis=(0, 2), keepdims=True)
            self.deviation_ = X.std(axis=(0, 2), keepdims=True)
            return self

        def transform(self, X: Any) -> Any:
            return ((X - self.mean_) / self.deviation_).astype(np.float32)

    return Standardise()


def file_of(work: dict[str, Any], subject: str, name: str) -> Path:
    """Return where a person's trials or labels are."""
    return Path(work["folder"]) / f"{subject}_{name}.npy"


if __name__ == "__main__":
    main()
