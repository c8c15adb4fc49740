"""EfficientFormerV2 on images, as published."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import ConvNorm
from eegvit.networks.efficientvit.families.former import FormerStages


class FormerStem(nn.Sequential):
    """Two convolutions of stride 2, for images.

    Examples
    --------
    >>> FormerStem(3, 32)(torch.randn(2, 3, 32, 64)).shape
    torch.Size([2, 32, 8, 16])
    """

    def __init__(self, n_in: int, width: int) -> None:
        super().__init__(
            ConvNorm(n_in, width // 2, 3, stride=2, bias=True),
            nn.GELU(),
            ConvNorm(width // 2, width, 3, stride=2, bias=True),
            nn.GELU(),
        )


class AveragedHead(nn.Module):
    """Batch norm, the mean over positions, and the mean of two linear layers.

    In the published training one layer learns from the labels and one from a teacher.

    Examples
    --------
    >>> AveragedHead(8, 4)(torch.randn(2, 8, 3, 5)).shape
    torch.Size([2, 4])
    """

    def __init__(self, n_in: int, n_classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(n_in)
        self.first = nn.Linear(n_in, n_classes)
        self.second = nn.Linear(n_in, n_classes)
        for linear in (self.first, self.second):
            nn.init.trunc_normal_(linear.weight, std=0.02)
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, n_in, rows, columns) to (n, classes)."""
        x = self.norm(x).mean((2, 3))
        return (self.first(x) + self.second(x)) / 2

    def folded(self) -> nn.Sequential:
        """Return the mean over positions and one linear layer, the same at inference."""
        norm, linear = self.norm, nn.Linear(self.first.in_features, self.first.out_features)
        assert norm.running_mean is not None and norm.running_var is not None
        gain = norm.weight * (norm.running_var + norm.eps).rsqrt()
        with torch.no_grad():
            weight = (self.first.weight + self.second.weight) / 2
            shift = (self.first.bias + self.second.bias) / 2
            linear.weight.copy_(weight * gain)
            linear.bias.copy_(shift + weight @ (norm.bias - norm.running_mean * gain))
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).eval()


class FormerImage(nn.Module):
    """The published network on images.

    Parameters
    ----------
    n_classes : int
    **settings
        Of `FormerStages`.

    Examples
    --------
    >>> network = FormerImage(
    ...     n_classes=10,
    ...     widths=(8, 16),
    ...     depths=(1, 1),
    ...     expansions=(2, 2),
    ...     attention=(0, 1),
    ...     strides=(1, 1),
    ...     dual_path=(True,),
    ... )
    >>> network(torch.randn(2, 3, 32, 48)).shape
    torch.Size([2, 10])
    """

    def __init__(self, *, n_classes: int = 1000, **settings: Any) -> None:
        super().__init__()
        self.stages = FormerStages(**settings)
        self.stem = FormerStem(3, self.stages.widths[0])
        self.head = AveragedHead(self.stages.widths[-1], n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (n, 3, rows, columns) to logits (n, classes)."""
        return self.head(self.stages(self.stem(x))[-1])
