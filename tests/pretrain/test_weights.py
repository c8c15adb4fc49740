"""Weights files: what they hold, whom they saw, and when they are refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from eegvit.branches.braindecode import BraindecodeClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.neural import NeuralClassifier
from eegvit.branches.shallow import ShallowConvNetClassifier
from eegvit.branches.spiking import SpikingClassifier
from eegvit.pretrain.encoder import Encoder, last_layers
from eegvit.pretrain.model import pretrain_model
from eegvit.pretrain.settings import PretrainRecipe
from eegvit.pretrain.weights import Weights, load
from eegvit.sealed import Damaged, Unsealed

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
    "scalp": EfficientViTClassifier(layout="scalp", sfreq=64.0, device="cpu"),
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
    kinds = ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u1", "?")
    arrays = {kind: np.asarray(rng.integers(0, 2, (2, 3)), dtype=kind) for kind in kinds}
    arrays |= {"scalar": np.asarray(np.float32(3)), "none": np.zeros((0, 4), np.float32)}
    arrays |= {"turned": rng.standard_normal((3, 4)).T, "big-endian": np.arange(3, dtype=">f4")}
    Weights(arrays, {"subjects": ["éa/1"]}).save(tmp_path / "deep" / "a")
    found = load(tmp_path / "deep" / "a")
    assert set(found.tensors) == set(arrays) and found.manifest == {"subjects": ["éa/1"]}
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.tensors[name], array)
        assert found.tensors[name].shape == array.shape
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a"]
    with safe_open(tmp_path / "deep" / "a", "pt") as file:  # as others read such files
        assert torch.equal(file.get_tensor("f4"), torch.from_numpy(arrays["f4"]))
    with pytest.raises(SafetensorError, match="complex"):
        Weights({"x": np.ones(2, complex)}, {"subjects": []}).save(tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_what_is_no_such_file_is_refused_and_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "sprung",)

    for content in (pickle.dumps(Trap()), b"", b"\x05", (40).to_bytes(8, "little") + b"{}"):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(Damaged, match="bad is damaged, or no safetensors file"):
            load(tmp_path / "bad")
    torch.save([1], tmp_path / "bad")
    with pytest.raises(Damaged, match="no safetensors file"):
        load(tmp_path / "bad")
    assert not (tmp_path / "sprung").exists()
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere")
    with pytest.raises(OSError, match=f"{tmp_path} cannot be read"):
        load(tmp_path)


def test_who_does_not_say_whom_they_saw_or_has_no_checksum_is_refused(tmp_path: Path) -> None:
    for about, reason in (
        (None, "no manifest"),
        ({"manifest": "{}", "format": "pt"}, "no checksum: it is of an earlier version"),
    ):
        save_file({"x": np.ones(9)}, tmp_path / "bare", about)
        with pytest.raises(Unsealed, match=f"bare has {reason}"):
            load(tmp_path / "bare")
    Weights({"x": np.ones(9)}, {"epochs": 3}).save(tmp_path / "bare")
    with pytest.raises(Unsealed, match="bare does not say whom"):
        load(tmp_path / "bare")


def test_a_flipped_bit_of_weights_or_manifest_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "w"
    Weights({"x": np.arange(3, dtype="f4")}, {"subjects": ["2b/1"]}).save(file)
    whole = file.read_bytes()
    for place in range(0, 8 * len(whole), 5):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        with pytest.raises(Damaged, match="/w is damaged"):
            load(file)
    for length in range(0, len(whole), 5):
        file.write_bytes(whole[:length])
        with pytest.raises(Damaged):
            load(file)


def test_one_changed_digit_of_a_person_is_noticed(tmp_path: Path) -> None:
    pretrained(EEGNetClassifier(device="cpu")).save(tmp_path / "w")
    whole = (tmp_path / "w").read_bytes()
    assert whole.count(b"2b/4") == 2
    (tmp_path / "w").write_bytes(whole.replace(b"2b/4", b"2b/5"))
    with pytest.raises(Damaged, match="w is damaged: its checksum is wrong"):
        load(tmp_path / "w")
