"""EfficientViT with cascaded group attention on images, as published."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm, NormLinear
from eegvit.networks.efficientvit.families.cascaded import CascadedStages


class CascadedStem(nn.Sequential):
    """Overlapping patches of an image: four convolutions of stride 2.

    Parameters
    ----------
    n_in : int
        Planes of the image.
    width : int
        Planes after, a multiple of 8.

    Examples
    --------
    >>> import torch
    >>> CascadedStem(3, 64)(torch.randn(2, 3, 64, 48)).shape
    torch.Size([2, 64, 4, 3])
    """

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__(
            ConvNorm(n_in, width // 8, 3, stride=2),
            nn.ReLU(),
            ConvNorm(width // 8, width // 4, 3, stride=2),
            nn.ReLU(),
            ConvNorm(width // 4, width // 2, 3, stride=2),
            nn.ReLU(),
            ConvNorm(width // 2, width, 3, stride=2),
        )


class CascadedImage(nn.Module):
    """The published network on images.

    Parameters
    ----------
    n_classes : int
    **settings
        Of `CascadedStages`.

    Examples
    --------
    >>> import torch
    >>> settings = {"widths": (16, 24), "depths": (1, 1), "heads": (2, 2)}
    >>> CascadedImage(n_classes=10, **settings)(torch.randn(2, 3, 64, 96)).shape
    torch.Size([2, 10])
    """

    def __init__(self, *, n_classes: int = 1000, **settings: Any) -> None:
        super().__init__()
        self.stages = CascadedStages(**settings)
        self.stem = CascadedStem(3, self.stages.widths[0])
        self.head = NormLinear(self.stages.widths[-1], n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, 3, rows, columns) to logits (n, classes)."""
        return self.head(self.stages(self.stem(x))[-1].mean((2, 3)))
