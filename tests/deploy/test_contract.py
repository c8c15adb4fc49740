"""Whatever the registry can build says the same after a file and in another process."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.branches.fusion.choices import Fuse
from eegvit.branches.neural import NeuralClassifier
from eegvit.deploy.decoder import Decoder
from eegvit.ensemble import EnsembleClassifier
from eegvit.ensemble.rules import RULES
from eegvit.pretrain import FineTunedClassifier
from eegvit.registry import BRANCHES, lookup
from eegvit.trials import Trials

SHORT: dict[str, Any] = {"epochs": 1, "batch_size": 16, "device": "cpu"}
NEEDED: dict[str, dict[str, Any]] = {
    "braindecode": {"model": "EEGNet"},
    "fusion": {"branches": ["fbcsp", "eegnet"]},
    "pipeline": {
        "steps": [
            {"from": "pyriemann.estimation", "name": "Covariances"},
            {"from": "pyriemann.tangentspace", "name": "TangentSpace"},
            {"from": "sklearn.svm", "name": "SVC", "parameters": {"probability": True}},
        ]
    },
}
FUSED: dict[str, dict[str, Any]] = {
    "gated": {"branches": ["eegnet", "shallow"], "fuse": "gated", "auxiliary": 0.3},
    "attention": {"branches": ["efficientvit", "eegnet"], "fuse": "attention"},
    "multiscale": {"branches": ["eegnet", "shallow"], "fuse": "multiscale"},
    "series": {"branches": ["snn", "eegnet"], "wiring": "series"},
    "maps": {"branches": ["fbcsp", "eegnet"], "classical": "cnn"},
    "frozen": {"branches": [{"branch": "eegnet", "epochs": 1}, "csp_lda"], "start": "frozen"},
    "finetuned": {
        "branches": [{"branch": b, "epochs": 1} for b in ("eegnet", "shallow")],
        "start": "finetuned",
    },
}
ENSEMBLES = [(rule, name) for rule in RULES for name in (*RULES[rule].learners, None)]
LOADS = """
import sys
import numpy as np
from pathlib import Path
from eegvit import Decoder

folder = Path(sys.argv[1])
X = np.load(folder / "X.npy")
told = {p.stem: Decoder.load(p).probabilities(X) for p in sorted(folder.glob("*.eegvit"))}
np.savez(folder / "told.npz", **told)
"""

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::RuntimeWarning", "ignore::FutureWarning"
)


def built(name: str, trials: Trials, **more: Any) -> Any:
    """Return an unfitted branch for these trials, with short training."""
    cls = lookup(BRANCHES, name)
    known = inspect.signature(cls).parameters
    given = SHORT | {"sfreq": trials.sfreq, "ch_names": trials.ch_names}
    return cls(**{k: v for k, v in given.items() if k in known} | NEEDED.get(name, {}) | more)


def everything(trials: Trials) -> dict[str, Any]:
    """Return unfitted models: each branch, wiring, start from pretraining, rule of ensembles."""
    models = {name: built(name, trials) for name in BRANCHES}
    models |= {f"fusion-{name}": built("fusion", trials, **how) for name, how in FUSED.items()}
    eegnet = built("eegnet", trials)
    models["pretrained"] = FineTunedClassifier(model=eegnet, pretrain_epochs=1, finetune_steps=2)
    models["scratch"] = FineTunedClassifier(model=eegnet, objective="none", finetune_steps=2)
    members = {"csp": built("csp_lda", trials), "mdm": built("mdm", trials)}
    for rule, learner in ENSEMBLES:
        models[f"{rule}-{learner}"] = EnsembleClassifier(
            members=members, rule=rule, learner=learner, calibrate=rule == "average"
        )
    models["networks"] = EnsembleClassifier(members={"eegnet": eegnet, "fused": models["fusion"]})
    return models


def fitted(model: Any, trials: Trials) -> Any:
    """Return a model fitted on trials; what trained little has weights that hide nothing."""
    takes = inspect.signature(model.fit).parameters
    people = {"groups": trials.index % 4} if "groups" in takes else {}
    model.fit(trials.X, trials.labels, **people)
    for part in (model, getattr(model, "model_", None), *getattr(model, "members_", {})):
        if isinstance(part, NeuralClassifier) and hasattr(part, "module_"):
            disturb(part.module_)
    return model


def disturb(network: nn.Module) -> None:
    """Move every number of a network a little, so that none is what it is built with."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if value.is_floating_point():
            step = 0.05 * (value.abs().mean() + 0.05)
            value += step * torch.randn(value.shape, generator=generator)
            if name.endswith(("running_var", "scale", "shares")):
                value.abs_()


def test_the_same_probabilities_in_a_new_process(
    trials: Trials, decoder_of: Callable[..., Decoder], tmp_path: Path
) -> None:
    trials = trials[:24]
    np.save(tmp_path / "X.npy", trials.X)
    before = {}
    for name, model in everything(trials).items():
        decoder = decoder_of(fitted(model, trials), trials)
        decoder.save(tmp_path / f"{name}.eegvit")
        before[name] = decoder.probabilities(trials.X)
    subprocess.run([sys.executable, "-c", LOADS, str(tmp_path)], check=True)
    after = np.load(tmp_path / "told.npz")
    assert set(after) == set(before) and len(before) > 25
    off = {name: float(np.abs(after[name] - before[name]).max()) for name in before}
    assert {name: value for name, value in off.items() if not value <= 1e-6} == {}
    same = ("chance", "meta-xgboost")  # of so few trials trees learn nothing: see below
    told = {name: np.ptp(P, axis=0).max() for name, P in before.items() if name not in same}
    assert min(told.values()) > 1e-4, "a model that says the same of all trials shows nothing"


def test_boosted_trees(
    make_trials: Callable[..., Trials], decoder_of: Callable[..., Decoder], tmp_path: Path
) -> None:
    trials = make_trials(n_trials=160, contrast=0.5)
    members = {"csp": built("csp_lda", trials), "mdm": built("mdm", trials)}
    model = EnsembleClassifier(members=members, rule="meta", learner="xgboost")
    decoder = decoder_of(fitted(model, trials), trials)
    decoder.save(tmp_path / "it.eegvit")
    told = Decoder.load(tmp_path / "it.eegvit").probabilities(trials.X)
    assert np.ptp(told, axis=0).max() > 0.5
    np.testing.assert_allclose(told, decoder.probabilities(trials.X), atol=1e-7)


def test_the_list_above_has_every_way_to_fuse() -> None:
    assert set(get_args(Fuse)) <= {how.get("fuse", "concat") for how in FUSED.values()}
