"""Filters as products of matrices are convolutions, whatever their length and the trial's."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from eegvit.networks.blocks_of_time import BlockFilters, FilteredWhitened


@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 63, 64, 65, 66, 129, 288, 1000])
@pytest.mark.parametrize("n_times", [1000, 1025])
def test_the_same_as_a_convolution(length: int, n_times: int) -> None:
    torch.manual_seed(length)
    kernels, x = torch.randn(3, length), torch.randn(2, 6, n_times)
    for padding in {0, length // 2, length - 1}:
        each = kernels.double().repeat_interleave(2, 0)[:, None]
        expected = F.conv1d(x.double(), each, padding=padding, groups=6).float()
        filters = BlockFilters(kernels, 2, padding)
        for some in (x, x[:1]):
            made = filters(some)
            torch.testing.assert_close(
                made, expected[: len(some)], atol=2e-6 * length + 1e-5, rtol=0
            )


def test_a_level_costs_no_precision() -> None:
    """What a filter does not let pass is taken out first: single precision would drown in it."""
    torch.manual_seed(0)
    response = torch.randn(90).double()
    response -= response.mean()
    x, matrix = torch.randn(1, 3, 500) + 1e5, torch.randn(3, 3)
    exact = FilteredWhitened(response, matrix.double(), level=False)(x.double())
    off, lost = (
        (FilteredWhitened(response.float(), matrix, level=level)(x) - exact).abs().max()
        for level in (False, True)
    )
    assert off < 1e-3 < lost
