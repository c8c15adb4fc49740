"""Updates go by what came before, by no label, and by the loss that was published."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.adapt import updates
from eegvit.adapt.updates import confident, predicted
from eegvit.networks.eegnet import EEGNet
from eegvit.networks.predict import predict_proba
from eegvit.train.information import information_loss

HOW = {"learning_rate": 0.01, "balanced": False}


@pytest.fixture
def network() -> nn.Module:
    """Return a network with batch norms and dropout, its running statistics not those of birth."""
    torch.manual_seed(0)
    made = EEGNet(3, 128, 2, dropout=0.5)
    made(2 * torch.randn(32, 3, 128) + 1)
    return made.eval()


@pytest.fixture
def X() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((30, 3, 128)).astype(np.float32)


@pytest.mark.parametrize("balanced", [True, False])
def test_no_prediction_depends_on_a_later_trial(network, X, balanced: bool) -> None:
    how = HOW | {"balanced": balanced}
    whole = predicted(network, X, **how)
    for now in (0, 5, 8, 17, 29):
        other = X.copy()
        other[now + 1 :] = 7 - 3 * other[now + 1 :]
        told = predicted(network, other, **how)
        np.testing.assert_array_equal(told[: now + 1], whole[: now + 1])
        told = predicted(network, X[: now + 1], **how)
        np.testing.assert_array_equal(told, whole[: now + 1])
    other = X.copy()
    other[9] *= 2
    later = predicted(network, other, **how)[10:]
    assert (later != whole[10:]).any(axis=1).all()


@pytest.mark.parametrize("window", [2, 8])
def test_until_the_window_is_full_a_prediction_is_that_of_the_network(
    network, X, window: int
) -> None:
    told = predicted(network, X, window=window, **HOW)
    plain = np.concatenate([predict_proba(network, X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_array_equal(told[:window], plain[:window])
    assert (told[window:] != plain[window:]).any(axis=1).all()


def test_the_network_stays_as_it_is_and_says_the_same_again(network, X) -> None:
    before = copy.deepcopy(network.state_dict())
    torch.manual_seed(1)
    first = predicted(network, X, **HOW)
    torch.manual_seed(2)
    assert all(torch.equal(before[name], now) for name, now in network.state_dict().items())
    assert not network.training
    np.testing.assert_array_equal(predicted(network, X, **HOW), first)


def test_a_step_is_one_of_adam_on_the_last_trials(X) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 128, 3))
    by_hand = copy.deepcopy(network)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=0.02)
    expected = []
    for i in range(12):
        expected.append(predict_proba(by_hand, X[i : i + 1]))
        if i >= 3:
            P = (by_hand(torch.from_numpy(X[i - 3 : i + 1])) / 1.5).softmax(1)
            each = torch.distributions.Categorical(P).entropy().mean()
            optimizer.zero_grad()
            (each + (P.mean(0) * P.mean(0).log()).sum()).backward()
            optimizer.step()
    how = {"window": 4, "learning_rate": 0.02, "temperature": 1.5, "balanced": True}
    np.testing.assert_allclose(
        predicted(network, X[:12], **how), np.concatenate(expected), atol=1e-5
    )


def test_every_parameter_is_updated_and_no_statistic(network, X, monkeypatch) -> None:
    held = []
    real = predict_proba
    monkeypatch.setattr(
        updates, "predict_proba", lambda n, X, device: held.append(n) or real(n, X, device=device)
    )
    before = copy.deepcopy(network.state_dict())
    predicted(network, X, **HOW)
    now = held[-1].state_dict()
    moved = {name for name, value in now.items() if not torch.equal(before[name], value)}
    assert moved == {name for name, _ in network.named_parameters()}
    assert not held[-1].training


def test_shares_are_weighed_by_the_trials_that_were_confidently_of_a_class() -> None:
    rng = np.random.default_rng(0)
    P = torch.from_numpy(rng.dirichlet([1, 1, 1], 8))
    mean, seen = P.numpy().mean(0), np.array([9.0, 0.0, 2.0])
    share = mean / (4 + seen) / (mean / (4 + seen)).sum()
    each = -(P.numpy() * np.log(P.numpy())).sum(1).mean()
    assert float(information_loss(P)) == pytest.approx(each + (mean * np.log(mean)).sum())
    weighed = float(information_loss(P, torch.from_numpy(seen)))
    assert weighed == pytest.approx(each + (share * np.log(share)).sum())
    assert confident(torch.tensor([[0.7, 0.3], [0.71, 0.29], [0.2, 0.8]])).tolist() == [1.0, 1.0]


def test_of_the_first_window_all_trials_are_counted_and_then_the_newest(
    network, X, monkeypatch
) -> None:
    counted, weighed = [], []
    monkeypatch.setattr(updates, "confident", lambda P: counted.append(len(P)) or torch.ones(2))
    real = information_loss
    told = lambda P, seen: weighed.append(seen) or real(P, seen)  # noqa: E731
    monkeypatch.setattr(updates, "information_loss", told)
    predicted(network, X[:11], **HOW)
    assert counted == [8, 1, 1, 1]
    assert weighed[0] is None and [s.tolist() for s in weighed[1:]] == [[1, 1], [2, 2], [3, 3]]
    weighed.clear()
    predicted(network, X[:11])
    assert weighed == [None] * 4


@pytest.mark.parametrize("least", [0.0, 1e-30])
def test_probabilities_of_zero_have_a_gradient(least: float) -> None:
    P = torch.tensor([[1.0, least], [1.0, least]], requires_grad=True)
    information_loss(P, torch.tensor([3.0, 0.0])).backward()
    assert P.grad is not None and torch.isfinite(P.grad).all()


def test_a_bias_towards_a_class_is_undone_where_classes_are_even() -> None:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(200) % 2)
    X = (rng.standard_normal((200, 1, 1)) + 2 * (2 * y[:, None, None] - 1)).astype(np.float32)
    network = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([[-1.0], [1.0]]))
        network[1].bias.copy_(torch.tensor([2.5, -2.5]))
    plain = (predict_proba(network, X).argmax(1) == y)[100:].mean()
    told = predicted(network, X, learning_rate=0.02, balanced=True)
    assert plain < 0.8 and (told.argmax(1) == y)[100:].mean() > plain + 0.1
