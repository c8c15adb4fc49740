"""Leave one subject out: CPU seconds after loading and peak memory, against MOABB.

python benchmarks/loso_classical.py
python benchmarks/loso_classical.py --model fb_tangent_space
python benchmarks/loso_classical.py --model pyriemann
python benchmarks/loso_classical.py --subjects 4 --trials 96 --repeats 1

Both get the same trials and the same model. `csp_lda`: OAS covariances (MOABB's by pyRiemann),
eight filters from joint diagonalisation, linear discriminant analysis. `fb_tangent_space`: seven
bands, OAS covariances and tangent space of each, logistic regression; MOABB's pipeline filters
by SciPy and has pyRiemann's steps. As the two filters differ a little at the ends of a trial,
accuracies may differ by a trial in thirty. `pyriemann`: covariances and filters are pyRiemann's
own on both sides, on ours by the branch `pipeline`, and both get single precision.
Each runs in a process of its own, one thread, in turn; figures are medians.

Loading counts for neither: ours ends when the trials are a view (read, hashed and in the
cache), MOABB's when it is handed its trials as one array in memory, so nothing is filtered.
What loading took is printed beside. Memory is the most that the whole process held.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from processes import call, cpu, peak_memory
from timing import one_thread

one_thread()

CLASSES = ("feet", "left_hand", "right_hand", "tongue")  # in the order of MOABB's codes
SFREQ = 250.0
CSP = {"n_components": 8, "multiclass": "joint", "shrinkage": 0.0}
PYRIEMANN = [
    {"from": "pyriemann.estimation.Covariances", "parameters": {"estimator": "oas"}},
    {"from": "pyriemann.spatialfilters.CSP", "parameters": {"nfilter": 8}},
    {"from": "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"},
]
MODELS: dict[str, dict[str, Any]] = {
    "csp_lda": {"branch": "csp_lda", "parameters": {**CSP, "estimator": "oas"}},
    "fb_tangent_space": {"branch": "fb_tangent_space", "parameters": {"sfreq": SFREQ}},
    "pyriemann": {"branch": "pipeline", "parameters": {"steps": PYRIEMANN}},
}
# per model: trials a subject, repeats, and how far accuracies of a session and their mean may lie
# apart; MOABB keeps scores in single precision
DEFAULTS: dict[str, tuple[int, int, float, float]] = {
    "csp_lda": (576, 3, 1e-6, 1e-6),
    "fb_tangent_space": (60, 1, 1 / 30 + 1e-6, 0.005),
    "pyriemann": (576, 1, 1e-6, 1e-6),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=9)
    parser.add_argument("--trials", type=int, help="a subject, in two sessions")
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--model", choices=MODELS, default="csp_lda")
    options = parser.parse_args()
    trials, repeats, per_session, on_average = DEFAULTS[options.model]
    options.trials = options.trials or trials
    options.repeats = options.repeats or repeats
    runs: list[tuple[dict[str, Any], ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        work = {"folder": folder, **vars(options)}
        call("loso_classical", "simulate", work)
        for repeat in range(options.repeats):
            work["run"] = str(Path(folder) / f"run{repeat}")  # an empty cache each time
            runs.append(tuple(call("loso_classical", who, work) for who in ("ours", "theirs")))
    ours, theirs = map(medians, zip(*runs, strict=True))
    shape = f"{options.subjects} x {options.trials} x {options.channels} x {options.times}"
    places = sorted(theirs["scores"])
    found, expected = ([told["scores"][place] for place in places] for told in (ours, theirs))
    apart = max(abs(a - b) for a, b in zip(found, expected, strict=True))
    means = statistics.mean(found), statistics.mean(expected)
    assert ours["scores"].keys() == theirs["scores"].keys()
    assert apart < per_session and abs(means[0] - means[1]) < on_average, (found, expected)
    print(f"{shape}, mean accuracy {means[0]:.4f}, MOABB's {means[1]:.4f}; of a session they")
    print(f"differ by {apart:.4f} at most, {per_session:.3g} allowed")
    for name, told in (("eegvit", ours), ("MOABB", theirs)):
        print(
            f"{name:7} {told['seconds']:6.2f} CPU-seconds after loading ({told['loading']:.2f}),"
            f" peak memory {told['peak'] / 1e9:.2f} GB, {told['empty'] / 1e9:.2f} of it imports"
        )
    print(f"medians of {options.repeats}, {options.model}")
    print(f"memory {theirs['peak'] / ours['peak']:.1f}x")
    print(f"ratio {theirs['seconds'] / ours['seconds']:.1f}x")


def medians(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure, and the scores, which every run must repeat."""
    assert all(run["scores"] == runs[0]["scores"] for run in runs), "scores vary between runs"
    figures = [name for name in runs[0] if name != "scores"]
    return {"scores": runs[0]["scores"]} | {
        name: statistics.median(run[name] for run in runs) for name in figures
    }


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
    from eegvit.execute import one_fit as fitting
    from eegvit.execute.fits import execute
    from eegvit.execute.store import Store
    from eegvit.plan.plan import make_plan
    from eegvit.results.stored import score

    pipeline_of(work)  # imports what it needs
    empty, start = peak_memory(), cpu()
    study = Study(
        name="benchmark",
        data=(Card(name="arrays", source="files", classes=CLASSES, window=(0.0, 4.0)),),
        evaluate=Evaluate(protocol="cross_subject"),
        models={"csp+lda": Model(**MODELS[work["model"]])},
    )
    cache = Cache(Path(work["run"]) / "cache")
    view = load_view(work, cache)
    store = Store(cache.fits)
    loaded = cpu()
    with contextlib.redirect_stdout(sys.stderr), mock.patch.object(fitting, "forget_peak_memory"):
        plan = make_plan(study, {"csp+lda": view})
        execute(plan, store, cache)
        rows = score(study, plan, store).rows
    return {
        "seconds": cpu() - loaded,
        "loading": loaded - start,
        "empty": empty,
        "scores": {f"{row['subject']}/{row['session']}": row["accuracy"] for row in rows},
    }


def load_view(work: dict[str, Any], cache: Any) -> Any:
    """Bring every person's trials into the cache and map them from there."""
    import numpy as np

    from eegvit.trials import Trials
    from eegvit.views.arrays import view_of
    from eegvit.views.view import make_view

    blocks: list[Any] = []
    for subject in range(work["subjects"]):
        X = np.load(file_of(work, subject, "X"), mmap_mode="r")
        y = np.load(file_of(work, subject, "y"))
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
    from sklearn.pipeline import Pipeline

    model = pipeline_of(work)
    if work["model"] == "csp_lda":
        model.set_params(covariances=Covariances("oas"))
    elif work["model"] == "fb_tangent_space":
        model = Pipeline([("bands", peer_bands()), ("classify", model.named_steps["classify"])])
    empty, start = peak_memory(), cpu()
    loaded: list[float] = []

    class InMemory(CrossSubjectEvaluation):
        def _load_data(self, *args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
            n = work["trials"]
            size = (work["subjects"] * n, work["channels"], work["times"])
            # double precision, as its paradigms give it; but pyRiemann computes in that of X
            X = np.empty(size, np.float32 if work["model"] == "pyriemann" else np.float64)
            y = np.empty(len(X), dtype=object)
            for subject in range(work["subjects"]):
                rows = slice(subject * n, (subject + 1) * n)
                X[rows] = np.load(file_of(work, subject, "X"), mmap_mode="r")
                y[rows] = np.array(CLASSES)[np.load(file_of(work, subject, "y"))]
            subjects = np.repeat(np.arange(work["subjects"]) + 1, n)
            sessions = np.tile(session_of(n), work["subjects"])
            about = pd.DataFrame({"subject": subjects, "session": sessions, "run": "0"})
            loaded.append(cpu())
            return X, y, about

    moabb.set_log_level("error")
    dataset = FakeDataset(event_list=CLASSES, n_subjects=work["subjects"], sfreq=int(SFREQ))
    evaluation = InMemory(
        paradigm=MotorImagery(n_classes=len(CLASSES)),
        datasets=[dataset],
        hdf5_path=work["run"],
        overwrite=True,
    )
    results = evaluation.process({"csp+lda": model})
    seconds = cpu() - loaded[0]
    keys = results["subject"].astype(str) + "/" + results["session"].astype(str)
    return {
        "seconds": seconds,
        "loading": loaded[0] - start,
        "empty": empty,
        "scores": dict(zip(keys, results["score"], strict=True)),
    }


def peer_bands() -> Any:
    """Return the tangent vectors of each band as SciPy, pyRiemann and scikit-learn make them."""
    from pyriemann.estimation import Covariances
    from pyriemann.tangentspace import TangentSpace
    from scipy.signal import butter, sosfiltfilt
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.preprocessing import FunctionTransformer

    from eegvit.features.filterbank import MU_AND_BETA

    filters = [butter(4, band, "bandpass", fs=SFREQ, output="sos") for band in MU_AND_BETA]
    return make_union(
        *(
            make_pipeline(
                FunctionTransformer(lambda X, sos=sos: sosfiltfilt(sos, X, padlen=250)),
                Covariances("oas"),
                TangentSpace(),
            )
            for sos in filters
        )
    )


def pipeline_of(work: dict[str, Any]) -> Any:
    """Return the unfitted steps of the model."""
    from eegvit.registry import BRANCHES, lookup

    model = MODELS[work["model"]]
    return lookup(BRANCHES, model["branch"])(**model["parameters"]).pipeline()


def session_of(n: int) -> Any:
    """Return the session of each of a person's trials."""
    import numpy as np

    return np.where(np.arange(n) < n // 2, "0", "1")


def file_of(work: dict[str, Any], subject: int, name: str) -> Path:
    """Return where a person's trials or labels are."""
    return Path(work["folder"]) / f"{subject + 1}_{name}.npy"


if __name__ == "__main__":
    main()
