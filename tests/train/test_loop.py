"""The training loop."""

from __future__ import annotations

import io
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from eegvit.networks.device import choose_device, seeded
from eegvit.networks.layers import Standardise
from eegvit.networks.predict import predict_proba
from eegvit.sealed import read_sealed, write_sealed
from eegvit.train import Recipe, train
from eegvit.train.batches import Batches
from eegvit.train.checkpoint import Checkpoint
from eegvit.train.run import Run, class_weights, parameter_groups


def data(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.standard_normal((n, 3, 16)).astype(np.float32)
    X[:, 0] += 0.4 * y[:, None]
    return X, y


def build() -> nn.Module:
    standardise = Standardise(torch.zeros(3), torch.ones(3))
    layers = [nn.Flatten(), nn.Linear(48, 8), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 2)]
    return nn.Sequential(standardise, *layers)


def fit(**changes: Any) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    recipe = changes.pop("recipe", Recipe(epochs=6, batch_size=16, augment=("noise",)))
    network, history = train(changes.pop("build", build), *data(), recipe=recipe, **changes)
    return network.state_dict(), history


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


class Killed(Exception):
    pass


def kill_at(last: int) -> Any:
    def on_epoch(epoch: int, record: dict[str, float]) -> None:
        if epoch == last:
            raise Killed

    return on_epoch


def test_depends_on_the_seed_alone() -> None:
    torch.manual_seed(1)
    first = fit(seed=3)
    torch.manual_seed(2)
    np.random.seed(5)  # noqa: NPY002 the caller's state must not matter
    again = fit(seed=3)
    assert same(first[0], again[0]) and first[1] == again[1]
    assert not same(first[0], fit(seed=4)[0])


def test_leaves_the_callers_random_state_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    fit()
    assert torch.equal(torch.rand(3), expected)
    with pytest.raises(Killed):
        fit(on_epoch=kill_at(1))
    with seeded(0, "cpu"):
        torch.rand(1)
    assert not torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("patience", [None, 2])
@pytest.mark.parametrize("last", [1, 4])
def test_killed_and_continued_is_undisturbed(
    tmp_path: Path, last: int, patience: int | None
) -> None:
    settings: dict[str, Any] = {
        "recipe": Recipe(epochs=9, batch_size=16, augment=("time_mask",), patience=patience),
        "rows": np.arange(40),
        "held_out": np.arange(40, 60),
    }
    expected, history = fit(**settings)
    checkpoint = tmp_path / "deep" / "fit.pt"
    with pytest.raises(Killed):
        fit(**settings, checkpoint=checkpoint, save_every=0, on_epoch=kill_at(last))
    seen: list[int] = []
    torch.rand(7)
    state, continued = fit(
        **settings, checkpoint=checkpoint, on_epoch=lambda epoch, _: seen.append(epoch)
    )
    assert same(state, expected) and continued == history
    assert seen[0] == last + 1, "it began anew"
    assert not list(checkpoint.parent.iterdir())


def test_killed_by_the_system_and_continued(tmp_path: Path) -> None:
    checkpoint = tmp_path / "fit.pt"
    script = f"""
        import os, signal, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_loop import fit
        def on_epoch(epoch, record):
            if epoch == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        fit(checkpoint=Path({str(checkpoint)!r}), save_every=0, on_epoch=on_epoch)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == -signal.SIGKILL
    read_sealed(checkpoint)
    expected, history = fit()
    state, continued = fit(checkpoint=checkpoint)
    assert same(state, expected) and continued == history


def test_a_checkpoint_that_does_not_fit_is_not_used(tmp_path: Path) -> None:
    checkpoint = tmp_path / "fit.pt"
    with pytest.raises(Killed):
        fit(seed=1, checkpoint=checkpoint, save_every=0, on_epoch=kill_at(2))
    with pytest.warns(UserWarning, match="another training"):
        state, _ = fit(seed=2, checkpoint=checkpoint)
    assert same(state, fit(seed=2)[0])
    checkpoint.write_bytes(b"PK: a file of a version without checksums")
    state, _ = fit(seed=2, checkpoint=checkpoint)
    assert same(state, fit(seed=2)[0])


def test_every_flipped_bit_of_a_checkpoint_is_noticed(tmp_path: Path) -> None:
    checkpoint = tmp_path / "fit.pt"
    with pytest.raises(Killed):
        fit(checkpoint=checkpoint, save_every=0, on_epoch=kill_at(2))
    whole, (expected, _) = checkpoint.read_bytes(), fit()
    rng = np.random.default_rng(0)
    for damage in range(150):
        content = bytearray(whole)
        place = int(rng.integers(8 * len(whole)))
        content[place // 8] ^= 1 << place % 8
        checkpoint.write_bytes(content)
        with pytest.warns(UserWarning, match=r"fit\.pt is damaged.*kept as fit\.pt\.damaged"):
            if damage % 30:
                Checkpoint(checkpoint, a_run()).load()
            else:
                assert same(fit(checkpoint=checkpoint)[0], expected), "it went on from damage"
        assert not checkpoint.exists()


def test_a_checkpoint_that_is_no_state_is_set_aside(tmp_path: Path) -> None:
    checkpoint, content = tmp_path / "fit.pt", io.BytesIO()
    torch.save([1], content)
    write_sealed(checkpoint, content.getvalue())
    with pytest.warns(UserWarning, match="it is not the state of a training"):
        fit(checkpoint=checkpoint)


def a_run() -> Run:
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 2))
    batches = Batches(np.ones((8, 2, 3), "f4"), np.arange(8) % 2, Recipe(epochs=2), "cpu")
    return Run(network, Recipe(epochs=2), batches, np.arange(8), None, seed=0)


def test_validation_trials_change_nothing_and_are_not_trained_on() -> None:
    rows, held_out = np.arange(40), np.arange(40, 60)
    X, y = data()
    recipe = Recipe(epochs=3, batch_size=16)
    plain, _ = train(build, X, y, recipe=recipe, rows=rows)
    watched, history = train(build, X, y, recipe=recipe, rows=rows, held_out=held_out)
    assert same(plain.state_dict(), watched.state_dict())
    X[40:] = 1e3
    other, changed = train(build, X, y, recipe=recipe, rows=rows, held_out=held_out)
    assert same(other.state_dict(), watched.state_dict())
    assert changed[-1]["valid_loss"] != history[-1]["valid_loss"]


def test_early_stopping_returns_to_the_best_epoch() -> None:
    X, y = data()
    y = np.concatenate([y[:40], 1 - y[40:]])  # what is learned is wrong for the held-out
    rows, held_out = np.arange(40), np.arange(40, 60)
    recipe = Recipe(epochs=40, batch_size=8, learning_rate=0.02, patience=3)
    network, history = train(build, X, y, recipe=recipe, rows=rows, held_out=held_out)
    losses = [record["valid_loss"] for record in history]
    best = int(np.argmin(losses))
    assert len(history) == best + 1 + 3 < 40
    p = predict_proba(network, X[held_out])
    assert -np.log(p[np.arange(20), y[held_out]]).mean() == pytest.approx(losses[best], rel=1e-5)
    with pytest.raises(ValueError, match="patience needs validation"):
        fit(recipe=recipe)


def test_learning_rate_rises_and_falls() -> None:
    rates = [r["learning_rate"] for r in fit(recipe=Recipe(epochs=10, warmup=0.3))[1]]
    assert rates[:3] == sorted(rates[:3]) and rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] == 0 and max(rates) <= 1e-3


def test_class_weights_find_the_rare_class() -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(300) % 10 == 0).astype(np.int64)
    X = rng.standard_normal((300, 3, 16)).astype(np.float32)
    X[:, 0] += 0.3 * y[:, None]
    found = {}
    for weight in (None, "balanced"):
        recipe = Recipe(epochs=20, batch_size=32, learning_rate=0.01, class_weight=weight)
        network, _ = train(build, X, y, recipe=recipe)
        found[weight] = (predict_proba(network, X).argmax(1) == 1).sum()
    assert found["balanced"] > 2 * found[None]
    np.testing.assert_allclose(class_weights(np.array([0, 1, 1, 1]), 2), [2, 2 / 3], rtol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"label_smoothing": 0.2},
        {"clip_norm": 0.01},
        {"weight_decay": 3.0},
        {"augment": ()},
        {"augment": ("noise", "amplitude")},
        {"class_weight": "balanced"},
        {"warmup": 0.5},
        {"mixup": 0.2},
    ],
)
def test_every_setting_has_an_effect(change: dict[str, Any]) -> None:
    rows = np.flatnonzero(np.arange(60) % 4 != 1)  # skewed classes
    base = {"epochs": 3, "batch_size": 16, "augment": ("noise",)}
    plain, _ = fit(recipe=Recipe(**base), rows=rows)
    assert not same(plain, fit(recipe=Recipe(**base | change), rows=rows)[0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 1},
        {"learning_rate": 0.0},
        {"warmup": 1.0},
        {"label_smoothing": -0.1},
        {"class_weight": "even"},
        {"patience": 0},
        {"mixup": -0.1},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Recipe(**wrong)
    with pytest.raises(ValueError, match=r"unknown augmentation 'nois'.*noise"):
        fit(recipe=Recipe(augment=("nois",)))


def test_mixed_trials_have_labels_mixed_in_the_same_shares() -> None:
    y = np.arange(20) % 3
    X = np.eye(3, dtype=np.float32)[y][:, :, None]  # a trial is its label
    batches = Batches(X, y, Recipe(mixup=1.0), "cpu")
    signals, labels = batches.take(np.arange(20), np.random.default_rng(0))
    torch.testing.assert_close(signals[:, :, 0], labels)
    torch.testing.assert_close(labels.sum(1), torch.ones(20))
    assert ((labels > 0.05) & (labels < 0.95)).any()
    plain, codes = batches.take(np.arange(20))  # as in validation
    assert codes.tolist() == y.tolist() and (plain.numpy() == X).all()


def test_a_training_that_diverges_says_so() -> None:
    with pytest.raises(FloatingPointError, match="learning_rate"):
        fit(recipe=Recipe(learning_rate=1e30, warmup=0.0, batch_size=16))


def test_biases_and_norms_do_not_decay() -> None:
    decays, free = parameter_groups(build(), 0.1)
    assert {p.ndim for p in decays["params"]} == {2} and len(decays["params"]) == 2
    assert {p.ndim for p in free["params"]} == {1} and free["weight_decay"] == 0


def test_a_bias_of_many_dimensions_does_not_decay_either() -> None:
    from eegvit.train.decay import decays
    from eegvit.train.together import train_together

    class Placed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight, self.place = (nn.Parameter(torch.ones(2, 3)) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor:
            return (x * self.weight + self.place)[:, :, 0] * 0.0

    names = {"a.conv.weight": True, "a.place": False, "pos_embed": False, "rnn.bias_ih": False}
    assert {name: decays(name, 3) for name in names} == names
    recipe = Recipe(epochs=2, weight_decay=0.5, learning_rate=0.1)
    X, y = np.ones((8, 2, 3), np.float32), np.arange(8) % 2
    alone, _ = train(Placed, X, y, recipe=recipe)
    (beside, _), *_ = train_together(
        [Placed] * 2, X, y, recipe=recipe, rows=[np.arange(8)] * 2, seeds=[0, 1], device="cpu"
    )
    for network in (alone, beside):
        assert torch.equal(network.place, torch.ones(2, 3))
        assert (network.weight < 0.99).all()


def test_read_only_strided_and_double_input() -> None:
    X, y = data()
    expected, _ = train(build, X, y, recipe=Recipe(epochs=2))
    odd = np.asfortranarray(X.astype(np.float64))
    odd.flags.writeable = False
    network, _ = train(build, odd, y, recipe=Recipe(epochs=2))
    assert same(network.state_dict(), expected.state_dict())
    np.testing.assert_allclose(predict_proba(network, odd), predict_proba(expected, X), atol=1e-7)


def test_a_batch_is_never_the_lonely_rest() -> None:
    sizes: list[int] = []

    class Watch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            sizes.append(len(x))
            return x

    fit(build=lambda: nn.Sequential(Watch(), build()), recipe=Recipe(epochs=1, batch_size=59))
    assert sizes == [30, 30]


def test_devices() -> None:
    assert choose_device("auto") in ("cpu", "cuda", "mps")
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="auto"):
            choose_device("cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("augment", [(), ("noise",)])
@pytest.mark.parametrize("amp", [False, True])
def test_on_cuda(tmp_path: Path, amp: bool, augment: tuple[str, ...]) -> None:
    settings: dict[str, Any] = {
        "recipe": Recipe(epochs=5, batch_size=16, amp=amp, augment=augment),
        "device": "cuda",
    }
    torch.cuda.manual_seed(0)
    expected_draw = torch.rand(2, device="cuda")
    torch.cuda.manual_seed(0)
    expected, history = fit(**settings)
    assert torch.equal(torch.rand(2, device="cuda"), expected_draw)
    assert all(value.device.type == "cpu" for value in expected.values())
    checkpoint = tmp_path / "fit.pt"
    with pytest.raises(Killed):
        fit(**settings, checkpoint=checkpoint, save_every=0, on_epoch=kill_at(2))
    state, continued = fit(**settings, checkpoint=checkpoint)
    assert same(state, expected) and continued == history
