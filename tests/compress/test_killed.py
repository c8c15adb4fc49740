"""A pruned fit that is killed goes on where it was, in whatever training that is."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.compress import DistilledClassifier, PrunedClassifier, prune
from eegvit.compress.decided import Decided
from eegvit.pretrain import FineTunedClassifier
from eegvit.train.checkpoint import Checkpoint
from eegvit.train.run import Run
from eegvit.trials import Trials

EEGNET = EEGNetClassifier(kernel_length=16, epochs=4, batch_size=8, device="cpu")
HALF: dict[str, Any] = {"to": 0.5, "of": "parameters", "rounds": 2, "random_state": 3}
PATIENT = clone(EEGNET).set_params(validation=0.3, patience=1, augment="noise")
FINETUNED = FineTunedClassifier(model=EEGNET, pretrain_epochs=2, finetune_steps=8)
MOVED = PrunedClassifier(model=EEGNET, **HALF | {"to": 1.0}, move=True)
MODELS = {
    "plain": PrunedClassifier(model=EEGNET, **HALF),
    "moved": MOVED,
    "patient": PrunedClassifier(model=PATIENT, **HALF),
    "distilled": DistilledClassifier(model=MOVED, teacher="csp_lda", n_folds=2),
    "finetuned": PrunedClassifier(model=FINETUNED, **HALF),
}
PLACES = ((Run, "end_epoch"), (Decided, "keep"), (Checkpoint, "finish"))


class Killed(BaseException):
    """As good as a signal: nothing catches it."""


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count epochs, decisions and ends of trainings; each epoch is worth a checkpoint."""
    clock, ran = itertools.count(step=1000.0), Counter[str]()
    monkeypatch.setattr("eegvit.train.loop.time.monotonic", lambda: next(clock))
    for owner, name in PLACES:
        monkeypatch.setattr(owner, name, _counting(getattr(owner, name), name, ran))
    return ran


def _counting(real: Any, name: str, ran: Counter[str]) -> Any:
    def method(self: Any, *given: Any) -> Any:
        told = real(self, *given)
        ran[name] += 1
        if ran[name] == ran[f"kill after {name}"]:
            raise Killed
        return told

    return method


def fit(model: Any, trials: Trials, checkpoint: Path) -> tuple[Any, ...]:
    """Return all that a fit finds."""
    groups = np.repeat(["a", "b", "c", "d"], -(-len(trials.y) // 4))[: len(trials.y)]
    whole = clone(model).fit(trials.X, trials.labels, groups=groups, checkpoint=checkpoint)
    network = whole.model_ if hasattr(whole.model_, "module_") else whole.model_.model_
    weights = {name: value.tolist() for name, value in network.module_.state_dict().items()}
    return weights, network.cuts_, network.history_, whole.units_


@pytest.mark.parametrize("name", MODELS)
def test_killed_anywhere_it_becomes_the_same(
    name: str, trials: Trials, counted: Counter[str], tmp_path: Path
) -> None:
    model, file = MODELS[name], tmp_path / "fit.checkpoint"
    expected, total = fit(model, trials, file), counted.copy()
    assert total["keep"] == 2 and total["finish"] >= 3 and not list(tmp_path.iterdir())
    for _, place in PLACES:
        for number in range(1, total[place] + 1, 2 if place == "end_epoch" else 1):
            counted.clear()
            counted[f"kill after {place}"] = number
            with pytest.raises(Killed):
                fit(model, trials, file)
            at = f"{place} {number}"
            done, counted[f"kill after {place}"] = counted.copy(), 0
            assert fit(model, trials, file) == expected, at
            assert counted["keep"] == total["keep"], f"{at}: decided again"
            lost = 1 if place == "end_epoch" else 0  # its checkpoint was not written yet
            again = counted["end_epoch"] - total["end_epoch"]
            assert again <= lost, f"{at}: {again} epochs trained again of {done['end_epoch']}"
            assert not list(tmp_path.iterdir()), at


def test_killed_by_a_signal_twice(trials: Trials, tmp_path: Path) -> None:
    file, data = tmp_path / "fit.checkpoint", tmp_path / "data.npz"
    np.savez(data, X=trials.X, y=trials.labels)
    script = f"""
import os, signal, sys
import numpy as np
from eegvit import EEGNetClassifier, PrunedClassifier
from eegvit.compress.decided import Decided
from eegvit.train.checkpoint import Checkpoint

def killing(owner, name, at):
    real, calls = getattr(owner, name), []
    def method(self, *given):
        real(self, *given)
        calls.append(1)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, method)

killing(*{{"decided": (Decided, "keep", 1), "trained": (Checkpoint, "finish", 2)}}[sys.argv[1]])
net = EEGNetClassifier(kernel_length=16, epochs=4, batch_size=8, device="cpu")
with np.load({str(data)!r}) as data:
    PrunedClassifier(model=net, **{HALF!r}).fit(
        data["X"], data["y"], checkpoint=__import__("pathlib").Path({str(file)!r})
    )
"""
    for where in ("decided", "trained"):
        done = subprocess.run([sys.executable, "-c", script, where], check=False)
        assert done.returncode == -signal.SIGKILL
    names = {path.name.removeprefix("fit.checkpoint") for path in tmp_path.glob("fit.*")}
    assert names == {"", ".rounds", ".round-1"}
    assert fit(MODELS["plain"], trials, file) == fit(MODELS["plain"], trials, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["data.npz"]


def test_decisions_of_another_pruning_or_damaged_are_not_taken_over(
    trials: Trials, counted: Counter[str], tmp_path: Path
) -> None:
    file, whole = tmp_path / "fit", clone(EEGNET).fit(trials.X, trials.labels)

    def pruned(**changes: Any) -> Any:
        settings = {"to": 0.5, "of": "parameters", "rounds": 2, "checkpoint": file} | changes
        return prune(whole, trials.X, trials.labels, **settings).cuts_

    expected, decisions = pruned(to=0.3), tmp_path / "fit.rounds"
    for spoil, warning in (
        (lambda: None, "is of another pruning"),
        (lambda: decisions.write_bytes(decisions.read_bytes()[:-4]), "is damaged"),
    ):
        counted.clear()
        counted["kill after keep"] = 2
        with pytest.raises(Killed):
            pruned()
        spoil()
        counted["kill after keep"] = 0
        with pytest.warns(UserWarning, match=warning):
            assert pruned(to=0.3) == expected
        for left in tmp_path.iterdir():
            left.unlink()
