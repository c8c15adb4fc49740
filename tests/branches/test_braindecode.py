"""braindecode's models by name."""

from __future__ import annotations

import importlib
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.branches.braindecode import BraindecodeClassifier
from eegvit.networks.logits import Logits

SHORT: dict[str, Any] = {"epochs": 1, "batch_size": 16, "device": "cpu"}
NAMES = ("C3", "C1", "Cz", "C2", "C4", "FC3", "FC4", "CPz")

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", autouse=True)
def _needs_braindecode() -> None:
    pytest.importorskip("braindecode.models", exc_type=ImportError)


@pytest.mark.parametrize(
    "model",
    ["ATCNet", "EEGConformer", "Deep4Net", "ShallowFBCSPNet", "EEGNeX", "FBCNet", "USleep"],
)
def test_models(model: str, make_trials: Any) -> None:
    data = make_trials(n_times=512, sfreq=128.0)
    fitted = BraindecodeClassifier(model=model, sfreq=128.0, **SHORT).fit(data.X, data.labels)
    p = fitted.predict_proba(data.X)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-6)
    back = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_allclose(back.predict_proba(data.X), p, atol=1e-7)


def test_models_that_need_electrode_positions(trials: Any) -> None:
    def fit(**known: Any) -> Any:
        return BraindecodeClassifier(model="DGCNN", **known, **SHORT).fit(trials.X, trials.labels)

    assert fit(sfreq=64.0, ch_names=NAMES).predict_proba(trials.X).shape == (40, 2)
    with pytest.raises(ValueError, match="DGCNN cannot be built.*chs_info"):
        fit(sfreq=64.0)


def test_model_parameters_reach_the_model(trials: Any) -> None:
    sizes = [
        BraindecodeClassifier(model_parameters=given, **SHORT)
        .fit(trials.X, trials.labels)
        .n_parameters_
        for given in (None, {"F1": 4})
    ]
    assert sizes[1] < sizes[0]
    with pytest.raises(ValueError, match=r"no parameter 'att_drop', did you mean 'att_drop_prob'"):
        BraindecodeClassifier(model="ATCNet", model_parameters={"att_drop": 0.1}, **SHORT).fit(
            trials.X, trials.labels
        )


def test_wrong_names(trials: Any) -> None:
    with pytest.raises(ValueError, match="no 'ATCnet', did you mean 'ATCNet'"):
        BraindecodeClassifier(model="ATCnet", **SHORT).fit(trials.X, trials.labels)
    with pytest.raises(ValueError, match="FBCNet cannot be built.*sampling rate was given"):
        BraindecodeClassifier(model="FBCNet", **SHORT).fit(trials.X, trials.labels)


def test_with_a_torchaudio_that_does_not_fit(trials: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Any:
        raise OSError(f"{name}: libtorchaudio.so: undefined symbol")

    monkeypatch.setattr(importlib, "import_module", fail)
    expected = (
        r"braindecode is installed but.*undefined symbol.*pip install 'eegvit\[braindecode\]'"
    )
    with pytest.raises(ImportError, match=expected):
        BraindecodeClassifier(model="ATCNet", **SHORT).fit(trials.X, trials.labels)


class Fixed(nn.Module):
    def __init__(self, out: Any) -> None:
        super().__init__()
        self.out = out

    def forward(self, x: torch.Tensor) -> Any:
        return self.out


def test_logits() -> None:
    x, scores = torch.zeros(4, 3, 10), torch.randn(4, 2)
    for out in (scores, (scores, "more"), [(scores,)], scores[:, :, None]):
        assert torch.equal(Logits(Fixed(out), 2)(x), scores)
    per_step = torch.randn(4, 2, 7)
    torch.testing.assert_close(Logits(Fixed(per_step), 2)(x), per_step.mean(2))
    with pytest.raises(ValueError, match=r"\(4, 5\).*not a classifier"):
        Logits(Fixed(torch.zeros(4, 5)), 2)(x)
    log_probabilities = scores.log_softmax(1)
    torch.testing.assert_close(log_probabilities.softmax(1), scores.softmax(1))
