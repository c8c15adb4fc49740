"""Layers that several networks share."""

from __future__ import annotations

from torch import Tensor, nn


class Standardise(nn.Module):
    """Subtract a mean from each channel and divide by a scale; both are fixed, not learned.

    Examples
    --------
    >>> import torch
    >>> layer = Standardise(mean=torch.tensor([1.0, 0.0]), scale=torch.tensor([2.0, 1.0]))
    >>> layer(torch.tensor([[[3.0], [5.0]]])).flatten().tolist()
    [1.0, 5.0]
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean[:, None])  # (channels, 1)
        self.register_buffer("scale", scale[:, None])

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, times) to the same shape."""
        return (x - self.mean) / self.scale


def max_norm(weight: Tensor, limit: float) -> Tensor:
    """Shrink each row of a weight to a Euclidean norm of at most `limit`.

    Examples
    --------
    >>> import torch
    >>> max_norm(torch.tensor([[3.0, 4.0], [0.3, 0.4]]), 1.0).norm(dim=1)
    tensor([1.0000, 0.5000])
    """
    return weight.renorm(p=2, dim=0, maxnorm=limit)
