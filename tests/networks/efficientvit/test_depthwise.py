"""A depthwise convolution is torch's, with its gradients."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from eegvit.networks.efficientvit.depthwise import Depthwise, Filter, convolution


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


def test_second_derivatives() -> None:
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(3, 1, 3, 5, dtype=torch.float64, requires_grad=True)
    for stride in ((1, 1), (2, 2)):
        assert torch.autograd.gradgradcheck(
            lambda x, weight, stride=stride: Filter.apply(x, weight, stride, (1, 2)), (x, weight)
        )


def test_frozen_parts() -> None:
    layer = Depthwise(3, (5, 5))
    layer.weight.requires_grad_(False)
    x = torch.randn(2, 3, 4, 5, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None and layer.weight.grad is None
    layer.weight.requires_grad_(True)
    layer(x.detach()).sum().backward()
    assert layer.weight.grad is not None


def test_mixed_precision() -> None:
    layer = Depthwise(3, (5, 5))
    x = torch.randn(2, 3, 6, 7)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    out.float().sum().backward()
    assert out.dtype == torch.bfloat16 and layer.weight.grad is not None
    torch.testing.assert_close(out.float(), layer(x), rtol=0.05, atol=0.05)


def test_which_class() -> None:
    assert isinstance(convolution(4, 4, 3, groups=4), Depthwise)
    assert not isinstance(convolution(4, 8, 3, groups=4), Depthwise)
