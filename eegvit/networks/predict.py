"""Probabilities from a trained network."""

from __future__ import annotations

from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.networks.fold import fold

FEW = 16  # trials: up to so many, a copy with its norms folded is worth having
State = tuple[int, ...]

_folded: WeakKeyDictionary[nn.Module, tuple[State, nn.Module]] = WeakKeyDictionary()


def predict_proba(
    network: nn.Module,
    X: NDArray[np.floating[Any]],
    *,
    batch_size: int = 128,
    device: str = "cpu",
) -> NDArray[np.float64]:
    """Return class probabilities (n, classes) of a trained network, which comes back to the CPU.

    Examples
    --------
    >>> predict_proba(nn.Sequential(nn.Flatten(), nn.Linear(6, 2)), np.zeros((3, 2, 3))).shape
    (3, 2)
    """
    move(network, device)
    running = for_few(network) if len(X) <= FEW and device == "cpu" else network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(X), batch_size):
            batch = to_device(X[start : start + batch_size], device)
            parts.append(running(batch).cpu().double().softmax(1).numpy())
    move(network, "cpu")
    return np.concatenate(parts)


def move(network: nn.Module, device: str) -> None:
    """Bring a network to a device, unless it is there: moving nothing takes long, too.

    Examples
    --------
    >>> move(nn.Linear(2, 2), "cpu")
    """
    first = next(chain(network.parameters(), network.buffers()), None)
    if first is not None and first.device.type != device:
        network.to(device)


def for_few(network: nn.Module) -> nn.Module:
    """Return a copy of a network with its norms folded, the same until a weight changes.

    A network in which nothing can be folded is returned as it is.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> network = EEGNet(3, 500, 2).eval()
    >>> for_few(network) is for_few(network), for_few(network) is network
    (True, False)
    """
    state = state_of(network)
    known = _folded.get(network)
    if known is not None and known[0] == state:
        return known[1]
    if not any(hasattr(module, "folded") for module in network.modules()):
        return network
    folded = fold(network)
    _folded[network] = state, folded
    return folded


def state_of(network: nn.Module) -> State:
    """Return where each tensor of a network is and how often it was changed.

    Names and repetitions, which `parameters` looks up, take four times as long.

    Examples
    --------
    >>> layer = nn.Linear(2, 2)
    >>> before = state_of(layer)
    >>> _ = nn.init.zeros_(layer.weight)
    >>> state_of(layer) == before
    False
    """
    found: list[int] = []
    modules = [network]
    for module in modules:
        modules.extend(each for each in module._modules.values() if each is not None)
        for each in (*module._parameters.values(), *module._buffers.values()):
            if each is not None:
                found += (each.data_ptr(), each._version)
    return tuple(found)


def to_device(X: NDArray[np.floating[Any]], device: str) -> Tensor:
    """Return a float32 copy of an array, which may be read-only or a memory map."""
    return torch.from_numpy(np.array(X, dtype=np.float32, order="C")).to(device)
