"""Convolutions that keep the map's size; depthwise ones train quickly on a CPU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

Pair = tuple[int, int]
Size = int | Pair


def convolution(
    n_in: int,
    n_out: int,
    kernel: Size = 1,
    *,
    stride: Size = 1,
    groups: int = 1,
    bias: bool = True,
) -> nn.Conv2d:
    """Return a convolution with an odd kernel, padded to keep the map's size.

    Examples
    --------
    >>> convolution(8, 8, (3, 5), groups=8)(torch.randn(2, 8, 4, 9)).shape
    torch.Size([2, 8, 4, 9])
    """
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    if groups == n_in == n_out:
        return Depthwise(n_in, (rows, columns), stride=stride, bias=bias)
    padding = (rows // 2, columns // 2)
    return nn.Conv2d(n_in, n_out, (rows, columns), stride, padding, groups=groups, bias=bias)


class Depthwise(nn.Conv2d):
    """A convolution of each plane with its own kernel, padded to keep the map's size.

    The same function as `torch.nn.Conv2d` with as many groups as planes. On maps that are
    smaller than the kernel, as those of one row are, what would see only padding is left out.

    Parameters
    ----------
    n_planes : int
    kernel : (int, int)
        Odd, over rows and columns.
    stride : int or (int, int)
    bias : bool

    Examples
    --------
    >>> Depthwise(8, (3, 5))(torch.randn(2, 8, 1, 9)).shape
    torch.Size([2, 8, 1, 9])
    """

    def __init__(
        self, n_planes: int, kernel: Pair, *, stride: Size = 1, bias: bool = False
    ) -> None:
        padding = (kernel[0] // 2, kernel[1] // 2)
        super().__init__(n_planes, n_planes, kernel, stride, padding, groups=n_planes, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same, but for the stride."""
        weight = self.weight
        rows, columns = (k // 2 for k in self.kernel_size)
        top, left = max(0, rows + 1 - x.shape[2]), max(0, columns + 1 - x.shape[3])
        if top or left:
            weight = weight[:, :, top : 2 * rows + 1 - top, left : 2 * columns + 1 - left]
        stride, padding = (self.stride[0], self.stride[1]), (rows - top, columns - left)
        if self.plain(x, weight):
            return F.conv2d(x, weight, self.bias, stride, padding, groups=self.groups)
        out = Filter.apply(x, weight, stride, padding)
        return out if self.bias is None else out + self.bias[:, None, None]

    def plain(self, x: Tensor, weight: Tensor) -> bool:
        """Whether torch's own backward serves as well, or there is none."""
        return (
            torch.compiler.is_compiling()
            or x.device.type != "cpu"
            or not (torch.is_grad_enabled() and weight.requires_grad)
            or weight.shape[2:] == (3, 3)  # torch is quick with these
            or torch.is_autocast_enabled("cpu")
        )


class Filter(torch.autograd.Function):
    """A depthwise convolution whose weights' gradient is a convolution too.

    The gradient of a plane's kernel is the plane convolved with the gradient of its output:
    with samples and planes together as groups, this is several times as fast as torch's own.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: Pair, padding: Pair) -> Tensor:
        """Convolve x (n, planes, rows, columns) with weight (planes, 1, rows, columns)."""
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding, groups=len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        """Return the gradients of x and weight."""
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        stride, padding = ctx.stride, ctx.padding
        for_x = None
        if ctx.needs_input_grad[0]:
            for_x = conv2d_input(x.shape, weight, gradient, stride, padding, groups=len(weight))
        n, planes, rows, columns = x.shape
        images = x.reshape(1, n * planes, rows, columns)
        kernels = gradient.reshape(n * planes, 1, *gradient.shape[2:])
        for_weight = F.conv2d(images, kernels, padding=padding, dilation=stride, groups=n * planes)
        for_weight = for_weight[:, :, : weight.shape[2], : weight.shape[3]]
        for_weight = for_weight.reshape(n, *weight.shape).sum(0)
        return for_x, for_weight, None, None
