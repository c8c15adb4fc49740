"""What estimators say of themselves, so that plans and keys need not know their classes."""

from __future__ import annotations

import inspect
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC

from eegvit.branches.base import about, branch
from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.config import sha256
from eegvit.ensemble import EnsembleClassifier
from eegvit.pretrain import FineTunedClassifier
from eegvit.pretrain.weights import Weights
from eegvit.registry import BRANCHES, resolve

CLASSICAL = {"numpy", "scipy", "scikit-learn", "pyriemann"}
NEURAL = {"eegnet", "shallow", "spd", "efficientvit", "snn", "fusion", "braindecode"}
NEEDED: dict[str, dict[str, Any]] = {
    "fusion": {"branches": ["fbcsp", "eegnet"]},
    "pipeline": {"steps": [{"from": "sklearn.dummy.DummyClassifier"}]},
}


def built(name: str, **parameters: Any) -> Any:
    known = inspect.signature(resolve(BRANCHES[name])).parameters
    rate = {"sfreq": 128.0} if "sfreq" in known else {}
    return branch({"branch": name, **NEEDED.get(name, {}), **rate, **parameters})


@pytest.mark.parametrize("name", sorted(BRANCHES))
def test_every_branch_answers(name: str) -> None:
    model = built(name)
    assert about(model) is model
    parameters = model.get_params(deep=False)
    expected = {key: value for key, value in parameters.items() if key != "verbose"}
    if name == "fusion":
        expected["branches"] = model.identity()["branches"]
    assert model.identity() == expected
    own = {"numpy", "torch"} if name in NEURAL else CLASSICAL
    more = {"fusion": CLASSICAL, "braindecode": {"braindecode"}}.get(name, set())
    assert model.packages() == own | more
    takes = {"sessions"} if "tangent" in name else set()
    takes = {"groups", "checkpoint", "lesson"} if name in NEURAL else takes
    assert model.fit_takes() == takes
    assert model.uses_of_session() == set() and not model.by_session()
    assert model.takes_seed() == (name in NEURAL)
    assert (model.training() is not None) == (name in NEURAL)
    assert model.trains_together() == (name in NEURAL - {"fusion", "spd"})
    leading, rest = model.per_trial()
    if name in NEURAL:
        assert leading is None and rest is model
    else:
        steps = [*(leading.steps if leading else []), *rest.steps]
        assert [n for n, _ in steps] == [n for n, _ in model.pipeline().steps]


def test_what_changes_no_result_is_no_part_of_an_identity() -> None:
    for name in NEURAL:
        quiet, loud = built(name), built(name, verbose=True)
        assert sha256(quiet.identity()) == sha256(loud.identity())
    tuned = [FineTunedClassifier(model=EEGNetClassifier(verbose=v)) for v in (False, True)]
    assert sha256(tuned[0].identity()) == sha256(tuned[1].identity())
    joined = [EnsembleClassifier(members={"a": EEGNetClassifier(verbose=v)}) for v in (False, True)]
    assert sha256(joined[0].identity()) == sha256(joined[1].identity())


def test_the_identity_of_parts_is_the_hash_of_the_estimators_themselves() -> None:
    """Names, mappings and estimators with the same defaults are one fit."""
    given = [
        ["fbcsp", {"branch": "eegnet", "dropout": 0.5}],
        [branch("fbcsp"), EEGNetClassifier(dropout=0.5)],
    ]
    told = [FusionClassifier(branches=each).identity() for each in given]
    assert sha256(told[0]) == sha256(told[1])
    members = [
        {"class": f"{type(m).__module__}.{type(m).__qualname__}"}
        | {k: v for k, v in m.get_params().items() if k != "verbose"}
        for m in FusionClassifier(branches=given[0]).members()
    ]
    assert sha256(told[0]["branches"]) == sha256(members)
    other = FusionClassifier(branches=["fbcsp", {"branch": "eegnet", "dropout": 0.4}])
    assert sha256(other.identity()) != sha256(told[0])


def test_a_fine_tuned_model_is_identified_by_what_it_starts_from(tmp_path: Path) -> None:
    model = FineTunedClassifier(model=EEGNetClassifier(n_filters=4), pretrain_epochs=3)
    how = model.pretraining()
    assert how is not None
    told = model.identity()
    assert told["pretraining"] == asdict(how) and told["model"]["n_filters"] == 4
    assert model.packages() == {"numpy", "torch"} and model.takes_seed()
    assert model.fit_takes() == {"groups", "checkpoint"} and not model.trains_together()
    files = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    Weights({"w": np.ones(2)}, {"subjects": []}).save(files[0])
    files[1].write_bytes(files[0].read_bytes())
    by_file = [FineTunedClassifier(model=EEGNetClassifier(), weights=str(f)) for f in files]
    assert by_file[0].identity() == by_file[1].identity(), "the name of a file decides nothing"
    assert "pretraining" not in by_file[0].identity()
    Weights({"w": np.zeros(2)}, {"subjects": []}).save(files[1])
    assert by_file[0].identity() != by_file[1].identity()


def test_an_ensemble_is_identified_by_its_members() -> None:
    members = {"csp": "csp_lda", "net": {"branch": "eegnet", "dropout": 0.5}}
    model = EnsembleClassifier(members=members, rule="meta", learner="xgboost")
    assert model.packages() == CLASSICAL | {"torch", "xgboost"}
    assert model.takes_seed() and model.fit_takes() == {"groups"}
    assert not EnsembleClassifier(members={"csp": "csp_lda"}).takes_seed()
    as_estimators = {"csp": CSPLDAClassifier(), "net": EEGNetClassifier(dropout=0.5)}
    same = EnsembleClassifier(members=as_estimators, rule="meta", learner="xgboost")
    assert sha256(same.identity()) == sha256(model.identity())


def test_any_classifier_of_scikit_learn_can_be_asked() -> None:
    told = about(SVC(C=2.0))
    assert told.identity() == SVC(C=2.0).get_params() and told.packages() == CLASSICAL
    assert told.fit_takes() == {"sample_weight"} and told.takes_seed()
    assert not told.trains_together() and told.training() is None
    assert told.per_trial()[0] is None
    log = FunctionTransformer(np.log)
    leading, rest = about(make_pipeline(log, LogisticRegression())).per_trial()
    assert leading is not None and len(leading) == len(rest.steps) == 1
    assert about(make_pipeline(log, LogisticRegression())).fit_takes() == set()

    class Elsewhere(LogisticRegression):
        pass

    Elsewhere.__module__ = "mypackage.module"
    assert about(Elsewhere()).packages() == CLASSICAL | {"mypackage"}


def test_networks_that_are_trained_alike_say_so() -> None:
    assert EEGNetClassifier().training() == EEGNetClassifier(n_filters=4).training()
    assert EEGNetClassifier().training() != EEGNetClassifier(mixup=0.2).training()
    assert EEGNetClassifier().training() != EfficientViTClassifier().training()


def test_a_wrong_name_or_parameter_of_a_branch_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown name 'egnet', did you mean 'eegnet'"):
        branch("egnet")
    with pytest.raises(ValueError, match="no parameter 'dropuot', did you mean 'dropout'"):
        branch({"branch": "eegnet", "dropuot": 0.5})
