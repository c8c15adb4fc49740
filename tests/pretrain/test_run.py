"""The pretraining loop: the same weights after a kill, with several processes, for a seed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.networks.layers import Standardise
from eegvit.pretrain.learner import Learner
from eegvit.pretrain.model import pretrain_model
from eegvit.pretrain.processes import Processes
from eegvit.pretrain.run import PretrainRun, pretrain, progress
from eegvit.pretrain.samples import Samples, samples
from eegvit.pretrain.settings import OBJECTIVES, Objective, PretrainRecipe

VIEWS = (("crop", 0.3), ("noise", 0.2), ("rotation", 0.1))


def trials(n: int = 36) -> Samples:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, 3, 48)).astype(np.float32)
    return samples(X, people=np.arange(n) % 3, labels=np.arange(n) % 2)


def build() -> nn.Module:
    layers = [nn.Flatten(), nn.Linear(144, 12), nn.BatchNorm1d(12), nn.Dropout(0.3)]
    network = nn.Sequential(*layers, nn.Linear(12, 2))
    return nn.Sequential(Standardise(torch.zeros(3), torch.ones(3)), network)


def fit(**changes: Any) -> tuple[dict[str, torch.Tensor], list[dict[str, float]]]:
    objective = changes.pop("objective", Objective(momentum=0.9, queue=20, reconstruct=1.0))
    recipe = PretrainRecipe(epochs=5, batch_size=16, objective=objective, views=VIEWS)
    given = changes.pop("samples", trials())
    network, history = pretrain(build, given, recipe=recipe, **changes)
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


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_learns_and_depends_on_the_seed_alone(name: str) -> None:
    objective = OBJECTIVES[name]
    torch.manual_seed(1)
    first, history = fit(objective=objective, seed=3)
    torch.manual_seed(2)
    again, repeated = fit(objective=objective, seed=3)
    assert same(first, again) and history == repeated
    assert not same(first, fit(objective=objective, seed=4)[0])
    assert same(
        {"last": first["1.4.weight"]},
        {"last": fit(objective=OBJECTIVES["contrastive"], seed=3)[0]["1.4.weight"]},
    ), "the last layer is not pretrained"


@pytest.mark.parametrize("last", [1, 3])
def test_killed_and_continued_is_undisturbed(tmp_path: Path, last: int) -> None:
    expected, history = fit()
    checkpoint = tmp_path / "pretraining.pt"
    with pytest.raises(Killed):
        fit(checkpoint=checkpoint, save_every=0, on_epoch=kill_at(last))
    assert checkpoint.exists()
    seen: list[int] = []
    torch.rand(5)
    state, continued = fit(checkpoint=checkpoint, on_epoch=lambda epoch, _: seen.append(epoch))
    assert same(state, expected) and continued == history
    assert seen[0] == last + 1 and not checkpoint.exists()


def test_another_objective_does_not_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "pretraining.pt"
    with pytest.raises(Killed):
        fit(checkpoint=checkpoint, save_every=0, on_epoch=kill_at(2))
    other = Objective(momentum=0.9, queue=20, reconstruct=1.0, temperature=0.3)
    with pytest.warns(UserWarning, match="another training"):
        state, _ = fit(objective=other, checkpoint=checkpoint)
    assert same(state, fit(objective=other)[0])


SCRIPT = """
    import sys
    import torch
    sys.path.insert(0, {folder!r})
    from test_run import gathered
    from eegvit.pretrain.processes import joined

    with joined() as processes:
        torch.save(gathered(), {out!r} + f"/{{processes.rank}}.pt")
"""


def gathered() -> tuple[dict[str, torch.Tensor], list[dict[str, float]], dict[str, torch.Tensor]]:
    """Pretrain with all that crosses from process to process, and with batch norm and dropout."""
    objective = Objective(momentum=0.9, queue=20, reconstruct=1.0, align_people=1.0)
    recipe = PretrainRecipe(
        epochs=3, batch_size=16, views=VIEWS, learning_rate=0.01, objective=objective
    )
    n = 35  # batches of 12, 12 and 11: also parts of different sizes
    network, history = pretrain(plain, trials(n), recipe=recipe)
    normed, _ = pretrain(build, trials(n), recipe=recipe)
    return network.state_dict(), history, normed.state_dict()


def plain() -> nn.Module:
    """Return a network without batch norm and dropout, which see a process's own trials only."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(144, 12), nn.Tanh(), nn.Linear(12, 2))
    return nn.Sequential(Standardise(torch.zeros(3), torch.ones(3)), network)


@pytest.mark.slow
def test_two_processes_do_what_one_does(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    folder = str(Path(__file__).parent)
    script.write_text(textwrap.dedent(SCRIPT).format(folder=folder, out=str(tmp_path)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    said = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}  # as torchrun says
    started = [
        subprocess.Popen(
            [sys.executable, str(script)],
            env={**os.environ, **said, "RANK": rank, "LOCAL_RANK": rank},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in ("0", "1")
    ]
    alone, history, _ = gathered()
    for process in started:
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint[-2000:]
    parts = [torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1)]
    assert same(parts[0][0], parts[1][0]) and same(parts[0][2], parts[1][2])
    torch.manual_seed(0)
    untrained = plain().state_dict()
    for state, told, _ in parts:
        for name, value in alone.items():
            torch.testing.assert_close(state[name], value, rtol=1e-4, atol=1e-5)
        for one, two in zip(history, told, strict=True):
            assert one == pytest.approx(two, rel=1e-5)
    assert (alone["1.1.weight"] - untrained["1.1.weight"]).abs().max() > 0.02


@pytest.mark.parametrize(
    "model",
    [
        EEGNetClassifier(kernel_length=16, separable_length=8, device="cpu"),
        EfficientViTClassifier(preset="eeg_xs", sfreq=64.0, device="cpu"),
        EfficientViTClassifier(
            preset="eeg_xs", layout="grid", ch_names=("C3", "Cz", "C4"), sfreq=64.0, device="cpu"
        ),
    ],
    ids=["eegnet", "conv", "grid"],
)
def test_networks_learn_to_reconstruct(model: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3, 128)) * np.exp(rng.standard_normal((40, 3, 1)))
    recipe = PretrainRecipe(
        epochs=12, batch_size=20, learning_rate=5e-3, objective=OBJECTIVES["contrastive+masked"]
    )
    told: list[str] = []
    losses: list[float] = []
    pretrain_model(
        model,
        X,
        recipe=recipe,
        subjects=["a/1"] * 40,
        say=told.append,
        on_epoch=lambda _, record: losses.append(record["train_loss"]),
    )
    assert np.mean(losses[-3:]) < 0.9 * losses[0]
    assert len(told) == 12 and told[-1].startswith("epoch 12/12") and "0:00 left" in told[-1]


def test_a_step_moves_the_slow_copy_and_fills_the_queue() -> None:
    objective, given = Objective(momentum=0.9, queue=20), trials()
    recipe = PretrainRecipe(batch_size=12, objective=objective)
    learner = Learner(build(), objective, None, torch.from_numpy(given.X[:2]))
    before = [parameter.clone() for parameter in learner.slow.parameters()]
    run = PretrainRun(learner, recipe, given, None, 0, "cpu", Processes())
    run.begin_epoch()
    run.step(np.arange(12))
    assert any(
        not torch.equal(old, new)
        for old, new in zip(before, learner.slow.parameters(), strict=True)
    )
    assert int(learner.n_queued) == 12 and learner.queue[:12].norm(dim=1).min() > 0.99
    assert learner.queued_facts[:12, 0].tolist() == list(range(12))


def test_progress_tells_the_time_left() -> None:
    assert progress(6, 10, 2, {"train_loss": 2.0}, 30.0) == "epoch 6/10, loss 2.000, 1:00 left"
