"""Fused classifiers beyond the contract of every branch."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from eegvit.branches.braindecode import BraindecodeClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.fbcsp import FBCSPClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.neural_together import fit_together
from eegvit.branches.spiking import SpikingClassifier

SHORT: dict[str, Any] = {"epochs": 2, "batch_size": 16, "device": "cpu", "sfreq": 128.0}
pytestmark = pytest.mark.filterwarnings("ignore:groups were not given")
XS = {"branch": "efficientvit", "preset": "eeg_xs", "layout": "conv"}


@pytest.mark.parametrize("start", ["frozen", "finetuned"])
def test_branches_fitted_before_keep_their_weights_or_train_on(start: str, trials: Any) -> None:
    alone = EEGNetClassifier(epochs=3, batch_size=16, device="cpu")
    model = FusionClassifier(branches=[alone, "fbcsp"], start=start, **SHORT)
    model.fit(trials.X, trials.labels)
    fitted = clone(alone).fit(trials.X, trials.labels)
    part = model.module_.branches[0]
    names = [n for n, _ in fitted.module_[1].named_parameters() if not n.startswith("head")]
    same = [
        torch.equal(part.network.get_parameter(n), fitted.module_[1].get_parameter(n))
        for n in names
    ]
    assert all(same) if start == "frozen" else not any(same)
    if start == "frozen":
        x = torch.from_numpy(trials.X)
        with torch.no_grad():
            expected = fitted.module_[1].features(fitted.module_[0](x))
            torch.testing.assert_close(part(x)[-1], expected)


def test_in_series_the_front_is_fitted_before(trials: Any) -> None:
    branches = [SpikingClassifier(epochs=2, n_features=8), EEGNetClassifier()]
    model = FusionClassifier(branches=branches, wiring="series", start="frozen", **SHORT)
    model.fit(trials.X, trials.labels)
    fitted = clone(branches[0]).set_params(sfreq=128.0).fit(trials.X, trials.labels)
    for name, value in fitted.module_[1].front.named_parameters():
        assert torch.equal(model.module_[1].fronts[0].get_parameter(name), value), name


@pytest.mark.parametrize("readout", ["rate", "membrane"])
def test_in_series_the_next_branch_sees_spikes_or_potentials(readout: Any, trials: Any) -> None:
    branches = [SpikingClassifier(readout=readout), EEGNetClassifier()]
    model = FusionClassifier(branches=branches, wiring="series", **SHORT | {"epochs": 1})
    model.fit(trials.X, trials.labels)
    layers: Any = model.module_
    seen = layers[1].fronts(layers[0](torch.from_numpy(trials.X)))
    spikes = bool(((seen == 0) | (seen == 1)).all())
    assert spikes == (readout == "rate") and seen.std() > 0


def test_parameters_of_branches_are_parameters(trials: Any) -> None:
    model = FusionClassifier(branches=[FBCSPClassifier(), EEGNetClassifier()], **SHORT)
    assert model.get_params()["branch_1__dropout"] == 0.25
    copy = clone(model).set_params(branch_1__dropout=0.1, branch_0=FBCSPClassifier(n_components=2))
    assert copy.branches[1].dropout == 0.1 and copy.branches[0].n_components == 2
    assert model.branches[1].dropout == 0.25, "the copy shares its branches"
    grid = {"branch_0__n_components": [2, 4], "branch_1__n_filters": [4, 8]}
    search = GridSearchCV(model, grid, cv=2, scoring="neg_log_loss", error_score="raise")
    search.fit(trials.X, trials.labels)
    assert len(set(search.cv_results_["mean_test_score"])) == 4, "a parameter had no effect"


def test_names_mappings_and_estimators_are_the_same(trials: Any) -> None:
    given = [
        ["fbcsp", {"branch": "eegnet", "dropout": 0.5}],
        [FBCSPClassifier(), EEGNetClassifier(dropout=0.5)],
        (FBCSPClassifier(sfreq=128.0), EEGNetClassifier(dropout=0.5, random_state=3)),
    ]
    told = [
        FusionClassifier(branches=b, **SHORT).fit(trials.X, trials.labels).predict_proba(trials.X)
        for b in given
    ]
    np.testing.assert_array_equal(told[0], told[1])
    np.testing.assert_array_equal(told[0], told[2])


@pytest.mark.slow
def test_given_branches_are_left_alone(trials: Any) -> None:
    branches = [SpikingClassifier(), EEGNetClassifier()]
    before = [b.get_params() for b in branches]
    FusionClassifier(branches=branches, start="finetuned", **SHORT).fit(trials.X, trials.labels)
    assert [b.get_params() for b in branches] == before
    assert not any(hasattr(b, "module_") for b in branches)


def test_a_persons_labels_change_nothing_in_what_is_learned_for_them(people: Any) -> None:
    def beside(labels: np.ndarray) -> np.ndarray:
        model = FusionClassifier(branches=["fbcsp", "eegnet"], **SHORT)
        model.check_X(people.X, reset=True)
        codes = model.encode_y(people.X, labels)
        model.builder(people.X, np.arange(len(people)))  # must not learn anything
        model.fit(people.X, labels, groups=people.subject)
        return model.beside_.learn(people.X, codes, np.arange(len(people)), people.subject)

    own = people.subject == "2"
    labels = people.labels.copy()
    labels[own] = np.random.default_rng(0).permutation(labels[own])
    np.testing.assert_array_equal(beside(labels)[own], beside(people.labels)[own])


def test_training_is_given_cross_fitted_features(people: Any, monkeypatch: Any) -> None:
    import eegvit.train
    from eegvit.branches.fusion.features import FeaturesBeside

    given = {}
    train = eegvit.train.train

    def spy(*args: Any, **named: Any) -> Any:
        given.update(named)
        return train(*args, **named)

    monkeypatch.setattr(eegvit.train, "train", spy)
    model = FusionClassifier(branches=["fbcsp", "eegnet"], validation=0.3, **SHORT)
    model.fit(people.X, people.labels, groups=people.subject)
    rows, held_out = given["rows"], given["held_out"]
    expected = FeaturesBeside(model.members_)
    codes = np.searchsorted(model.classes_, people.labels)
    whole = expected.learn(people.X, codes, rows, people.subject[rows])
    np.testing.assert_array_equal(given["beside"], whole)
    at_test = model.beside_.of(people.X)
    np.testing.assert_allclose(given["beside"][held_out], at_test[held_out], rtol=1e-5)
    assert not np.allclose(given["beside"][rows], at_test[rows])
    contiguous = FeaturesBeside(model.members_).learn(people.X, codes, rows)
    assert not np.allclose(given["beside"][rows], contiguous[rows]), "groups were not used"


@pytest.mark.slow
def test_labels_of_held_out_people_change_no_weight_and_no_feature(people: Any) -> None:
    def weights(labels: np.ndarray) -> list[torch.Tensor]:
        model = FusionClassifier(
            branches=["fbcsp", "eegnet"], validation=0.3, start="finetuned", **SHORT
        )
        model.fit(people.X, labels, groups=people.subject)
        return [*model.module_.state_dict().values()]

    model = FusionClassifier(branches=["fbcsp", "eegnet"], validation=0.3, **SHORT)
    from eegvit.branches.neural import hold_out

    _, held_out = hold_out(people.y, people.subject, model.validation, model.random_state)
    labels = people.labels.copy()
    labels[held_out] = np.random.default_rng(0).permutation(labels[held_out])
    assert (labels != people.labels).any()
    for one, other in zip(weights(labels), weights(people.labels), strict=True):
        assert torch.equal(one, other)


def test_an_interrupted_training_goes_on(trials: Any, tmp_path: Path, monkeypatch: Any) -> None:
    from eegvit.train import loop
    from eegvit.train.checkpoint import Checkpoint

    branches = ["fbcsp", EEGNetClassifier(epochs=1)]
    model = FusionClassifier(branches=branches, start="finetuned", **SHORT | {"epochs": 4})
    whole = clone(model).fit(trials.X, trials.labels).predict_proba(trials.X)
    monkeypatch.setattr(loop.time, "monotonic", iter(range(0, 10**6, 100)).__next__)
    save, n_saved = Checkpoint.save, []

    def stop_after_two(self: Checkpoint) -> None:
        save(self)
        n_saved.append(1)
        if len(n_saved) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        clone(model).fit(trials.X, trials.labels, checkpoint=tmp_path / "state")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "groups were not given")
        resumed = clone(model).fit(trials.X, trials.labels, checkpoint=tmp_path / "state")
    np.testing.assert_array_equal(resumed.predict_proba(trials.X), whole)


def test_networks_side_by_side_train_together_others_do_not(trials: Any) -> None:
    def make(seed: int) -> FusionClassifier:
        return FusionClassifier(branches=["eegnet", XS], auxiliary=0.5, random_state=seed, **SHORT)

    models = [make(0), make(1)]
    own = [np.arange(36), np.arange(4, 40)]
    assert all(model.trains_together() for model in models)
    fit_together(models, trials.X, trials.labels, own)
    for model, seed, rows in zip(models, (0, 1), own, strict=True):
        alone = make(seed).fit(trials.X[rows], trials.labels[rows])
        told = model.predict_proba(trials.X)
        np.testing.assert_allclose(told, alone.predict_proba(trials.X), atol=1e-3)
    assert not FusionClassifier(branches=["fbcsp", "eegnet"]).trains_together()
    assert not FusionClassifier(branches=["snn", "eegnet"], start="frozen").trains_together()


def test_heads_of_branches_are_not_kept(trials: Any) -> None:
    fitted = [
        FusionClassifier(branches=["snn", "eegnet"], auxiliary=weight, **SHORT).fit(
            trials.X, trials.labels
        )
        for weight in (0.0, 0.5)
    ]
    assert fitted[0].n_parameters_ == fitted[1].n_parameters_
    assert fitted[0].count_macs() == fitted[1].count_macs()
    one, other = (model.history_[0]["train_loss"] for model in fitted)
    assert other > one + 0.2  # it counts the losses of the branches


def test_a_classical_branch_alone_enters_a_network_of_its_own(trials: Any) -> None:
    model = FusionClassifier(branches=["fbcsp"], classical="cnn", **SHORT)
    model.fit(trials.X, trials.labels)
    assert [type(part).__name__ for part in model.module_.branches] == ["BandBranch"]
    x = torch.from_numpy(model.inputs(trials.X))
    n_times = trials.X.shape[2]
    other = torch.cat([torch.randn_like(x[..., :n_times]), x[..., n_times:]], 2)
    torch.testing.assert_close(model.module_(other), model.module_(x))


@pytest.mark.parametrize("start", ["scratch", "finetuned"])
def test_a_braindecode_model_may_be_joined(start: str, trials: Any) -> None:
    pytest.importorskip("braindecode")
    other = {"branch": "braindecode", "model": "ShallowFBCSPNet", "epochs": 1}
    branches = [other, EEGNetClassifier(epochs=1), "fbcsp"]
    options = {"fuse": "attention", "auxiliary": 0.5, "start": start}
    model = FusionClassifier(branches=branches, **options, **SHORT)
    model.fit(trials.X, trials.labels)
    told = model.predict_proba(trials.X)
    assert model.module_.fuser.sizes[0] == (1, 1), "a vector without time is one place"
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(trials.X), told)


@pytest.mark.parametrize(
    "name", ["EEGNet", "ATCNet", "CTNet", "EEGConformer", "Deep4Net", "TCFormer"]
)
def test_published_networks_lose_their_last_layer(name: str) -> None:
    pytest.importorskip("braindecode")
    from eegvit.networks.fusion.branches import streams

    alone = BraindecodeClassifier(model=name, sfreq=125.0)
    alone.sfreq_, alone.ch_names_ = 125.0, None
    (network,) = streams(alone.network(3, 500, 2))
    (seen,) = network.eval().forward_features(torch.randn(4, 3, 500))
    assert seen.shape[::2] == (4, 1) and seen.shape[1] > 2 and seen.std(0).mean() > 0


def test_any_classical_branch_may_be_joined(trials: Any) -> None:
    branches = ["csp_lda", "fb_tangent_space", "mdm", "eegnet"]
    model = FusionClassifier(branches=branches, **SHORT).fit(trials.X, trials.labels)
    assert len(model.beside_.shapes) == 3
    assert np.isfinite(model.predict_proba(trials.X)).all()


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"branches": ["eegnet"]}, "two branches or more"),
        ({"branches": ["fbcsp"], "wiring": "series"}, "two branches or more"),
        ({"branches": ["fbcsp"], "fuse": "gated"}, "joined with nothing"),
        ({"branches": ["fbcsp"], "auxiliary": 0.5}, "joined with nothing"),
        ({"branches": ["eegnet", "egnet"]}, "did you mean 'eegnet'"),
        ({"branches": ["eegnet", 3]}, "not 3"),
        ({"branches": ["eegnet", "chance"]}, "no features"),
        ({"branches": ["eegnet", "snn"], "wiring": "series"}, "but the last is spiking"),
        ({"branches": ["snn", "fbcsp"], "wiring": "series"}, "last branch is a network"),
        (
            {"branches": ["snn", "snn", "eegnet"], "wiring": "series", "start": "frozen"},
            "only one branch in front",
        ),
        (
            {"branches": ["snn", "eegnet"], "wiring": "series", "auxiliary": 0.5},
            "branches side by side",
        ),
        ({"branches": ["csp_lda", "eegnet"], "classical": "cnn"}, "no map of bands"),
        ({"branches": ["snn", "eegnet"], "wiring": "serie"}, "wiring='serie', did you mean"),
        ({"branches": ["snn", "eegnet"], "start": "warm"}, "start='warm'; known: scratch"),
        ({"branches": ["snn", "eegnet"], "fuse": "concatt"}, "fuse='concatt', did you mean"),
        ({"branches": ["fbcsp", "eegnet"], "classical": "nmlp"}, "did you mean 'mlp'"),
        ({"branches": ["snn", "eegnet"], "auxiliary": -0.5}, "auxiliary=-0.5"),
        (
            {"branches": ["snn", "eegnet"], "wiring": "series", "fuse": "gated"},
            "fuse is for branches side by side",
        ),
        (
            {"branches": ["snn", "eegnet"], "wiring": "series", "dropout": 0.5},
            "dropout is for branches side by side",
        ),
        (
            {"branches": [{"branch": "fusion", "branches": ["snn", "eegnet"]}, "eegnet"]},
            "series among parallel",
        ),
    ],
)
def test_says_what_is_wrong(changes: dict[str, Any], fragment: str, trials: Any) -> None:
    with pytest.raises(ValueError, match=fragment):
        FusionClassifier(**SHORT | changes).fit(trials.X, trials.labels)


def test_electrodes_cannot_be_placed_behind_neurons(trials: Any) -> None:
    branches = ["snn", EfficientViTClassifier(preset="eeg_xs", layout="grid")]
    names = tuple(f"C{i}" for i in range(1, 9))
    model = FusionClassifier(branches=branches, wiring="series", ch_names=names, **SHORT)
    with pytest.raises(ValueError, match="ch_names"):
        model.fit(trials.X, trials.labels)


def test_learning_from_classical_branches_without_people_warns(people: Any) -> None:
    model = FusionClassifier(branches=["csp_lda", "eegnet"], **SHORT)
    said = "groups were not given, so the folds that make the features of classical branches"
    with pytest.warns(UserWarning, match=said) as caught:
        clone(model).fit(people.X, people.labels)
    assert len(caught) == 1 and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).fit(people.X, people.labels, groups=people.subject)
        networks = FusionClassifier(branches=["eegnet", "shallow"], **SHORT)
        networks.fit(people.X, people.labels)


def test_branches_made_for_other_data_are_refused(trials: Any) -> None:
    model = FusionClassifier(branches=[FBCSPClassifier(sfreq=250.0), "eegnet"], **SHORT)
    with pytest.raises(ValueError, match="FBCSPClassifier has sfreq=250.0, but the trials have"):
        model.fit(trials.X, trials.labels)
