"""What is known of a trial beside its signals, appended to them as further samples."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def packed(features: Sequence[NDArray[Any]], n_channels: int) -> NDArray[np.float32]:
    """Return features (n, ...) as samples of the channels (n, n_channels, samples).

    Examples
    --------
    >>> packed([np.array([[1.0, 2.0]]), np.array([[[3.0], [4.0], [5.0]]])], 2).tolist()
    [[[1.0, 2.0, 3.0], [4.0, 5.0, 0.0]]]
    """
    flat = np.concatenate([x.reshape(len(x), -1) for x in features], axis=1, dtype=np.float32)
    missing = -flat.shape[1] % n_channels
    return np.pad(flat, ((0, 0), (0, missing))).reshape(len(flat), n_channels, -1)


def unpacked(samples: Tensor, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    """Return the features (n, *shape) from the samples of the channels.

    Examples
    --------
    >>> import torch
    >>> features = [np.ones((4, 3)), np.zeros((4, 2, 5))]
    >>> samples = torch.from_numpy(packed(features, n_channels=3))
    >>> [tuple(x.shape) for x in unpacked(samples, [(3,), (2, 5)])]
    [(4, 3), (4, 2, 5)]
    """
    flat = samples.flatten(1)
    sizes = [prod(shape) for shape in shapes]
    parts = flat[:, : sum(sizes)].split(sizes, 1)
    return [part.unflatten(1, shape) for part, shape in zip(parts, shapes, strict=True)]
