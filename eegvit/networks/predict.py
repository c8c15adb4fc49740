"""Probabilities from a trained network."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


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
    network.to(device).eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(X), batch_size):
            batch = to_device(X[start : start + batch_size], device)
            parts.append(network(batch).cpu().double().softmax(1).numpy())
    network.cpu()
    return np.concatenate(parts)


def to_device(X: NDArray[np.floating[Any]], device: str) -> Tensor:
    """Return a float32 copy of an array, which may be read-only or a memory map."""
    return torch.from_numpy(np.array(X, dtype=np.float32, order="C")).to(device)
