"""Convolutions that keep the map's size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.choice import traced

Pair = tuple[int, int]
Size = int | Pair
FEW_PLANES = 64  # up to so many, a sum over all planes takes less than one for each by itself


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
        self.for_one = False

    def folded(self) -> nn.Module:
        """Return a layer for inference that does the same in a quicker way."""
        if self.in_channels <= FEW_PLANES:
            weight = self.weight.detach()[:, 0].permute(1, 2, 0).diag_embed().permute(2, 3, 0, 1)
            bias = None if self.bias is None else self.bias.detach()
            return Dense(weight, bias, (self.stride[0], self.stride[1]))
        self.for_one = True  # a single trial does not take a convolution
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same, but for the stride."""
        weight = self.weight
        rows, columns = (k // 2 for k in self.kernel_size)
        top, left = max(0, rows + 1 - x.shape[2]), max(0, columns + 1 - x.shape[3])
        if top:
            weight = weight[:, :, top : 2 * rows + 1 - top]
        if left:
            weight = weight[..., left : 2 * columns + 1 - left]
        stride, padding = (self.stride[0], self.stride[1]), (rows - top, columns - left)
        flat = weight.shape[2] == 1 and (stride[0] == 1 or x.shape[2] == 1)
        if self.for_one and flat and not traced(x) and len(x) == 1:
            return along_columns(x, weight, self.bias, stride[1], padding[1])
        return F.conv2d(x, weight, self.bias, stride, padding, groups=self.groups)


class Dense(nn.Module):
    """A convolution of all planes, padded to keep the map's size, for inference.

    Parameters
    ----------
    weight : Tensor, shape (planes after, planes before, rows, columns)
        The kernel is odd.
    bias : Tensor, shape (planes after,), or None
    stride : (int, int)

    Examples
    --------
    >>> layer = Depthwise(8, (3, 5), stride=(1, 2)).eval()
    >>> x = torch.randn(2, 8, 1, 9)
    >>> torch.allclose(layer.folded()(x), layer(x), atol=1e-6)
    True
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, stride: Pair = (1, 1)) -> None:
        super().__init__()
        rows, columns = weight.shape[2:]
        self.weight = nn.Parameter(weight.contiguous())
        self.of_row = nn.Parameter(weight[:, :, rows // 2, None].contiguous())
        self.bias = None if bias is None else nn.Parameter(bias)
        self.stride, self.padding = stride, (rows // 2, columns // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, planes, rows, columns) to the same with other planes, but for the stride."""
        if x.shape[2] == 1:  # what would see only padding is left out
            return F.conv2d(x, self.of_row, self.bias, self.stride, (0, self.padding[1]))
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)

    def and_input(self) -> Dense:
        """Return the layer with what it was given added; planes and size stay the same.

        Examples
        --------
        >>> layer, x = Dense(torch.randn(4, 4, 3, 3), None), torch.randn(2, 4, 5, 6)
        >>> torch.allclose(layer.and_input()(x), x + layer(x), atol=1e-5)
        True
        """
        rows, columns = self.padding
        weight = self.weight.detach().clone()
        weight[:, :, rows, columns] += torch.eye(len(weight)).to(weight)
        return Dense(weight, None if self.bias is None else self.bias.detach())


def along_columns(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int
) -> Tensor:
    """Convolve each plane of a map along its columns: for one trial quicker than a convolution.

    Parameters
    ----------
    x : Tensor, shape (n, planes, rows, columns)
    weight : Tensor, shape (planes, 1, 1, length)
    bias : Tensor, shape (planes,), or None
    stride, padding : int

    Examples
    --------
    >>> x, weight = torch.randn(1, 4, 2, 9), torch.randn(4, 1, 1, 3)
    >>> expected = F.conv2d(x, weight, stride=(1, 2), padding=(0, 1), groups=4)
    >>> torch.allclose(along_columns(x, weight, None, 2, 1), expected, atol=1e-6)
    True
    """
    seen = F.pad(x, (padding, padding)).unfold(3, weight.shape[3], stride)
    out = (seen * weight).sum(4)  # (n, planes, rows, columns)
    return out if bias is None else out + bias[:, None, None]
