"""Pretrained weights: files that say what they are of and whom they saw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from eegvit import __version__
from eegvit.sealed import Damaged, Unsealed, reading, replacing

if TYPE_CHECKING:
    from torch import nn

    from eegvit.branches.neural import NeuralClassifier
    from eegvit.pretrain.settings import PretrainRecipe

FORMAT = 1
INDUCTIVE = ("cross_subject", "cross_dataset")


@dataclass(frozen=True, eq=False)
class Weights:
    """Weights of a network without its standardisation and its last layers, and their manifest.

    Parameters
    ----------
    tensors : dict of array
        By their names in the network.
    manifest : dict
        architecture, subjects, data, recipe, epochs, seed and versions.

    Examples
    --------
    >>> weights = Weights({}, {"subjects": ["2b/1", "2b/2"]})
    >>> weights.check("cross_subject", ["2b/3"])
    'none'
    >>> weights.check("cross_session", ["2b/2"])
    'unlabelled'
    """

    tensors: dict[str, NDArray[Any]]
    manifest: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write them to a safetensors file, the manifest and a checksum in its metadata."""
        tensors = {
            name: np.asarray(array, array.dtype.newbyteorder("<"), order="C")
            for name, array in self.tensors.items()
        }
        about = {"manifest": json.dumps(self.manifest), "format": "pt"}
        about["checksum"] = _checksum(tensors, about)
        with replacing(Path(path)) as file:
            file.write(safetensors.numpy.save(tensors, about))

    def check(
        self, protocol: str, test_subjects: Sequence[str], *, transductive: bool = False
    ) -> str:
        """Return what of the people to be tested a model with these weights uses.

        Parameters
        ----------
        protocol : str
            Of the evaluation. Across people or data sets, weights that saw a person to be
            tested are refused.
        test_subjects : sequence of str
            Each as "dataset/subject".
        transductive : bool
            Let such weights pass, as "unlabelled".

        Returns
        -------
        {"none", "unlabelled"}
        """
        seen = set(self.manifest["subjects"])
        both = [name for name in dict.fromkeys(test_subjects) if name in seen]
        if both and protocol in INDUCTIVE and not transductive:
            raise ValueError(
                f"the weights were pretrained on {', '.join(both)}, to be tested in protocol"
                f" {protocol}: pretrain without"
                f" {'this subject' if len(both) == 1 else 'these subjects'}"
            )
        return "unlabelled" if both else "none"

    def put_into(self, network: nn.Module, last: Sequence[str]) -> None:
        """Give a network these weights; its last layers stay as they are.

        Parameters
        ----------
        network : nn.Module
            A `Standardise` and the network proper.
        last : sequence of str
            Names of the last layers.
        """
        import torch

        own = kept_of(network, last)
        wrong = differences(self.tensors, own)
        if wrong:
            about = self.manifest["architecture"]
            raise ValueError(
                f"these weights are of another network ({about['class']} with"
                f" {about['parameters']} on {about['n_channels']} channels x {about['n_times']}"
                f" times). {len(wrong)} tensors differ: {'; '.join(wrong[:6])}"
                f"{' ...' if len(wrong) > 6 else ''}"
            )
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(torch.from_numpy(self.tensors[name]))


def load(path: str | Path) -> Weights:
    """Return the weights in a file; nothing in it is executed, or believed if it was changed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.safetensors"
    >>> Weights({"0.w": np.ones(3)}, {"subjects": []}).save(path)
    >>> load(path).tensors
    {'0.w': array([1., 1., 1.])}
    """
    path = Path(path)
    try:
        with reading(path), safe_open(path, "numpy") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise Damaged(f"{path} is damaged, or no safetensors file: {error}") from None
    if not about:
        raise Unsealed(f"{path} has no manifest: nobody knows whom these weights saw")
    if about.keys() == {"manifest", "format"}:
        raise Unsealed(f"{path} has no checksum: it is of an earlier version; pretrain again")
    if about.pop("checksum", "") != _checksum(tensors, about):
        raise Damaged(f"{path} is damaged: its checksum is wrong")
    manifest = json.loads(about["manifest"])
    if not isinstance(manifest, dict) or "subjects" not in manifest:
        raise Unsealed(f"{path} does not say whom these weights saw")
    return Weights(tensors, manifest)


def weights_of(
    network: nn.Module,
    last: Sequence[str],
    model: NeuralClassifier,
    recipe: PretrainRecipe,
    *,
    data: Mapping[str, str],
    seed: int,
    history: Sequence[Mapping[str, float]],
) -> Weights:
    """Return the weights of a pretrained network with their manifest.

    Parameters
    ----------
    network : nn.Module
        A `Standardise` and the network proper.
    last : sequence of str
        Names of its last layers.
    model : NeuralClassifier
        The model that built it, which knows the shape of a trial.
    recipe : PretrainRecipe
    data : mapping of str
        A hash of the signals of each subject seen, "dataset/subject".
    seed : int
    history : sequence of dict
    """
    tensors = {
        name: value.detach().numpy().copy() for name, value in kept_of(network, last).items()
    }
    manifest = {
        "format": FORMAT,
        "architecture": {
            "class": type(model).__name__,
            "parameters": architecture(model),
            "n_channels": model.n_channels_in_,
            "n_times": model.n_times_in_,
        },
        "subjects": sorted(data),
        "data": dict(data),
        "recipe": asdict(recipe),
        "epochs": len(history),
        "seed": seed,
        "loss": history[-1]["train_loss"] if history else None,
        "versions": {
            "eegvit": __version__,
            **{name: metadata.version(name) for name in ("torch", "numpy")},
        },
    }
    return Weights(tensors, json.loads(json.dumps(manifest)))


def architecture(model: NeuralClassifier) -> dict[str, Any]:
    """Return the parameters of a model that shape its network.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> architecture(EEGNetClassifier(depth=3, epochs=7))["depth"]
    3
    >>> "epochs" in architecture(EEGNetClassifier())
    False
    """
    from eegvit.branches.neural import NeuralClassifier

    of_training = NeuralClassifier().get_params()
    given = model.identity()  # of a fused model's branches, all they are
    return {name: value for name, value in given.items() if name not in of_training}


def kept_of(network: nn.Module, last: Sequence[str]) -> dict[str, Any]:
    """Return the tensors of a network that a file keeps, by name.

    Its last layers are not among them, nor what standardises the signals of the data at hand.
    """
    from eegvit.networks.layers import Standardise

    own = {name for name, module in network.named_modules() if isinstance(module, Standardise)}
    left_out = own.union(last)
    return {
        name: value
        for name, value in network.state_dict().items()
        if name.rpartition(".")[0] not in left_out
    }


def differences(given: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Say which tensors differ in name or shape.

    Examples
    --------
    >>> differences({"a": np.ones(2), "b": np.ones(2)}, {"a": np.ones(3)})
    ['a is (2,) and should be (3,)', 'b is not in the network']
    """
    wrong = []
    for name in dict.fromkeys([*wanted, *given]):
        if name not in given:
            wrong.append(f"{name} {tuple(wanted[name].shape)} is not in the weights")
        elif name not in wanted:
            wrong.append(f"{name} is not in the network")
        elif tuple(given[name].shape) != tuple(wanted[name].shape):
            is_now, should = tuple(given[name].shape), tuple(wanted[name].shape)
            wrong.append(f"{name} is {is_now} and should be {should}")
    return wrong


def _checksum(tensors: Mapping[str, NDArray[Any]], about: Mapping[str, str]) -> str:
    """Return a sha256 over everything that a file of weights says."""
    shapes = [[name, array.dtype.name, array.shape] for name, array in sorted(tensors.items())]
    digest = hashlib.sha256(json.dumps([dict(sorted(about.items())), shapes]).encode())
    for _, array in sorted(tensors.items()):
        digest.update(array.tobytes())
    return digest.hexdigest()


def hashes(X: NDArray[np.floating[Any]], subjects: Sequence[str]) -> dict[str, str]:
    """Return a sha256 of the signals of each subject.

    Examples
    --------
    >>> sorted(hashes(np.zeros((2, 1, 4)), ["2b/2", "2b/1"]))
    ['2b/1', '2b/2']
    """
    names = np.asarray(subjects).astype(str)
    digests = {}
    for name in np.unique(names):
        own = np.ascontiguousarray(X[names == name], dtype=np.float32)
        digests[str(name)] = hashlib.sha256(own.tobytes()).hexdigest()
    return digests
