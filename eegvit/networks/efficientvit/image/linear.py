"""EfficientViT with linear attention on images, as published."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm
from eegvit.networks.efficientvit.families.linear import LinearStages


class LinearStem(nn.Sequential):
    """One convolution of stride 2.

    Examples
    --------
    >>> import torch
    >>> LinearStem(3, 8)(torch.randn(2, 3, 64, 48)).shape
    torch.Size([2, 8, 32, 24])
    """

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__(ConvNorm(n_in, width, 3, stride=2), nn.Hardswish())


class LinearHead(nn.Module):
    """A wide layer at each position, the mean over positions, another, and the classes.

    Examples
    --------
    >>> import torch
    >>> LinearHead(16, (64, 80), 10)(torch.randn(2, 16, 7, 7)).shape
    torch.Size([2, 10])
    """

    def __init__(self, n_in: int, widths: tuple[int, int], n_classes: int) -> None:
        super().__init__()
        self.widen = nn.Sequential(ConvNorm(n_in, widths[0]), nn.Hardswish())
        self.classify = nn.Sequential(
            nn.Linear(*widths, bias=False),
            nn.LayerNorm(widths[1]),
            nn.Hardswish(),
            nn.Linear(widths[1], n_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to logits (n, classes)."""
        return self.classify(self.widen(x).mean((2, 3)))


class LinearImage(nn.Module):
    """The published network on images.

    Parameters
    ----------
    head : (int, int)
        Widths of the head's two layers.
    n_classes : int
    **settings
        Of `LinearStages`.

    Examples
    --------
    >>> import torch
    >>> settings = {"widths": (8, 16, 32), "depths": (1, 2, 1), "n_local": 2}
    >>> LinearImage(head=(64, 80), n_classes=10, **settings)(torch.randn(2, 3, 64, 96)).shape
    torch.Size([2, 10])
    """

    def __init__(self, *, head: tuple[int, int], n_classes: int = 1000, **settings: Any) -> None:
        super().__init__()
        self.stages = LinearStages(**settings)
        self.stem = LinearStem(3, self.stages.widths[0])
        self.head = LinearHead(self.stages.widths[-1], head, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, 3, rows, columns) to logits (n, classes)."""
        return self.head(self.stages(self.stem(x))[-1])
