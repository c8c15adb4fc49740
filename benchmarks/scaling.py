"""Time and peak memory of classical studies of more and more people.

python benchmarks/scaling.py
python benchmarks/scaling.py --subjects 3 6 --trials 16 --channels 8
python benchmarks/scaling.py --model tangent_space --subjects 109 --channels 64
python benchmarks/scaling.py --stored 100000
python benchmarks/scaling.py --paper

CSP and LDA leaves every person out once: 64 channels, as many models as people, each of all the
others. What is per trial is done once; what is left for a model is sums of covariances and the
power behind its filters, so a person costs little more among many. Tangent space tests nine
groups of people: its mean has no such sums, and every model's is computed from all its trials.

Each study runs in a process of its own, from drawing the trials to scores, one thread, in an
empty cache; imports do not count. There is no peer: the ratio is the CPU-seconds per person of
CSP and LDA among the most people against among the fewest, 1.0x if the study is linear.

`--stored` takes a study whose fits are stored already, see `tasks.py`: its ratio is the time a fit
of all against a tenth of them. `--paper` measures sizes and reckons what 10,000 people would cost.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from processes import call, cpu
from timing import one_thread

one_thread()

import numpy as np  # noqa: E402
import tasks  # noqa: E402

CLASSES = ("feet", "left_hand", "right_hand", "tongue")
SFREQ = 160.0
LIMIT = 8e9  # bytes
CASES = {"tangent_space": (22, 9), "csp_lda": (64, None)}  # channels, groups of people


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, nargs="+", default=[9, 27, 109])
    parser.add_argument("--trials", type=int, default=90, help="a subject")
    parser.add_argument("--channels", type=int, help="default: 22 and 64")
    parser.add_argument("--times", type=int, default=480)
    parser.add_argument("--model", choices=CASES, nargs="+", default=list(CASES))
    parser.add_argument("--stored", type=int, metavar="N", help="plan and write a page of N fits")
    parser.add_argument("--models", type=int, default=20, help="with --stored")
    parser.add_argument("--paper", action="store_true", help="a table of 10,000 people")
    options = parser.parse_args()
    if options.paper:
        print(tasks.on_paper())
        return
    if options.stored:
        print(f"ratio {tasks.stored(options.stored, options.models):.1f}x")
        return
    ratio = 1.0
    for model in options.model:
        n_channels, n_folds = CASES[model]
        work = {**vars(options), "model": model, "channels": options.channels or n_channels}
        shape = f"{work['trials']} x {work['channels']} x {work['times']} a person"
        print(f"{model}, {shape}, {f'{n_folds} groups' if n_folds else 'leave one out'}")
        ratio = scale(work, options.subjects, n_folds)
    print(f"ratio {ratio:.1f}x")


def scale(work: dict[str, Any], subjects: Sequence[int], n_folds: int | None) -> float:
    """Run a study of each size; return the time per person of the last against the first."""
    seconds = []
    for n in subjects:
        with tempfile.TemporaryDirectory() as folder:
            folds = n_folds and min(n_folds, n)
            told = call(
                "scaling", "study", {**work, "subjects": n, "folds": folds, "folder": folder}
            )
        seconds.append(sum(told["seconds"].values()))
        stages = ", ".join(f"{name} {value:.1f}" for name, value in told["seconds"].items())
        print(
            f"{n:4} people: {seconds[-1]:6.1f} CPU-seconds ({stages}), {seconds[-1] / n:.3f} a"
            f" person, peak memory {told['peak'] / 1e9:.2f} GB, accuracy {told['accuracy']:.3f}",
            flush=True,
        )
        assert told["peak"] < LIMIT, f"more than {LIMIT / 1e9:.0f} GB"
    if len(subjects) > 1:
        exponent = np.polyfit(np.log(subjects), np.log(seconds), 1)[0]
        print(f"CPU-seconds grow with people to the power of {exponent:.2f}")
    return (seconds[-1] / subjects[-1]) / (seconds[0] / subjects[0])


class DrawnSource:
    """People whose sources have a power that depends on the class, mixed in a way of their own."""

    def __init__(self, card: Any, *, n_subjects: int, n_trials: int, n_channels: int, n_times: int):
        self.n_subjects = n_subjects
        self.shape = (n_trials, n_channels, n_times)

    def subjects(self) -> tuple[str, ...]:
        return tuple(str(number + 1) for number in range(self.n_subjects))

    def fingerprint(self, subject: str) -> dict[str, Any]:
        return {}

    def read(self, subject: str) -> list[Any]:
        from eegvit.trials import Trials

        n_trials, n_channels, _ = self.shape
        mixing = np.random.default_rng(0).standard_normal((n_channels, n_channels))
        rng = np.random.default_rng(int(subject))
        y = rng.permutation(np.arange(n_trials) % len(CLASSES))
        power = 0.15 * rng.standard_normal((n_trials, n_channels))
        power[np.arange(n_trials), y] -= 0.25
        sources = rng.standard_normal(self.shape, dtype=np.float32)
        sources *= np.exp(power).astype(np.float32)[..., None]
        own = mixing + 0.3 * rng.standard_normal((n_channels, n_channels))
        X = own.astype(np.float32) @ sources
        labels = np.array(CLASSES)[y]
        return [Trials.from_arrays(X, labels, sfreq=SFREQ, subject=subject, classes=CLASSES)]


def study(work: dict[str, Any]) -> dict[str, Any]:
    """Run a whole study, from reading to scores, in this process."""
    import contextlib
    from unittest import mock

    from eegvit.config import Card, Evaluate, Model, Study
    from eegvit.data.cache import Cache
    from eegvit.execute import one_fit as fitting
    from eegvit.execute.fits import execute
    from eegvit.execute.store import Store
    from eegvit.plan.plan import make_plan
    from eegvit.registry import BRANCHES, SOURCES, lookup
    from eegvit.results.stored import score
    from eegvit.views.reading import make_views

    SOURCES["drawn"] = "scaling:DrawnSource"
    few = np.random.default_rng(0).standard_normal((8, 4, 64))
    lookup(BRANCHES, work["model"])().fit(few, [0, 1] * 4)  # imports what it needs
    options = {f"n_{name}": work[name] for name in ("subjects", "trials", "channels", "times")}
    card = Card(name="drawn", source="drawn", options=options, classes=CLASSES, window=(0.0, 3.0))
    asked = Study(
        name="scaling",
        data=(card,),
        evaluate=Evaluate(protocol="cross_subject", n_folds=work["folds"]),
        models={"model": Model(branch=work["model"])},
    )
    cache = Cache(Path(work["folder"]) / "cache")
    store = Store(cache.fits)
    seconds = {}
    began = cpu()

    def lap(name: str) -> None:
        nonlocal began
        before, began = began, cpu()
        seconds[name] = began - before

    with contextlib.redirect_stdout(sys.stderr), mock.patch.object(fitting, "forget_peak_memory"):
        views = make_views(asked, cache)
        lap("read")
        plan = make_plan(asked, views)
        lap("plan")
        execute(plan, store, cache)
        lap("features and fits")
        rows = score(asked, plan, store).rows
        lap("score")
    return {
        "seconds": seconds,
        "accuracy": float(np.mean([row["accuracy"] for row in rows])),
    }


if __name__ == "__main__":
    main()
