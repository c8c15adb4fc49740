"""Multiply-accumulates are those that one counts by hand, whatever torch fuses."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.eegnet import EEGNet
from eegvit.networks.efficientvit.families.former_attention import TalkingAttention
from eegvit.networks.macs import count

# over 6 tokens of 8 planes: queries, keys, values; scores and sums of values; projection
ATTENTION = 6 * 8 * 24 + 2 * 6 * 6 * 8 + 6 * 8 * 8
ENCODER = ATTENTION + 2 * 6 * 8 * 16


class Applied(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class SelfAttention(nn.Module):
    def __init__(self, need_weights: bool) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.need_weights = need_weights

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x, need_weights=self.need_weights)[0]


def encoder_layer() -> nn.Module:
    return nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)


def explicit_attention(x: Tensor) -> Tensor:
    return (x @ x.mT).softmax(-1) @ x


def split_attention(x: Tensor) -> Tensor:
    heads = torch.einsum("nthd,nshd->nhts", x, x).softmax(-1)
    return torch.einsum("nhts,nshd->nthd", heads, x)


def fused_attention(x: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(x, x, x)


@pytest.mark.parametrize(
    ("network", "shape", "wanted"),
    [
        (nn.Conv2d(3, 8, (3, 5), stride=2, padding=1), (3, 9, 13), 5 * 6 * 8 * 3 * 15),
        (nn.Conv2d(8, 8, 3, padding=1, groups=8), (8, 9, 13), 9 * 13 * 8 * 9),
        (nn.Conv2d(6, 4, 3, groups=2, padding="same"), (6, 7, 7), 7 * 7 * 4 * 3 * 9),
        (nn.Conv1d(4, 6, 5, dilation=2), (4, 20), 12 * 6 * 4 * 5),
        (nn.ConvTranspose1d(4, 6, 5, stride=2), (4, 20), 20 * 6 * 4 * 5),
        (nn.Linear(5, 3), (5,), 15),
        (nn.Linear(5, 3, bias=False), (7, 5), 7 * 15),
        (nn.Sequential(nn.BatchNorm1d(5), nn.GELU(), nn.Dropout()), (5,), 0),
    ],
)
def test_layers(network: nn.Module, shape: tuple[int, ...], wanted: int) -> None:
    assert count(network, torch.randn(1, *shape)) == wanted


@pytest.mark.parametrize(
    ("function", "shape", "wanted"),
    [
        (explicit_attention, (6, 8), 2 * 6 * 6 * 8),
        (fused_attention, (2, 6, 8), 2 * 2 * 6 * 6 * 8),
        (split_attention, (6, 2, 4), 2 * 2 * 6 * 6 * 4),
        (lambda x: torch.ones(3, 5) @ x[0], (5,), 15),
        (lambda x: torch.addmv(torch.ones(3), torch.ones(3, 5), x[0]), (5,), 15),
        (lambda x: torch.dot(x[0], x[0]), (5,), 5),
        (lambda x: torch.linalg.eigh(x).eigenvectors, (4, 6, 6), 4 * 9 * 6**3 // 2),
    ],
)
def test_products(
    function: Callable[[Tensor], Tensor], shape: tuple[int, ...], wanted: int
) -> None:
    assert count(Applied(function), torch.randn(1, *shape)) == wanted


@pytest.mark.parametrize(
    ("network", "shape", "wanted"),
    [
        (SelfAttention(need_weights=True), (6, 8), ATTENTION),
        (SelfAttention(need_weights=False), (6, 8), ATTENTION),
        (encoder_layer(), (6, 8), ENCODER),
        (nn.TransformerEncoder(encoder_layer(), 3), (6, 8), 3 * ENCODER),
        (nn.LSTM(5, 7, batch_first=True), (11, 5), 11 * 4 * 7 * (5 + 7)),
        (nn.GRU(5, 7, batch_first=True), (11, 5), 11 * 3 * 7 * (5 + 7)),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_fused_layers(
    network: nn.Module, shape: tuple[int, ...], wanted: int, training: bool
) -> None:
    assert count(network.train(training), torch.randn(1, *shape)) == wanted


def test_everything_is_as_it_was() -> None:
    network = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(6), encoder_layer(), nn.Dropout(0.5))
    network[2].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    torch.manual_seed(0)
    state = torch.get_rng_state()
    for n_planes in (8, 7):
        with contextlib.ExitStack() as stack:
            if n_planes == 7:
                stack.enter_context(pytest.raises(RuntimeError))
            count(network, torch.zeros(1, 6, n_planes))
        assert [module.training for module in network.modules()] == modes
        assert torch.backends.mha.get_fastpath_enabled()
        assert torch.backends.mkldnn.enabled
        assert torch.backends.cuda.flash_sdp_enabled()
    assert torch.is_grad_enabled() and torch.equal(torch.get_rng_state(), state)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_our_networks() -> None:
    x = torch.randn(1, 22, 1000)
    temporal, spatial = 22 * 1001 * 8 * 64, 1001 * 16 * 22
    separable, head = 251 * 16 * 16 + 251 * 16 * 16, 16 * 31 * 4
    assert count(EEGNet(22, 1000, 4), x) == temporal + spatial + separable + head
    heads = {"n_heads": 2, "key_dim": 4, "value_dim": 8, "reach": (3, 4)}
    projections = 15 * (2 * 16 * 8 + 2 * 16 * 16 + 16 * 9)
    products = 2 * 15 * 15 * (4 + 8) + 2 * 15 * 15 * 2 * 2
    attention = TalkingAttention(16, **heads)
    assert count(attention, torch.randn(1, 16, 3, 5)) == projections + products


def test_a_conformer_by_hand() -> None:
    n_tokens, width = 61, 40
    convolutions = 40 * 25 * 22 * 976 + 40 * 40 * 22 * 976 + 40 * 40 * n_tokens
    attention = 4 * n_tokens * width**2 + 2 * n_tokens**2 * width
    layer = attention + 2 * n_tokens * width * 4 * width
    head = n_tokens * width * 256 + 256 * 32 + 32 * 4
    wanted = convolutions + 6 * layer + head
    assert count(peer("EEGConformer"), torch.randn(1, 22, 1000)) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"), [("EEGNet", 11_758_112), ("ATCNet", 26_874_400), ("CTNet", 34_078_400)]
)
def test_peers(name: str, wanted: int) -> None:
    assert count(peer(name), torch.randn(1, 22, 1000)) == wanted


def peer(name: str) -> nn.Module:
    models = pytest.importorskip("braindecode.models", exc_type=ImportError)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(models, name)(n_chans=22, n_times=1000, n_outputs=4)


def test_what_cannot_be_counted() -> None:
    with pytest.warns(RuntimeWarning, match="Fourier"):
        count(Applied(lambda x: torch.fft.rfft(x).abs()), torch.randn(1, 8))
    with pytest.raises(ValueError, match="one trial, not for 2"):
        count(nn.Linear(5, 3), torch.randn(2, 5))
