"""A decoder's network as ONNX, and the decoder that runs it without torch's own loop.

The file holds the network behind its standardisation, and in its metadata all else that a decoder
is. Filter and alignment stay beside: they look at the recording, the network at a trial. By choice
they are in it, where they look at no more than a window.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from eegvit.branches.around import Around
from eegvit.branches.fusion.classifier import FusionClassifier
from eegvit.branches.fusion.members import has_classical
from eegvit.branches.neural import NeuralClassifier
from eegvit.deploy.archive import packed, unpacked
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.onnx_filter import by_numpy, check_constant, impulse_response, in_front, of_raw
from eegvit.deploy.written import written
from eegvit.registry import optional
from eegvit.sealed import Damaged, reading, replacing

if TYPE_CHECKING:
    from torch import nn

KEY = "eegvit"  # of the metadata
OFF = 1e-4  # most that probabilities of signals may differ from torch's
OFF_EXTREME = 1e-3  # of far too strong or weak ones: logarithms of nearly nothing round coarsely
MOST = 4096  # trials at once
UNTRANSLATED = {  # networks, and why they are refused
    "eegvit.networks.spiking": "has spiking neurons, which take a step for each sample: ONNX would"
    " write out every one",
    "eegvit.networks.spd": "takes eigenvalues of covariances, for which ONNX has no operation",
}


class OnnxClassifier:
    """A network in ONNX as a fitted classifier, on one thread.

    Parameters
    ----------
    model : bytes
        The ONNX file's content.
    classes : array
        The labels, in the order of what comes out.
    """

    def __init__(self, model: bytes, classes: NDArray[Any]) -> None:
        runtime = optional("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.classes_ = classes

    def predict_proba(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        parts = [
            self.session.run(None, {"X": np.ascontiguousarray(X[i : i + MOST], np.float32)})[0]
            for i in range(0, len(X), MOST)
        ]
        return np.concatenate(parts).astype(np.float64)


def export(decoder: Decoder, path: Path, *, with_filter: bool = False) -> float:
    """Write a decoder's network to an ONNX file, and return how far it is off torch.

    Norms are folded into the layers before them; the number of trials is free. What comes out
    is compared with torch on noise, zeros and signals far too strong, and refused if it differs.

    Parameters
    ----------
    decoder : Decoder
    path : Path
    with_filter : bool
        Whether the filter and the alignment are part of it, which then takes raw samples in
        microvolts, at the decoder's rate. The decoder must filter causally, and align by a
        reference that is known before (`Decoder.calibrate`) or not at all. Windows begin earlier,
        by as much as the filter remembers.
    """
    onnx = optional("onnx")
    model = _network_of(decoder.model)
    whole, network = decoder, model.module_
    told: Callable[[NDArray[np.float32]], NDArray[np.float64]] = decoder._of_model
    if with_filter:
        check_constant(decoder)
        response = impulse_response(decoder)
        whole = of_raw(decoder, len(response) - 1)
        network = _in_row(in_front(decoder, response), network)
        told = partial(by_numpy, decoder)
    shape = (model.n_channels_in_, whole.reading.n_times)
    proto = _translated(network, shape)
    own = OnnxClassifier(proto.SerializeToString(), decoder.model.classes_)
    made = replace(whole, model=own)
    usual, extreme = (
        float(np.max([np.abs(made._of_model(X) - told(X)).max() for X in hard]))  # nan if one is
        for hard in _hard(made._witnesses(), offset=with_filter)
    )
    off = float(np.maximum(usual, extreme))
    if not (usual <= OFF and extreme <= OFF_EXTREME):
        raise ValueError(
            f"{path} is not written: in ONNX the probabilities are off by {off:.2g}; the"
            " network has a part that is not translated well"
        )
    kept = made if with_filter else decoder  # of the two, whose witnesses fit
    content = kept.content() | {"classes": decoder.model.classes_, "model": None}
    content["sha256"] = hashlib.sha256(proto.SerializeToString(deterministic=True)).hexdigest()
    rest = base64.b64encode(packed(decoder.about, written(content))).decode()
    onnx.helper.set_model_props(proto, {KEY: rest})
    with replacing(Path(path)) as file:
        file.write(proto.SerializeToString())
    return off


def load(path: Path) -> Decoder:
    """Return the decoder that `export` wrote; a changed file is refused."""
    onnx = optional("onnx")
    with reading(Path(path)):
        whole = Path(path).read_bytes()
    try:
        proto = onnx.load_model_from_string(whole)
        (rest,) = [prop.value for prop in proto.metadata_props if prop.key == KEY]
        held = base64.b64decode(rest, validate=True)
    except (onnx.onnx_cpp2py_export.checker.ValidationError, ValueError, binascii.Error) as error:
        raise Damaged(f"{path} is no decoder in ONNX: {error}") from error
    except Exception as error:  # protobuf's own, which has no home that is public
        raise Damaged(f"{path} is damaged, or no ONNX file: {error}") from error
    about, made = unpacked(held, str(path))
    del proto.metadata_props[:]
    bare = proto.SerializeToString(deterministic=True)
    pairs = {key: value for key, value in made.value["dict"]}
    if pairs["sha256"] != hashlib.sha256(bare).hexdigest():
        raise Damaged(f"{path} is damaged or was changed: its checksum is wrong")
    classes = made.arrays[pairs["classes"]["array"]]
    return Decoder.of(about, made, str(path), model=OnnxClassifier(bare, classes))


def _network_of(model: Any) -> NeuralClassifier:
    """Return the classifier whose network is all of a model, or say why there is none."""
    inner, what = model, type(model).__name__
    while isinstance(inner, Around):
        inner = inner.model_
    if not isinstance(inner, NeuralClassifier):
        raise ValueError(f"{what} is no network, and ONNX is for networks: use the decoder's file")
    if isinstance(inner, FusionClassifier) and has_classical(inner.members_):
        raise ValueError(
            f"this {what} has classical branches, which are no network: use the decoder's file"
        )
    homes = {type(module).__module__.rpartition(".")[0] for module in inner.module_.modules()}
    for home, why in UNTRANSLATED.items():
        if home in homes:
            raise ValueError(f"this {what} {why}. Use the decoder's file")
    return inner


def _in_row(front: nn.Module, network: nn.Module) -> nn.Module:
    from torch.nn import Sequential

    return Sequential(front, network)


def _translated(network: nn.Module, shape: tuple[int, int]) -> Any:
    """Return a network, its norms folded and with softmax behind it, as an ONNX model."""
    import torch

    from eegvit.networks.fold import fold

    optional("onnxscript")
    whole = torch.nn.Sequential(fold(network), torch.nn.Softmax(1)).eval()
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                whole,
                (torch.randn(3, *shape),),
                dynamo=True,
                input_names=["X"],
                output_names=["p"],
                dynamic_shapes=({0: torch.export.Dim("n", min=1, max=MOST)},),
                verbose=False,
            )
    finally:
        log.setLevel(level)
    assert program is not None
    return program.model_proto


def _hard(
    witnesses: NDArray[np.float32], *, offset: bool
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.float32]]]:
    """Return noise, as one trial and as several, and extremes, zeros too; raw ones off zero."""
    noise = np.concatenate([witnesses] * 3)
    extremes = [np.float32(factor) * noise for factor in (1e4, 1e-6, 0)]
    if offset:
        extremes.append(noise + np.float32(1e4))
    return [witnesses[:1], noise], extremes
