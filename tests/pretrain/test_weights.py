"""Weights files: what they hold, whom they saw, and when they are refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from eegvit.branches.braindecode import BraindecodeClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.neural import NeuralClassifier
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.branches.spiking import SpikingClassifier
from eegvit.pretrain.encoder import Encoder, last_layers
from eegvit.pretrain.model import pretrain_model
from eegvit.pretrain.settings import PretrainRecipe
from eegvit.pretrain.tensors import KINDS, read, write
from eegvit.pretrain.weights import Weights, load

SUBJECTS = ["2b/1"] * 8 + ["2b/4"] * 8


def signals(n_times: int = 128, n_channels: int = 3) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((16, n_channels, n_times)).astype(np.float32)


def pretrained(model: NeuralClassifier, X: np.ndarray | None = None, **changes: Any) -> Weights:
    recipe = PretrainRecipe(epochs=1, batch_size=8, views=(("crop", 0.3),), **changes)
    given = signals() if X is None else X
    return pretrain_model(model, given, recipe=recipe, subjects=SUBJECTS, seed=3)


def built(model: NeuralClassifier, X: np.ndarray, n_classes: int = 3) -> torch.nn.Module:
    model.check_X(X, reset=True)
    model.classes_ = np.arange(n_classes)
    return model.builder(X, np.arange(len(X)))()


MODELS = {
    "eegnet": EEGNetClassifier(device="cpu"),
    "shallow": ShallowConvNetClassifier(device="cpu", pool_length=30),
    "efficientvit": EfficientViTClassifier(preset="eeg_xs", sfreq=64.0, device="cpu"),
    "patch": EfficientViTClassifier(preset="eeg_xs", layout="patch", sfreq=64.0, device="cpu"),
    "snn": SpikingClassifier(sfreq=64.0, device="cpu"),
    "braindecode": BraindecodeClassifier(model="ShallowFBCSPNet", device="cpu"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", MODELS)
def test_every_network_takes_its_weights_back(name: str, tmp_path: Path) -> None:
    model = MODELS[name]
    weights = pretrained(model)
    weights.save(tmp_path / "w.safetensors")
    again = load(tmp_path / "w.safetensors")
    X = 5 * signals() + 1  # of another standardisation
    network = built(model, X)
    last = last_layers(network, torch.zeros(2, 3, 128))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    again.put_into(network, last)
    after = network.state_dict()
    for key in (
        *(f"{name}.weight" for name in last),
        "0.mean",
        "0.scale",
    ):  # the own last layer and standardisation
        assert torch.equal(after[key], before[key])
    assert len(again.tensors) >= 4
    assert not any(key.rpartition(".")[0] in last for key in again.tensors)
    for key, value in again.tensors.items():
        np.testing.assert_array_equal(after[key].numpy(), value)
    embedding = Encoder(network, torch.zeros(2, 3, 128)).eval()(torch.from_numpy(X))
    assert embedding.shape[0] == 16 and embedding.std() > 0
    assert network(torch.from_numpy(X)).shape == (16, 3)


def test_the_manifest_says_what_and_whom() -> None:
    about = pretrained(EEGNetClassifier(depth=3, device="cpu")).manifest
    assert about["subjects"] == ["2b/1", "2b/4"] and set(about["data"]) == {"2b/1", "2b/4"}
    assert about["architecture"]["class"] == "EEGNetClassifier"
    assert about["architecture"]["parameters"]["depth"] == 3
    assert (about["architecture"]["n_channels"], about["architecture"]["n_times"]) == (3, 128)
    assert about["recipe"]["objective"]["temperature"] == 0.2
    assert about["recipe"]["views"] == [["crop", 0.3]]
    assert about["epochs"] == 1 and about["seed"] == 3 and "torch" in about["versions"]
    other = signals()
    other[12, 0, 0] += 1
    changed = pretrained(EEGNetClassifier(device="cpu"), other).manifest["data"]
    assert changed["2b/1"] == about["data"]["2b/1"] and changed["2b/4"] != about["data"]["2b/4"]
    assert json.loads(json.dumps(about)) == about


def test_another_architecture_is_refused_with_names_and_shapes() -> None:
    weights = pretrained(EEGNetClassifier(device="cpu"))
    wider = built(EEGNetClassifier(n_filters=4, device="cpu"), signals())
    with pytest.raises(
        ValueError, match=r"EEGNetClassifier.*1\.depthwise is \(16, 16\).*\(8, 16\)"
    ):
        weights.put_into(wider, ["1.head"])
    montage = built(EEGNetClassifier(device="cpu"), signals(n_channels=5))
    with pytest.raises(ValueError, match=r"1 tensors differ: 1\.front\.spatial is \(16, 3\)"):
        weights.put_into(montage, ["1.head"])
    other = built(ShallowConvNetClassifier(pool_length=30, device="cpu"), signals())
    before = {key: value.clone() for key, value in other.state_dict().items()}
    with pytest.raises(ValueError, match="is not in the weights"):
        weights.put_into(other, ["1.head"])
    assert all(torch.equal(before[key], value) for key, value in other.state_dict().items())


def test_one_file_serves_several_montages_on_a_grid() -> None:
    def model(names: tuple[str, ...]) -> EfficientViTClassifier:
        return EfficientViTClassifier(
            preset="eeg_xs", layout="grid", sfreq=64.0, ch_names=names, device="cpu"
        )

    weights = pretrained(model(("C3", "Cz", "C4")))
    network = built(model(("C3", "Fz", "C4", "Pz", "Oz")), signals(n_channels=5))
    weights.put_into(network, last_layers(network, torch.zeros(2, 5, 128)))


@pytest.mark.parametrize("protocol", ["cross_subject", "cross_dataset"])
def test_a_person_seen_and_tested_is_refused_by_name(protocol: str) -> None:
    weights = Weights({}, {"subjects": ["2b/1", "2b/4"]})
    with pytest.raises(ValueError, match="pretrained on 2b/4, to be tested"):
        weights.check(protocol, ["2b/3", "2b/4"])
    assert weights.check(protocol, ["2b/4"], transductive=True) == "unlabelled"
    assert weights.check(protocol, ["2a/4", "2b/3"]) == "none"
    assert weights.check("cross_session", ["2b/4"]) == "unlabelled"


def test_files_are_read_back_as_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        kind: np.asarray(rng.integers(0, 2, (2, 3)), dtype=np.dtype(code))
        for kind, code in KINDS.items()
    }
    arrays |= {"scalar": np.float32(3), "none": np.zeros((0, 4), np.float32)}
    arrays["turned"] = rng.standard_normal((3, 4)).T
    write(tmp_path / "a", arrays, {"who": "éa"})
    found, metadata = read(tmp_path / "a")
    assert set(found) == set(arrays) and metadata == {"who": "éa"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].shape == np.shape(array)
    assert not list(tmp_path.glob("*.partial"))
    with pytest.raises(ValueError, match="complex"):
        write(tmp_path / "b", {"x": np.ones(2, complex)}, {})


def test_what_is_no_such_file_is_refused_and_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "sprung",)

    for content in (pickle.dumps(Trap()), b"", b"\x05", (40).to_bytes(8, "little") + b"{}"):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(ValueError, match="no safetensors file"):
            load(tmp_path / "bad")
    torch.save([1], tmp_path / "bad")
    with pytest.raises(ValueError, match="no safetensors file"):
        load(tmp_path / "bad")
    assert not (tmp_path / "sprung").exists()
    write(tmp_path / "cut", {"x": np.ones(9)}, {"manifest": "{}"})
    whole = (tmp_path / "cut").read_bytes()
    (tmp_path / "cut").write_bytes(whole.replace(b"[9]", b"[8]"))
    with pytest.raises(ValueError, match="damaged"):
        load(tmp_path / "cut")
    (tmp_path / "cut").write_bytes(whole[:-8])
    with pytest.raises(ValueError, match="damaged"):
        load(tmp_path / "cut")
    write(tmp_path / "bare", {"x": np.ones(9)}, {})
    with pytest.raises(ValueError, match="no manifest"):
        load(tmp_path / "bare")
