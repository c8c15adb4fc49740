"""What fits cost beside the fitting: a study whose fits are all stored, and a table on paper.

Parts of `scaling.py`. People are tested in folds of their own session; their trials are tiny, and
what was predicted is drawn at random. What is timed is a new process that plans the study, finds
that nothing is left to run, scores it and writes its page.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from processes import call, peak_memory

FOLDS, TRIALS = 5, 20


def stored(n_fits: int, n_models: int) -> float:
    """Run a study of as many stored fits, and of a tenth; return the time a fit, last to first."""
    seconds = []
    for n in (n_fits // 10, n_fits):
        with tempfile.TemporaryDirectory() as folder:
            work = {"folder": folder, "models": n_models, "people": max(2, n // (FOLDS * n_models))}
            made = call("tasks", "store_all", work)
            told = call("tasks", "study", work)
        whole, n = sum(told["seconds"].values()), told["fits"]
        seconds.append(whole / n)
        stages = ", ".join(f"{name} {value:.1f}" for name, value in told["seconds"].items())
        print(
            f"{n} stored fits, {work['people']} people x {n_models} models: {whole:.1f} CPU-seconds"
            f" ({stages}), peak memory {told['peak'] / 1e9:.2f} GB, {made['bytes'] / n:.0f} bytes"
            " a fit",
            flush=True,
        )
    return seconds[1] / seconds[0]


def plan_of(work: dict[str, Any]) -> Any:
    """Return the plan of the study, and its cache."""
    from eegvit.config import Card, Evaluate, Model, Study
    from eegvit.data.cache import Cache
    from eegvit.plan.plan import make_plan
    from eegvit.trials import Trials
    from eegvit.views.arrays import view_of

    cache = Cache(Path(work["folder"]) / "cache")
    each = work.get("trials", TRIALS)
    n = work["people"] * each
    rng = np.random.default_rng(0)
    trials = Trials.from_arrays(
        rng.standard_normal((n, 2, 16), dtype=np.float32),
        np.tile(["left", "right"], n // 2),
        sfreq=16.0,
        subject=np.repeat([f"{number:05}" for number in range(work["people"])], each),
    )
    names = {f"model{i}": Model(branch="csp_lda", parameters={"n_components": i + 1})
             for i in range(work["models"])}  # fmt: skip
    study = Study(
        name="tasks",
        data=(Card(name="arrays", source="files", classes=("left", "right"), window=(0.0, 1.0)),),
        evaluate=Evaluate(
            protocol=work.get("protocol", "within_session"),
            n_folds=min(FOLDS, work["people"]) if "protocol" in work else FOLDS,
        ),
        models=names,
    )
    with lap("read"):
        view = view_of(trials, cache)
    with lap("plan"):
        plan = make_plan(study, dict.fromkeys(names, view))
    return plan, cache


LAPS: dict[str, float] = {}


@contextlib.contextmanager
def lap(name: str) -> Iterator[None]:
    """Take the CPU time of a stage."""
    began = time.process_time()
    yield
    LAPS[name] = time.process_time() - began


def store_all(work: dict[str, Any]) -> dict[str, Any]:
    """Keep a prediction of every fit, as if they had been carried out."""
    from eegvit.execute.store import Prediction, Store

    plan, cache = plan_of(work)
    store, rng = Store(cache.fits), np.random.default_rng(0)
    about = {
        "fit": "", "n_parameters": None, "n_train": 16, "peak_memory": 10**8, "warnings": [],
        "seconds_features": 0.0, "features": {}, "seconds_wall": 0.1, "seconds_fit": 0.1,
        "seconds_predict": 0.01,
    }  # fmt: skip
    with mock.patch.object(os, "fsync"):
        for key, fit in plan.fits.items():
            share = rng.random(len(fit.predict))
            probabilities = np.stack([share, 1 - share], axis=1)
            rows = fit.predict
            told = Prediction(fit.view.ids[rows], fit.view.block_keys[rows], probabilities, about)
            store.save(key, told)
    return {
        "fits": len(plan.fits),
        "bytes": sum(path.stat().st_size for path in cache.fits.glob("*/*")),
    }


def study(work: dict[str, Any]) -> dict[str, Any]:
    """Plan the study, find nothing to run, score it and write its page."""
    from eegvit.execute.fits import execute
    from eegvit.execute.store import Store
    from eegvit.report import write
    from eegvit.results.stored import score

    with contextlib.redirect_stdout(sys.stderr):
        plan, cache = plan_of(work)
        with lap("look"):
            store = Store(cache.fits)
            assert execute(plan, store, cache).run == 0
        with lap("score"):
            results = score(plan.study, plan, store)
        with lap("page"):
            write(results, Path(work["folder"]) / "page", command="")
    return {"fits": len(plan.fits), "seconds": LAPS, "peak": peak_memory()}


PEOPLE, MODELS, SEEDS, CHANNELS = 10_000, 20, 5, 64
PER_PERSON, TIMES, GROUPS = 90, 480, 10  # trials, samples of a trial, groups of people


def on_paper() -> str:
    """Return what a study of 10,000 people costs, as a table, reckoned from sizes measured here."""
    with tempfile.TemporaryDirectory() as folder:
        size = call("tasks", "sizes", {"folder": folder})
    trials = PEOPLE * PER_PERSON
    protocols = {  # fits, and how many trials each learns from and predicts
        f"{GROUPS} groups of people": (
            GROUPS * MODELS * SEEDS, trials - trials // GROUPS, trials // GROUPS
        ),
        "within each session, 5 folds": (
            PEOPLE * FOLDS * MODELS * SEEDS, PER_PERSON - PER_PERSON // FOLDS, PER_PERSON // FOLDS
        ),
        "one person left out": (PEOPLE * MODELS * SEEDS, trials - PER_PERSON, PER_PERSON),
    }  # fmt: skip
    rows = [("", *protocols)]

    def row(name: str, value: Any) -> None:
        rows.append((name, *(value(*how) for how in protocols.values())))

    signals = CHANNELS * TIMES * 4.0
    row("fits", lambda n, train, test: f"{n:,}")
    row("signals, once (aligned: twice)", lambda *_: in_bytes(trials * signals))
    row("features of CSP", lambda *_: in_bytes(trials * CHANNELS**2 * 4.0))
    row(
        "predictions stored",
        lambda n, train, test: in_bytes(n * (size["file"] + test * size["row"])),
    )
    row("files in the store", lambda n, *_: f"{n:,}")
    row(
        "sent to workers",
        lambda n, train, test: in_bytes(
            n * (size["task"] + train * size["train"] + test * size["test"])
        ),
    )
    row("signals read by fits", lambda n, train, test: in_bytes(n * (train + test) * signals))
    row(
        "plan in memory",
        lambda n, train, test: in_bytes(n / MODELS / SEEDS * (train + test) * 8 + n * size["fit"]),
    )
    row("scheduler, at 10 ms a task", lambda n, *_: in_time(n * 0.01))
    lines = [rows[0], ("-",) * len(rows[0]), *rows[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def sizes(work: dict[str, Any]) -> dict[str, Any]:
    """Return the bytes of tasks, of stored predictions and of a planned fit, alone and by trial."""
    from eegvit.execute.fits import execute
    from eegvit.execute.store import Store
    from eegvit.tasks import Answer, Task

    class Counting:
        """Carries out nothing, and takes down how long each task is when it is sent."""

        jobs = 1

        def run(self, given: Sequence[Task], tick: Any = None) -> Iterator[Answer]:
            for number, task in enumerate(given):
                if hasattr(job := task.arguments[0], "test_ids"):
                    sent = len(pickle.dumps((task.function, task.arguments)))
                    told.append((1, len(job.y), len(job.test_ids), sent))
                yield Answer(number, reason="not carried out")

    told: list[tuple[int, ...]] = []
    files = []
    for n_trials in (20, 40, 80):
        one = {
            "folder": f"{work['folder']}/{n_trials}",
            "people": 2,
            "models": 2,
            "trials": n_trials,
        }
        stored = store_all(one)
        files.append((1, n_trials // FOLDS, stored["bytes"] / stored["fits"]))
        plan, cache = plan_of({**one, "protocol": "cross_subject"})
        with contextlib.redirect_stderr(sys.stdout):
            execute(plan, Store(Path(one["folder"]) / "empty"), cache, Counting())
            plan, cache = plan_of(one)
            execute(plan, Store(Path(one["folder"]) / "empty"), cache, Counting())
    *about, sent = np.array(told, float).T
    task, train, test = np.linalg.lstsq(np.stack(about, 1), sent, rcond=None)[0]
    tracemalloc.start()
    plan, _ = plan_of({"folder": work["folder"], "people": 20, "models": 20})
    fit = tracemalloc.get_traced_memory()[0] / len(plan.fits)
    *about, size = np.array(files).T
    file, row = np.linalg.lstsq(np.stack(about, 1), size, rcond=None)[0]
    return {"task": task, "train": train, "test": test, "file": file, "row": row, "fit": fit}


def in_bytes(n: float) -> str:
    """Return bytes in words."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:,.3g} PB"


def in_time(seconds: float) -> str:
    """Return seconds in words."""
    for unit, length in (("s", 60), ("min", 60), ("h", 48)):
        if seconds < length:
            return f"{seconds:.2g} {unit}"
        seconds /= length if unit != "h" else 24
    return f"{seconds:.2g} days"
