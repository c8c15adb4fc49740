"""Networks in ONNX say what torch says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.branches.spd import SPDNetClassifier
from eegvit.branches.spiking import SpikingClassifier
from eegvit.compress import PrunedClassifier
from eegvit.deploy import onnx
from eegvit.deploy.alignment import Alignment
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.onnx import export, load
from eegvit.pretrain import FineTunedClassifier
from eegvit.registry import installed
from eegvit.sealed import Damaged
from eegvit.trials import Trials

LACKING = [name for name in ("onnx", "onnxruntime", "onnxscript") if not installed(name)]
pytestmark = [
    pytest.mark.skipif(bool(LACKING), reason=f"ONNX MISSING: {LACKING}; install '.[deploy]'"),
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning"),
]
Make = Callable[..., Decoder]


@pytest.mark.parametrize("kind", ["eegnet", "shallow", "finetuned", "pruned", "pruned vit"])
def test_the_same_as_torch_for_any_number_of_trials(
    trials: Trials, decoder_of: Make, tmp_path: Path, kind: str
) -> None:
    eegnet = EEGNetClassifier(epochs=1)
    vit = EfficientViTClassifier(epochs=1, sfreq=trials.sfreq, layout="scalp")
    models = {
        "eegnet": eegnet,
        "shallow": ShallowConvNetClassifier(epochs=1),
        "finetuned": FineTunedClassifier(model=eegnet, objective="none", finetune_steps=4),
        "pruned": PrunedClassifier(model=eegnet, rounds=2),
        "pruned vit": PrunedClassifier(model=vit, rounds=1),
    }
    model = models[kind].fit(trials.X, trials.labels)
    decoder = decoder_of(model, trials, Alignment("euclidean"))
    assert export(decoder, tmp_path / "it.onnx") < 1e-5
    again = load(tmp_path / "it.onnx")
    assert again.about == decoder.about and again.reading.card == decoder.reading.card
    for n in (1, 2, 5, 40):
        np.testing.assert_allclose(
            again.probabilities(trials.X[:n]), decoder.probabilities(trials.X[:n]), atol=1e-5
        )


class NanForZeros(nn.Module):
    """A network that says nan of a trial without a signal, and else what it should."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map trials to logits."""
        told: torch.Tensor = self.network(x)
        return told + 1e-9 * x.abs().sum((1, 2)).log()[:, None].sqrt()


@pytest.mark.parametrize("how", ["other weights", "nan"])
def test_what_is_translated_wrongly_is_not_written(
    trials: Trials, decoder_of: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    right = onnx._translated

    def wrong(network: nn.Module, shape: tuple[int, int]) -> Any:
        other = copy.deepcopy(network)
        if how == "nan":
            return right(NanForZeros(other), shape)
        with torch.no_grad():
            for weight in other.parameters():
                weight *= 2
        return right(other, shape)

    model = EEGNetClassifier(epochs=1).fit(trials.X, trials.labels)
    monkeypatch.setattr(onnx, "_translated", wrong)
    off = "nan" if how == "nan" else "[0-9]"
    with pytest.raises(ValueError, match=f"is not written: in ONNX the probabilities .* by {off}"):
        export(decoder_of(model, trials), tmp_path / "it.onnx")
    assert not (tmp_path / "it.onnx").exists()


def test_a_changed_file_is_refused(trials: Trials, decoder_of: Make, tmp_path: Path) -> None:
    path = tmp_path / "it.onnx"
    model = EEGNetClassifier(epochs=1).fit(trials.X, trials.labels)
    export(decoder_of(model, trials), path)
    whole = path.read_bytes()
    for place in np.linspace(100, len(whole) - 100, 25).astype(int).tolist():
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(Damaged):
            load(path)
    path.write_bytes(b"no protobuf")
    with pytest.raises(Damaged, match=r"it\.onnx is"):
        load(path)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (CSPLDAClassifier(), "CSPLDAClassifier is no network"),
        (SpikingClassifier(epochs=1, sfreq=128.0), "has spiking neurons"),
        (SPDNetClassifier(epochs=1), "takes eigenvalues of covariances"),
        (
            FusionClassifier(branches=["csp_lda", "eegnet"], epochs=1, sfreq=128.0),
            "has classical branches",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused_by_name(
    trials: Trials, decoder_of: Make, tmp_path: Path, model: object, said: str
) -> None:
    fitted = model.fit(trials.X, trials.labels)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=said):
        export(decoder_of(fitted, trials), tmp_path / "it.onnx")
    assert not (tmp_path / "it.onnx").exists()
