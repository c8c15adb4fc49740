"""Layers that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Standardise(nn.Module):
    """Subtract a mean from each channel and divide by a scale; both are fixed, not learned.

    Parameters
    ----------
    mean, scale : Tensor, shape (channels,)
    n_times : int or None
        Samples of a trial, where more may come behind them that are no signals; these stay.

    Examples
    --------
    >>> layer = Standardise(mean=torch.tensor([1.0, 0.0]), scale=torch.tensor([2.0, 1.0]))
    >>> layer(torch.tensor([[[3.0], [5.0]]])).flatten().tolist()
    [1.0, 5.0]
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor, n_times: int | None = None) -> None:
        super().__init__()
        self.n_times = n_times
        self.register_buffer("mean", mean[:, None])  # (channels, 1)
        self.register_buffer("scale", scale[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to the same shape."""
        whole = self.n_times is None or x.shape[2] == self.n_times
        signals = ((x if whole else x[..., : self.n_times]) - self.mean) / self.scale
        return signals if whole else torch.cat([signals, x[..., self.n_times :]], dim=2)


def max_norm(weight: Tensor, limit: float) -> Tensor:
    """Shrink each row of a weight to a Euclidean norm of at most `limit`.

    Examples
    --------
    >>> import torch
    >>> max_norm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 1.0).norm(dim=1)
    tensor([1.0000, 0.5000])
    """
    return weight.renorm(p=2, dim=0, maxnorm=limit)
