"""Blocks that the four families share."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.depthwise import Dense, Depthwise, Size, convolution
from eegvit.networks.fold import within


class ConvNorm(nn.Module):
    """A convolution, padded to keep the map's size, and batch norm.

    Parameters
    ----------
    n_in, n_out : int
        Planes before and after.
    kernel : int or (int, int)
        Odd, over rows and columns.
    stride : int or (int, int)
    groups : int
    gain : float
        Of the batch norm at the start; 0 makes a residual branch start as nothing.
    bias : bool
        Of the convolution; batch norm takes it out again, some published models have it.

    Examples
    --------
    >>> ConvNorm(8, 16, 3, stride=2)(torch.randn(2, 8, 5, 9)).shape
    torch.Size([2, 16, 3, 5])
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: Size = 1,
        *,
        stride: Size = 1,
        groups: int = 1,
        gain: float = 1.0,
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.conv = convolution(n_in, n_out, kernel, stride=stride, groups=groups, bias=bias)
        self.norm = nn.BatchNorm2d(n_out)
        nn.init.constant_(self.norm.weight, gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same with `n_out` planes."""
        return self.norm(self.conv(x))

    def folded(self) -> Any:
        """Return one convolution that does the same at inference."""
        conv, norm = self.conv, self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        gain = norm.weight * (norm.running_var + norm.eps).rsqrt()
        folded = convolution(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,  # type: ignore[arg-type]
            stride=conv.stride,  # type: ignore[arg-type]
            groups=conv.groups,
        ).to(conv.weight)
        with torch.no_grad():
            folded.weight.copy_(conv.weight * gain[:, None, None, None])
            assert folded.bias is not None
            shift = 0.0 if conv.bias is None else conv.bias
            folded.bias.copy_(norm.bias + (shift - norm.running_mean) * gain)
        folded.eval()
        return folded.folded() if isinstance(folded, Depthwise) else folded


class NormLinear(nn.Module):
    """Batch norm and a linear layer, as a classification head has them.

    Examples
    --------
    >>> NormLinear(8, 4)(torch.randn(2, 8)).shape
    torch.Size([2, 4])
    """

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(n_in)
        self.linear = nn.Linear(n_in, n_out)
        nn.init.trunc_normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, n_in) to (n, n_out)."""
        return self.linear(self.norm(x))

    def folded(self) -> nn.Linear:
        """Return one linear layer that does the same at inference."""
        linear, norm = self.linear, self.norm
        assert norm.running_mean is not None and norm.running_var is not None
        gain = norm.weight * (norm.running_var + norm.eps).rsqrt()
        folded = nn.Linear(linear.in_features, linear.out_features).to(linear.weight)
        with torch.no_grad():
            folded.weight.copy_(linear.weight * gain)
            folded.bias.copy_(linear.bias + linear.weight @ (norm.bias - norm.running_mean * gain))
        return folded.eval()


class Residual(nn.Module):
    """What a module gives, added to what it was given.

    Examples
    --------
    >>> Residual(nn.Identity())(torch.ones(1, 2)).tolist()
    [[2.0, 2.0]]
    """

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """Map x to x + inner(x)."""
        return x + self.inner(x)

    def folded(self) -> nn.Module:
        """Return a module for inference that does the same in a quicker way."""
        inner = within(self).inner
        if isinstance(inner, nn.Sequential) and isinstance(inner[-1], DropPath):
            inner = inner[0] if len(inner) == 2 else inner[:-1]
        if isinstance(inner, Dense):
            return inner.and_input()
        return Residual(inner)


class InvertedResidual(nn.Sequential):
    """More planes, a depthwise convolution among them, and fewer again.

    Parameters
    ----------
    n_in, n_out : int
        Planes before and after.
    expansion : float
        Planes in between, over `n_in`.
    stride : int or (int, int)
    norms : bool
        Whether batch norm follows each convolution, or the last only.
    gain : float
        Of the last batch norm at the start.

    Examples
    --------
    >>> InvertedResidual(8, 16, stride=2)(torch.randn(2, 8, 5, 9)).shape
    torch.Size([2, 16, 3, 5])
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        expansion: float = 4,
        stride: Size = 1,
        norms: bool = True,
        gain: float = 1.0,
    ) -> None:
        hidden = round(n_in * expansion)
        convolve = ConvNorm if norms else convolution
        super().__init__(
            convolve(n_in, hidden),
            nn.Hardswish(),
            convolve(hidden, hidden, 3, stride=stride, groups=hidden),
            nn.Hardswish(),
            ConvNorm(hidden, n_out, gain=gain),
        )


class SqueezeExcite(nn.Module):
    """Each plane scaled by a gate that sees the mean of all planes.

    Examples
    --------
    >>> SqueezeExcite(8, 2)(torch.randn(2, 8, 3, 5)).shape
    torch.Size([2, 8, 3, 5])
    """

    def __init__(self, n_planes: int, n_hidden: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(n_planes, n_hidden, 1)
        self.excite = nn.Conv2d(n_hidden, n_planes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same shape."""
        gate = x.mean((2, 3), keepdim=True)
        return x * self.excite(self.squeeze(gate).relu()).sigmoid()


class DropPath(nn.Module):
    """In training, set whole samples to zero with a probability and scale up the others.

    Examples
    --------
    >>> DropPath(0.5).eval()(torch.ones(3)).tolist()
    [1.0, 1.0, 1.0]
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise ValueError(f"drop_path={probability!r}: it must be in [0, 1)")
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, ...) to the same shape."""
        if not self.training or self.probability == 0.0:
            return x
        keep = 1.0 - self.probability
        kept = torch.bernoulli(torch.full((len(x),), keep, dtype=x.dtype, device=x.device))
        return x * (kept / keep).view(-1, *[1] * (x.ndim - 1))


class Stages(nn.Module):
    """Parts of a network, each of which takes the map that the one before gave.

    Parameters
    ----------
    widths : tuple of int
        Planes of each stage's map.
    **lengths : tuple
        Other settings that there must be one of for each stage.

    Examples
    --------
    >>> Stages((8, 16), depths=(1,))
    Traceback (most recent call last):
    ValueError: depths=(1,): there are 2 stages in widths
    """

    def __init__(self, widths: tuple[int, ...], **lengths: tuple[object, ...]) -> None:
        super().__init__()
        for name, value in lengths.items():
            if len(value) != len(widths):
                raise ValueError(f"{name}={value!r}: there are {len(widths)} stages in widths")
        self.widths = tuple(widths)
        self.stages = nn.ModuleList()

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (n, widths[0], rows, columns) to a map of each stage."""
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


def residual(inner: nn.Module, drop_path: float) -> Residual:
    """Return a residual branch that training leaves out at times.

    Examples
    --------
    >>> residual(nn.Identity(), 0.2).eval()(torch.ones(1, 2)).tolist()
    [[2.0, 2.0]]
    """
    return Residual(nn.Sequential(inner, DropPath(drop_path)))
