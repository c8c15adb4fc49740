"""A depthwise convolution is torch's, with its gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from eegvit.networks.efficientvit.blocks import DropPath, Residual
from eegvit.networks.efficientvit.depthwise import FEW_PLANES, Depthwise, convolution
from eegvit.networks.fold import fold


@pytest.mark.parametrize("shape", [(6, 9), (1, 12), (2, 5), (7, 1), (1, 1)])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (3, 7), (1, 3)])
@pytest.mark.parametrize("stride", [1, 2, (1, 2)])
@pytest.mark.parametrize("bias", [False, True])
def test_it_is_a_convolution(
    shape: tuple[int, int], kernel: tuple[int, int], stride: int | tuple[int, int], bias: bool
) -> None:
    torch.manual_seed(0)
    layer = Depthwise(4, kernel, stride=stride, bias=bias).double()
    x = torch.randn(3, 4, *shape, dtype=torch.float64, requires_grad=True)
    x_strided = x.to(memory_format=torch.channels_last)
    padding = (kernel[0] // 2, kernel[1] // 2)
    expected = F.conv2d(x, layer.weight, layer.bias, stride, padding, groups=4)
    towards = torch.randn_like(expected)
    variables = [x, *layer.parameters()]
    wanted = torch.autograd.grad((expected * towards).sum(), variables)
    for given in (x, x_strided):
        out = layer(given)
        torch.testing.assert_close(out, expected)
        gradients = torch.autograd.grad((out * towards).sum(), variables)
        for gradient, plain in zip(gradients, wanted, strict=True):
            torch.testing.assert_close(gradient, plain)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), expected)


@pytest.mark.parametrize("shape", [(6, 9), (1, 12), (2, 5), (1, 1)])
@pytest.mark.parametrize("stride", [1, 2, (1, 2)])
@pytest.mark.parametrize("n_planes", [4, FEW_PLANES + 1])
def test_folded_is_a_convolution(
    shape: tuple[int, int], stride: int | tuple[int, int], n_planes: int
) -> None:
    layer = Depthwise(n_planes, (3, 5), stride=stride, bias=True).double().eval()
    for n in (1, 3):
        x = torch.randn(n, n_planes, *shape, dtype=torch.float64)
        expected = F.conv2d(x, layer.weight, layer.bias, stride, (1, 2), groups=n_planes)
        found = fold(layer)(x)
        torch.testing.assert_close(found, expected)
        if found.shape == x.shape:
            with_input = fold(Residual(nn.Sequential(layer, DropPath(0.1))))(x)
            torch.testing.assert_close(with_input, x + expected)


def test_which_class() -> None:
    assert isinstance(convolution(4, 4, 3, groups=4), Depthwise)
    assert not isinstance(convolution(4, 8, 3, groups=4), Depthwise)
