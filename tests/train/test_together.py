"""Fits trained at once are those trained one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.layers import Standardise
from eegvit.networks.predict import predict_proba
from eegvit.networks.shallow import ShallowConvNet
from eegvit.train import Recipe, train, train_together

N_CHANNELS, N_TIMES = 4, 128
# 6, 5 and 3 steps an epoch, batches of 11, 10 and 9; other momenta of the norms too
FOLDS = [np.arange(60), np.arange(10, 60), np.arange(3, 30)]
SEEDS = [0, 0, 5]


def data(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    X = rng.standard_normal((n, N_CHANNELS, N_TIMES)).astype(np.float32)
    X[:, 0] *= 1 + 0.5 * y[:, None]
    return X, y


def own_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(N_CHANNELS, 6, 9, bias=False),
        nn.BatchNorm1d(6),
        nn.ELU(),
        nn.Dropout1d(0.2),
        nn.AvgPool1d(8),
        nn.Flatten(),
        nn.Dropout(0.4, inplace=True),
        nn.LazyLinear(3),
    )


class Mixed(nn.Module):
    """Whole trials left out of a branch, and a memory format that vmap does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(1, 5, (N_CHANNELS - 1, 1), bias=False)
        self.norm = nn.BatchNorm2d(5)
        self.head = nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, None].contiguous(memory_format=torch.channels_last)
        x = nn.functional.dropout(self.norm(self.mix(x)).square(), 0.3, self.training)
        if self.training:
            x = x * torch.bernoulli(torch.full((len(x), 1, 1, 1), 0.8, dtype=x.dtype))
        return self.head(x.transpose(1, 3).contiguous().view(len(x), 2 * N_TIMES, 5).mean(1))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "own": own_network,
    "mixed": Mixed,
    "eegnet": lambda: EEGNet(N_CHANNELS, N_TIMES, 3, dropout=0.4),
    "shallow": lambda: ShallowConvNet(N_CHANNELS, N_TIMES, 3, dropout=0.4),
}


def builder(network: Callable[[], nn.Module], dtype: torch.dtype = torch.float64) -> Any:
    def build() -> nn.Module:
        standardise = Standardise(torch.zeros(N_CHANNELS), 2 * torch.ones(N_CHANNELS))
        whole = nn.Sequential(standardise, network()).to(dtype)
        with torch.no_grad():
            whole.eval()(torch.zeros(2, N_CHANNELS, N_TIMES))  # gives lazy layers their shapes
        return whole

    return build


def recipe(**changes: Any) -> Recipe:
    return Recipe(**{"epochs": 1, "batch_size": 11, "learning_rate": 0.01} | changes)


def both(build: Any, rows: Any = FOLDS, held_out: Any = None, **changes: Any) -> Any:
    """Train at once and one by one."""
    X, y = data()
    settings: dict[str, Any] = {"recipe": recipe(**changes)}
    seeds = SEEDS[: len(rows)]
    at_once = train_together(
        [build] * len(rows), X, y, rows=rows, seeds=seeds, held_out=held_out, **settings
    )
    held = held_out or [None] * len(rows)
    alone = [
        train(build, X, y, rows=rows[i], seed=seeds[i], held_out=held[i], **settings)
        for i in range(len(rows))
    ]
    return at_once, alone


def distance(one: nn.Module, other: nn.Module, but: tuple[str, ...] = ()) -> float:
    found, expected = one.state_dict(), other.state_dict()
    assert list(found) == list(expected)
    return max(
        float((found[name] - value).abs().max())
        for name, value in expected.items()
        if not name.endswith(but)
    )


def assert_same(at_once: Any, alone: Any, within: float = 1e-6) -> None:
    for (network, history), (expected, its_history) in zip(at_once, alone, strict=True):
        assert distance(network, expected) < within
        assert not network.training
        assert [list(record) for record in history] == [list(r) for r in its_history]
        for record, its in zip(history, its_history, strict=True):
            np.testing.assert_allclose(list(record.values()), list(its.values()), atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_number_of_every_fit_is_the_same(name: str) -> None:
    at_once, alone = both(builder(NETWORKS[name]), epochs=3)
    assert_same(at_once, alone)
    assert distance(at_once[0][0], at_once[1][0]) > 0.01


@pytest.mark.parametrize("name", NETWORKS)
def test_in_single_precision(name: str) -> None:
    X, _ = data()
    at_once, alone = both(builder(NETWORKS[name], torch.float32), learning_rate=1e-3)
    # a shift that the next norm takes away again has no gradient but rounding, which AdamW
    # makes as large as any other: it drifts, and the running mean after it
    idle = ("front.norm.bias", "1.norm_1.running_mean", "temporal_bias", "1.norm.running_mean")
    for (network, _), (expected, _) in zip(at_once, alone, strict=True):
        assert distance(network, expected, idle) < 1e-4
        found = predict_proba(network, X)
        within = 1e-3 if name == "shallow" else 1e-4  # its running mean lags behind
        np.testing.assert_allclose(found, predict_proba(expected, X), atol=within)


@pytest.mark.parametrize(
    "changes",
    [
        {"clip_norm": 0.05},
        {"label_smoothing": 0.2},
        {"class_weight": "balanced"},
        {"weight_decay": 5.0},
        {"augment": ("noise", "segment_recombine")},
        {"warmup": 0.6},
        {"mixup": 0.3, "class_weight": "balanced"},
    ],
)
def test_every_setting(changes: dict[str, Any]) -> None:
    rows = [fold[(fold % 3 != 1) | (fold % 2 == 0)] for fold in FOLDS]  # skewed classes
    assert_same(*both(builder(own_network), rows, epochs=2, **changes))


def test_early_stopping_of_each_by_itself() -> None:
    held_out = [np.arange(40, 60), np.arange(0, 10), np.arange(30, 45)]
    rows = [np.arange(40), np.arange(10, 60), np.arange(3, 30)]
    at_once, alone = both(
        builder(own_network), rows, held_out, epochs=12, patience=2, learning_rate=0.03
    )
    assert_same(at_once, alone, within=1e-5)
    lengths = {len(history) for _, history in at_once}
    assert len(lengths) > 1 and min(lengths) < 12
    with pytest.raises(ValueError, match="patience needs validation"):
        both(builder(own_network), patience=2)


class Odd(nn.Module):
    """Frozen and unused parameters, and a buffer that is replaced at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Parameter(torch.rand(N_CHANNELS, 3), requires_grad=False)
        self.unused = nn.Parameter(torch.rand(2, 2))
        self.register_buffer("seen", torch.zeros(()))
        self.head = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen = self.seen + x.mean()
        return self.head((x.transpose(1, 2) @ self.frozen).square().mean(1))


def test_frozen_unused_and_replaced() -> None:
    at_once, alone = both(builder(Odd), epochs=2, weight_decay=1.0)
    assert_same(at_once, alone)
    assert float(at_once[0][0][1].seen) != 0


class Killed(Exception):
    pass


@pytest.mark.parametrize("then", ["together", "alone"])
def test_killed_and_continued(tmp_path: Path, then: str) -> None:
    X, y = data()
    settings: dict[str, Any] = {"recipe": recipe(epochs=5, augment=("noise",))}
    build = builder(own_network)
    paths = [tmp_path / "deep" / f"{i}.pt" for i in range(3)]

    def kill(fit: int, epoch: int, record: Any) -> None:
        if (fit, epoch) == (1, 2):  # the third fit's file is of the epoch before
            raise Killed

    with pytest.raises(Killed):
        train_together(
            [build] * 3,
            X,
            y,
            rows=FOLDS,
            seeds=SEEDS,
            checkpoints=paths,
            save_every=0,
            on_epoch=kill,
            **settings,
        )
    expected = [
        train(build, X, y, rows=rows, seed=seed, **settings)
        for rows, seed in zip(FOLDS, SEEDS, strict=True)
    ]
    seen: list[tuple[int, int]] = []
    if then == "together":
        found = train_together(
            [build] * 3,
            X,
            y,
            rows=FOLDS,
            seeds=SEEDS,
            checkpoints=paths,
            on_epoch=lambda fit, epoch, _: seen.append((fit, epoch)),
            **settings,
        )
        assert seen[:3] == [(0, 3), (1, 3), (2, 2)]
    else:  # numbered by themselves, as a fold is when it is all there is
        found = [
            train(build, X[rows], y[rows], seed=seed, checkpoint=path, **settings)
            for rows, seed, path in zip(FOLDS, SEEDS, paths, strict=True)
        ]
    assert_same(found, expected)
    assert not list(paths[0].parent.iterdir())


def test_the_networks_are_whole_and_the_caller_undisturbed() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    at_once, _ = both(builder(own_network))
    assert torch.equal(torch.rand(3), expected)
    for network, _ in at_once:
        for value in network.state_dict().values():
            assert value.untyped_storage().nbytes() == value.nbytes


class Noisy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.rand_like(x)


def test_what_cannot_be_the_same_is_refused() -> None:
    with pytest.raises(RuntimeError, match="random"):
        both(builder(lambda: nn.Sequential(Noisy(), own_network())))
    X, y = data()
    sizes = iter([4, 5])

    def growing() -> nn.Module:
        n = next(sizes)
        layers = [nn.Flatten(), nn.Linear(N_CHANNELS * N_TIMES, n), nn.Linear(n, 3)]
        return nn.Sequential(*layers)

    with pytest.raises(ValueError, match="architecture"):
        train_together([growing] * 2, X, y, recipe=recipe(), rows=FOLDS[:2], seeds=[0, 1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", NETWORKS)
def test_on_cuda(name: str) -> None:
    X, y = data()
    build = builder(NETWORKS[name])
    settings: dict[str, Any] = {"recipe": recipe(epochs=2), "device": "cuda"}
    found = train_together([build] * 3, X, y, rows=FOLDS, seeds=SEEDS, **settings)
    expected = [
        train(build, X, y, rows=rows, seed=seed, **settings)
        for rows, seed in zip(FOLDS, SEEDS, strict=True)
    ]
    assert_same(found, expected)
