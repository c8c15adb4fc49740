"""Pipelines by import path, MOABB's files, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyriemann.estimation import Covariances
from pyriemann.spatialfilters import CSP
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline

from eegvit.branches.pipeline import PipelineClassifier, build

MOABB_FILE = """\
name: CSP + LDA
paradigms:
  - LeftRightImagery
citations:
  - https://doi.org/10.1007/BF01129656
pipeline:
  - name: Covariances
    from: pyriemann.estimation
    parameters:
      estimator: oas
  - name: CSP
    from: pyriemann.spatialfilters
    parameters:
      nfilter: 6
  - name: LinearDiscriminantAnalysis
    from: sklearn.discriminant_analysis
    parameters:
      solver: svd
"""
PATHS = [
    {"from": "pyriemann.estimation.Covariances", "parameters": {"estimator": "oas"}},
    {"from": "pyriemann.spatialfilters.CSP", "parameters": {"nfilter": 6}},
    {"from": "sklearn.discriminant_analysis:LinearDiscriminantAnalysis"},
]


@pytest.fixture
def moabb_file(tmp_path: Path) -> Path:
    path = tmp_path / "CSP.yml"
    path.write_text(MOABB_FILE, encoding="utf-8")
    return path


def test_a_moabb_file_gives_what_its_steps_give(moabb_file: Path, trials: Any) -> None:
    by_hand = make_pipeline(Covariances("oas"), CSP(nfilter=6), LinearDiscriminantAnalysis())
    expected = by_hand.fit(trials.X, trials.labels).predict_proba(trials.X)
    for model in (PipelineClassifier(file=str(moabb_file)), PipelineClassifier(steps=PATHS)):
        found = clone(model).fit(trials.X, trials.labels).predict_proba(trials.X)
        np.testing.assert_array_equal(found, expected)


def test_nested_objects_and_lists_are_built(trials: Any) -> None:
    model = PipelineClassifier(
        steps=[
            PATHS[0],
            {"from": "pyriemann.tangentspace.TangentSpace"},
            {
                "from": "sklearn.ensemble.BaggingClassifier",
                "parameters": {
                    "n_estimators": 3,
                    "estimator": {"from": "sklearn.svm.SVC", "parameters": {"C": 2.5}},
                },
            },
        ]
    )
    bagging = model.pipeline()[-1]
    assert (bagging.n_estimators, bagging.estimator.C) == (3, 2.5)
    assert model.fit(trials.X, trials.labels).predict_proba(trials.X).shape == (40, 2)
    union = build(
        {
            "from": "sklearn.pipeline.FeatureUnion",
            "parameters": {
                "transformer_list": [
                    ["csp", {"from": "pyriemann.spatialfilters.CSP"}],
                    ["plane", {"from": "pyriemann.tangentspace.TangentSpace"}],
                ]
            },
        }
    )
    assert [type(step).__name__ for _, step in union.transformer_list] == ["CSP", "TangentSpace"]


def test_steps_are_made_anew_each_time() -> None:
    model = PipelineClassifier(steps=PATHS)
    assert model.pipeline()[1] is not model.pipeline()[1]
    assert model.steps is PATHS


def test_a_random_step_gives_the_same_twice(trials: Any) -> None:
    steps = [
        PATHS[0],
        {"from": "pyriemann.tangentspace.TangentSpace"},
        {"from": "sklearn.ensemble.RandomForestClassifier", "parameters": {"n_estimators": 5}},
    ]
    one, two = (
        PipelineClassifier(steps=steps).fit(trials.X, trials.labels).predict_proba(trials.X)
        for _ in range(2)
    )
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"from": "sklern.svm.SVC"}, "'sklern.svm.SVC' cannot be imported"),
        ({"from": "sklearn.svm.SVCC"}, "module 'sklearn.svm' has no 'SVCC'"),
        ({"from": "sklearn.svm", "name": "Forest"}, "module 'sklearn.svm' has no 'Forest'"),
        ({"from": "SVC"}, "'SVC' is no import path"),
        ({"from": "sklearn.svm.SVC", "parameters": {"c": 1}}, "SVC does not take .* 'c'"),
        ({"from": "sklearn.svm.SVC", "parameters": [1]}, "no mapping of names to values"),
        ({"from": "sklearn.svm.SVC", "params": {"C": 1}}, "unknown key 'params'"),
        ({"name": "SVC"}, "a step needs 'from'"),
        ("sklearn.svm.SVC", "a step needs 'from'"),
    ],
)
def test_a_wrong_step_is_refused_with_its_name(trials: Any, step: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PipelineClassifier(steps=[PATHS[0], step]).fit(trials.X, trials.labels)


def test_a_wrong_parameter_of_a_nested_object_is_refused() -> None:
    inner = {"from": "sklearn.svm.SVC", "parameters": {"depth": 2}}
    outer = {"from": "sklearn.ensemble.BaggingClassifier", "parameters": {"estimator": inner}}
    with pytest.raises(ValueError, match="sklearn.svm.SVC does not take .* 'depth'"):
        build(outer)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "either steps or a file"),
        ({"steps": PATHS, "file": "a.yml"}, "either steps or a file"),
        ({"steps": []}, "at least one step"),
        ({"steps": PATHS[0]}, "are a list, not one mapping"),
        ({"file": "no/such/file.yml"}, "file.yml.*cannot be read"),
    ],
)
def test_steps_or_a_file(trials: Any, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PipelineClassifier(**given).fit(trials.X, trials.labels)


def test_a_file_without_a_pipeline_is_refused(tmp_path: Path, trials: Any) -> None:
    path = tmp_path / "study.yml"
    path.write_text("name: something else\n", encoding="utf-8")
    with pytest.raises(ValueError, match="study.yml:1: no MOABB pipeline file"):
        PipelineClassifier(file=str(path)).fit(trials.X, trials.labels)
