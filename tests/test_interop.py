"""One estimator of each kind inside MOABB and scikit-learn, unchanged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from eegvit.pretrain.classifier import FineTunedClassifier
from eegvit.registry import BRANCHES, resolve

KINDS: dict[str, dict[str, Any]] = {
    "chance": {},
    "csp_lda": {},
    "fbcsp": {"sfreq": 128.0, "bands": ((8.0, 12.0), (12.0, 16.0))},
    "tangent_space": {},
    "mdm": {},
    "eegnet": {"epochs": 15, "batch_size": 16, "device": "cpu"},
    "snn": {"epochs": 10, "batch_size": 16, "device": "cpu", "sfreq": 128.0},
    "fusion": {
        "branches": ["csp_lda", "eegnet"],
        "epochs": 10,
        "batch_size": 16,
        "device": "cpu",
        "sfreq": 128.0,
    },
    "braindecode": {"model": "ShallowFBCSPNet", "epochs": 10, "batch_size": 16, "device": "cpu"},
}
GRIDS: dict[str, dict[str, list[Any]]] = {
    "csp_lda": {"n_components": [2, 4]},
    "fbcsp": {"n_components": [2, 4]},
    "eegnet": {"epochs": [1, 15]},
    "snn": {"readout": ["rate", "membrane"]},
    "fusion": {"fuse": ["concat", "gated"]},
}

HARDLY_TRAINED = ("chance", "eegnet", "snn", "fusion", "braindecode")

pytestmark = pytest.mark.filterwarnings("ignore")


def build(name: str, **changes: Any) -> Any:
    """Return an unfitted estimator of a kind."""
    return resolve(BRANCHES[name])(**KINDS[name] | changes)


@pytest.mark.parametrize("name", KINDS)
def test_cross_val_score_over_people(name: str, people: Any) -> None:
    scores = cross_val_score(
        build(name),
        people.X,
        people.labels,
        groups=people.subject,
        cv=GroupKFold(3),
        error_score="raise",
    )
    assert scores.shape == (3,)
    if name not in HARDLY_TRAINED:
        assert scores.mean() > 0.8


@pytest.mark.parametrize("name", GRIDS)
def test_grid_search_changes_what_is_fitted(name: str, make_trials: Any) -> None:
    hard = make_trials(n_trials=60, contrast=0.7)
    search = GridSearchCV(
        build(name), GRIDS[name], cv=3, scoring="neg_log_loss", error_score="raise"
    )
    search.fit(hard.X, hard.labels)
    first, second = search.cv_results_["mean_test_score"]
    assert first != second, "the parameter had no effect"
    assert search.best_estimator_.predict(hard.X).shape == (len(hard),)


@pytest.mark.parametrize("name", KINDS)
def test_inside_a_scikit_learn_pipeline(name: str, trials: Any) -> None:
    model = make_pipeline(FunctionTransformer(np.negative), build(name))
    model.fit(trials.X, trials.labels)
    assert model.predict_proba(trials.X).shape == (len(trials), 2)


@pytest.fixture(scope="module")
def moabb_dataset() -> Any:
    """Return three made-up people with one session, in MOABB's own form."""
    fake = pytest.importorskip("moabb.datasets.fake")
    return fake.FakeDataset(
        event_list=("left_hand", "right_hand"),
        n_sessions=1,
        n_runs=1,
        n_subjects=3,
        sfreq=128,
        duration=60,
        n_events=24,
        seed=0,
    )


def test_inside_moabbs_cross_subject_evaluation(
    moabb_dataset: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from moabb.evaluations import CrossSubjectEvaluation
    from moabb.paradigms import LeftRightImagery

    monkeypatch.setenv("MNE_DATA", str(tmp_path))
    monkeypatch.setenv("_MNE_FAKE_HOME_DIR", str(tmp_path))
    evaluation = CrossSubjectEvaluation(
        paradigm=LeftRightImagery(fmin=8, fmax=30, tmin=0.0, tmax=2.0, resample=128),
        datasets=[moabb_dataset],
        hdf5_path=str(tmp_path),
        suffix="interop",
        overwrite=True,
        error_score="raise",
        n_jobs=1,
    )
    pipelines = {name: build(name) for name in KINDS}
    pipelines["fine-tuned"] = FineTunedClassifier(
        model=build("eegnet"), pretrain_epochs=1, finetune_steps=8
    )
    results = evaluation.process(pipelines)
    assert set(results["pipeline"]) == set(pipelines)
    assert len(results) == 3 * len(pipelines)
    assert np.isfinite(results["score"]).all() and results["score"].between(0, 1).all()
