"""The network of covariances: means of people while it learns, none of them afterwards."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pyriemann.geometry.mean import mean_riemann
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

import eegvit.train
from eegvit.branches.spd import SPDNetClassifier
from eegvit.branches.spd.bias import biased, logits
from eegvit.branches.spd.classifier import of_trials
from eegvit.networks.spd.eigenvalues import exp, log
from eegvit.networks.spd.network import SPDNet, upper
from eegvit.networks.spd.person_norm import seen_from
from eegvit.train.information import information_loss
from eegvit.trials import Trials

SHORT: dict[str, Any] = {"epochs": 3, "batch_size": 16, "device": "cpu"}


def covariances(model: SPDNetClassifier, X: np.ndarray) -> np.ndarray:
    layers: Any = model.module_.double()
    standardise, network = layers
    with torch.no_grad():
        C = network.covariances(standardise(torch.from_numpy(X.astype(np.float64)))).numpy()
    model.module_.float()
    return C


def test_defaults_are_those_of_the_network() -> None:
    own, theirs = (inspect.signature(cls).parameters for cls in (SPDNetClassifier, SPDNet))
    shared = set(own) & set(theirs)
    assert shared >= {"n_temporal", "n_spatial", "n_mixed", "kernel_length", "threshold"}
    assert {name: own[name].default for name in shared} == {
        name: theirs[name].default for name in shared
    }


def test_it_predicts_from_the_mean_of_people_s_means(people: Trials) -> None:
    model = SPDNetClassifier(**SHORT).fit(people.X, people.y, groups=people.subject)
    C = covariances(model, people.X)
    each = [mean_riemann(C[people.subject == name], tol=1e-12) for name in ("1", "2", "3")]
    norm = model.module_[1].norm
    np.testing.assert_allclose(
        exp(norm.log_mean.double()).numpy(), mean_riemann(np.stack(each)), rtol=1e-4, atol=1e-6
    )
    assert len(norm.log_means) == len(norm.spreads) == 1, "nothing of single people is kept"


def test_people_count_in_training(people: Trials) -> None:
    X = people.X * np.array([1.0, 30.0, 0.1])[people.index // 24 % 3, None, None]
    told = []
    for groups in (people.subject, None, np.arange(len(X)) % 3):
        model = SPDNetClassifier(**SHORT).fit(X, people.y, groups=groups)
        told.append(model.predict_proba(X))
    assert np.abs(told[0] - told[1]).max() > 0.01 and np.abs(told[0] - told[2]).max() > 0.01
    renamed = SPDNetClassifier(**SHORT).fit(X, people.y, groups=people.subject.astype("U9"))
    np.testing.assert_array_equal(renamed.predict_proba(X), told[0])


def test_a_new_person_is_seen_from_the_mean_of_unlabelled_trials(make_trials: Any) -> None:
    known = [make_trials(n_trials=40, subject=str(s), seed=s, contrast=3.0) for s in range(3)]
    new = make_trials(n_trials=40, subject="new", seed=9, contrast=3.0)
    X = np.concatenate([each.X for each in known])
    y, groups = np.concatenate([each.y for each in known]), np.repeat([0, 1, 2], 40)
    model = SPDNetClassifier(device="cpu", learning_rate=5e-3, epochs=30)
    model.fit(X, y, groups=groups)
    drifted = (4 * new.X).astype(np.float32)
    before = model.predict_proba(drifted)
    there = model.seen_from(drifted)
    assert there.score(drifted, new.y) > 0.8
    np.testing.assert_array_equal(model.predict_proba(drifted), before)  # a copy
    np.testing.assert_allclose(  # the scale of a recording is gone
        there.predict_proba(drifted), model.seen_from(new.X).predict_proba(new.X), atol=1e-3
    )
    with pytest.raises(ValueError, match="7 channels"):
        model.seen_from(new.X[:, :7])


def test_held_out_people_have_no_mean(people: Trials) -> None:
    model = SPDNetClassifier(**SHORT, validation=0.4, patience=2)
    model.fit(people.X, people.y, groups=people.subject)
    assert all(np.isfinite(epoch["valid_loss"]) for epoch in model.history_)


def test_mixtures_of_people_are_refused(people: Trials) -> None:
    model = SPDNetClassifier(**SHORT, mixup=0.2)
    with pytest.raises(ValueError, match="mixup=0.2: it mixes trials of several people"):
        model.fit(people.X, people.y, groups=people.subject)
    alone = model.fit(people.X, people.y)
    assert np.isfinite(alone.predict_proba(people.X)).all()
    with pytest.raises(ValueError, match="groups has shape"):
        SPDNetClassifier(**SHORT).fit(people.X, people.y, groups=people.subject[:-1])


def test_a_training_goes_on_where_it_was(
    people: Trials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = {"X": people.X, "y": people.y, "groups": people.subject}
    whole = SPDNetClassifier(**SHORT).fit(**fit).predict_proba(people.X)
    path, train = tmp_path / "fit.pt", eegvit.train.train

    def interrupted(*args: Any, **settings: Any) -> Any:
        def stop(epoch: int, record: Any) -> None:
            raise KeyboardInterrupt

        return train(*args, **settings | {"save_every": 0, "on_epoch": stop})

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(eegvit.train, "train", interrupted)
        SPDNetClassifier(**SHORT).fit(**fit, checkpoint=path)
    assert path.exists()
    again = SPDNetClassifier(**SHORT).fit(**fit, checkpoint=path).predict_proba(people.X)
    np.testing.assert_array_equal(again, whole)


def test_flat_and_rank_deficient_recordings(people: Trials) -> None:
    X = people.X - people.X.mean(axis=1, keepdims=True)  # a common average: a direction is lost
    X[:, 3] = 0  # a dead electrode
    X[5] *= 1e4  # an artifact
    X[6] = 0
    model = SPDNetClassifier(**SHORT).fit(X, people.y, groups=people.subject)
    assert np.isfinite(model.predict_proba(X)).all()
    assert np.isfinite(model.predict_proba(1e4 * X)).all()
    assert np.isfinite(model.seen_from(X[:24]).predict_proba(X)).all()


def test_each_session_is_seen_from_its_own_mean(people: Trials) -> None:
    model = SPDNetClassifier(**SHORT, mean_of="session")
    model.fit(people.X, people.y, groups=people.subject)
    first = people.X[people.subject == "1"]
    told = model.predict_proba(people.X, sessions=people.subject)[people.subject == "1"]
    np.testing.assert_array_equal(model.predict_proba(first), told)
    np.testing.assert_array_equal(model.seen_from(first).predict_proba(first), told)
    np.testing.assert_allclose(model.predict_proba(7 * first), told, atol=2e-3)
    assert np.abs(model.predict_proba(people.X[:1]) - told[0]).max() > 1e-6


def test_what_cannot_be_is_said(people: Trials) -> None:
    for wrong, said in (
        ({"bias": "information"}, "a bias is learned beside the mean of a session"),
        ({"bias": "entropy", "mean_of": "session"}, "bias='entropy': it is information"),
        ({"mean_of": "causal"}, "mean_of='causal': it is training or session"),
    ):
        with pytest.raises(ValueError, match=said):
            SPDNetClassifier(**SHORT, **wrong).fit(people.X, people.y)


def drawn(rng: np.random.Generator, y: np.ndarray, A: np.ndarray | None = None) -> np.ndarray:
    """Return covariances of two classes around the identity, which then a map moves."""
    noise = rng.standard_normal((len(y), 4, 4)) * 0.3
    logs = (2 * y - 1)[:, None, None] * np.diag([0.5, -0.5, 0, 0]) + (noise + noise.mT) / 2
    C = exp(torch.from_numpy(logs)).numpy()
    return C if A is None else A @ C @ A.T


@pytest.fixture
def known() -> SPDNet:
    """Return a network whose head tells the two classes of even trials."""
    rng, y = np.random.default_rng(0), np.repeat([0, 1], 100)
    C, network = drawn(rng, y), SPDNet(4, 100, 2, n_mixed=4)
    (mean, spread), norm = of_trials(C), network.norm
    logs = log(seen_from(torch.from_numpy(C), torch.from_numpy(mean)))
    features = upper(norm.scaled(logs, torch.tensor(spread))).detach()
    line = LogisticRegression().fit(features, y)
    with torch.no_grad():
        network.head.weight.copy_(torch.tensor(np.concatenate([-line.coef_, line.coef_]) / 2))
        network.head.bias.copy_(torch.tensor(np.concatenate([-line.intercept_, line.intercept_])))
    return network


def scores(network: SPDNet, rng: np.random.Generator, shares: list[int]) -> list[float]:
    """Return balanced accuracies of a moved recording, seen from its mean and after a bias."""
    y, A = np.repeat([0, 1], shares), np.exp(rng.standard_normal(4) / 2)
    C = drawn(rng, y, np.diag(A) + 0.2 * np.ones((4, 4)))
    mean, spread = of_trials(C)
    own, covariances = torch.from_numpy(mean), torch.from_numpy(C)
    found = []
    for there in (own, biased(network, covariances, own, spread)):
        told = logits(network, covariances, there, spread).argmax(1).numpy()
        found.append(float(balanced_accuracy_score(y, told)))
    return found


def test_a_bias_undoes_what_recentring_does_where_classes_are_uneven(known: SPDNet) -> None:
    rng = np.random.default_rng(1)
    for shares in ([80, 20], [20, 80]):
        recentred, moved = np.mean([scores(known, rng, shares) for _ in range(8)], axis=0)
        assert recentred < 0.95 < moved and moved > recentred + 0.03
    recentred, moved = np.mean([scores(known, rng, [50, 50]) for _ in range(8)], axis=0)
    assert moved > recentred - 0.01, "even classes lose nothing"


def test_a_bias_lowers_its_loss_and_leaves_the_network_as_it_is(known: SPDNet) -> None:
    C = torch.from_numpy(drawn(np.random.default_rng(2), np.repeat([0, 1], [80, 20])))
    before = {name: value.clone() for name, value in known.state_dict().items()}
    mean, spread = torch.eye(4, dtype=torch.float64), 1.0
    there = biased(known, C, mean, spread)
    losses = [
        float(information_loss((logits(known, C, each, spread) / 2).softmax(1)).detach())
        for each in (mean, there)
    ]
    assert losses[1] < losses[0] - 0.003
    assert torch.linalg.eigvalsh(there).min() > 0 and torch.allclose(there, there.mT)
    assert all(torch.equal(before[name], value) for name, value in known.state_dict().items())
    assert all(parameter.requires_grad for parameter in known.parameters())


def test_a_bias_is_part_of_what_a_session_is_seen_by(people: Trials) -> None:
    own = {"mean_of": "session", "bias": "information"}
    model = SPDNetClassifier(**SHORT, **own)
    model.fit(people.X, people.y, groups=people.subject)
    told = model.predict_proba(people.X[:20])
    np.testing.assert_array_equal(model.predict_proba(people.X[:20]), told)
    without = model.set_params(bias=None).predict_proba(people.X[:20])
    assert np.abs(without - told).max() > 1e-3
