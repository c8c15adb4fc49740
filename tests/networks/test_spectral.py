"""Products of spectra are convolutions, and a choice of form changes nothing but time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from eegvit.networks import choice
from eegvit.networks.norm_elu_pool import NormEluPool
from eegvit.networks.spectral import convolve_directly, convolve_spectrally, transform_length
from eegvit.networks.temporal_spatial import TemporalSpatial
from eegvit.sealed import read_mapping, write_sealed


@pytest.mark.parametrize(
    ("n_times", "length", "padding"), [(50, 16, 8), (51, 7, 3), (9, 9, 0), (20, 1, 0), (30, 4, 9)]
)
def test_spectral_convolution_and_its_gradients_are_the_direct_ones(
    n_times: int, length: int, padding: int
) -> None:
    generator = torch.Generator().manual_seed(n_times)
    results = []
    for form in (convolve_directly, convolve_spectrally):
        x = torch.randn(3, 4, n_times, dtype=torch.double, generator=generator.manual_seed(1))
        kernels = torch.randn(4, length, dtype=torch.double, generator=generator)
        x.requires_grad_(), kernels.requires_grad_()
        y = form(x, kernels, padding)
        weights = torch.randn(y.shape, dtype=torch.double, generator=generator)
        (y * weights).sum().backward()
        results.append((y.detach(), x.grad, kernels.grad))
    for direct, spectral in zip(*results, strict=True):
        assert direct.shape == spectral.shape
        assert torch.allclose(direct, spectral, atol=1e-10)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kernel_length", [1, 8, 15])
def test_spatial_first_is_temporal_first(training: bool, kernel_length: int) -> None:
    results: dict[str, list[Tensor]] = {}
    for form in ("temporal_first", "spatial_first"):
        torch.manual_seed(0)
        layer = TemporalSpatial(5, 3, 2, kernel_length, limit=0.7).double().train(training)
        with torch.no_grad():
            for name, value in layer.state_dict().items():
                if value.is_floating_point():
                    value.copy_(torch.rand_like(value) + ("running_var" in name))
        x = torch.randn(4, 5, 40, dtype=torch.double, requires_grad=True)
        y = getattr(layer, form)(x)
        (y * torch.randn(y.shape, dtype=torch.double)).sum().backward()
        gradients = [p.grad for p in layer.parameters()]
        results[form] = [y.detach(), x.grad, *gradients, *(b.clone() for b in layer.buffers())]
    for plain, fast in zip(*results.values(), strict=True):
        assert torch.allclose(plain, fast, atol=1e-9)


@pytest.mark.parametrize("training", [True, False])
def test_norm_elu_pool_is_its_three_steps(training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from eegvit.networks import norm_elu_pool

    monkeypatch.setattr(norm_elu_pool, "IN_CACHE", 150)  # two features at once, of five
    results = []
    for plain in (True, False):
        monkeypatch.setattr(norm_elu_pool, "traced", lambda x, plain=plain: plain)
        torch.manual_seed(0)
        layer = NormEluPool(5, pool=4).double().train(training)
        with torch.no_grad():
            for name, value in layer.state_dict().items():
                if value.is_floating_point():
                    value.copy_(torch.rand_like(value) + ("running_var" in name))
        x = torch.randn(3, 5, 23, dtype=torch.double, requires_grad=True)
        y = layer(x)
        (y * torch.randn(y.shape, dtype=torch.double)).sum().backward()
        assert layer.weight.grad is not None and layer.bias.grad is not None
        gradients = [x.grad, layer.weight.grad, layer.bias.grad]
        results.append([y.detach(), *gradients, *(b.clone().double() for b in layer.buffers())])
    for plain_one, fast_one in zip(*results, strict=True):
        assert torch.allclose(plain_one, fast_one, atol=1e-10)


def test_transform_lengths_are_even_and_have_small_factors() -> None:
    for n in range(1, 3000, 7):
        length = transform_length(n)
        assert length >= n and length % 2 == 0
        for factor in (2, 3, 5):
            while length % factor == 0:
                length //= factor
        assert length == 1


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("EEGVIT_CACHE", str(tmp_path))
    monkeypatch.setattr(choice, "_known", {})
    return tmp_path / "forms.json"


def test_a_form_that_is_clearly_faster_is_chosen_once_and_remembered(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = {"plain": 1.0, "clever": 0.5}
    asked: list[str] = []

    def measure(form: str, x: Tensor) -> float:
        asked.append(form)
        return seconds[form]

    monkeypatch.setattr(choice, "_seconds", measure)
    x = torch.ones(100, 800)
    forms = {"plain": "plain", "clever": "clever"}
    assert choice.fastest("it", x, forms) == "clever"  # type: ignore[arg-type]
    assert choice.fastest("it", x[:70], forms) == "clever"  # type: ignore[arg-type]
    assert asked == ["plain", "clever"]  # 70 and 100 trials round to one power of two
    monkeypatch.setattr(choice, "_known", {})  # as in another process
    seconds["clever"] = 2.0
    assert choice.fastest("it", x, forms) == "clever"  # type: ignore[arg-type]
    assert clean.exists() and len(asked) == 2
    assert choice.fastest("another", x, forms) == "plain"  # type: ignore[arg-type]


def test_a_small_gain_does_not_change_the_form(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "_seconds", lambda form, x: {"a": 1.0, "b": 0.9}[form])
    forms = {"a": "a", "b": "b"}
    assert choice.fastest("it", torch.ones(100, 800), forms) == "a"  # type: ignore[arg-type]


def test_an_unreadable_memory_or_one_that_cannot_be_written_is_no_obstacle(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean.write_text("not sealed")
    x = torch.ones(100, 800)
    forms = {"a": lambda: x + 1, "b": lambda: x + 1}
    with pytest.warns(UserWarning, match=r"forms\.json is damaged"):
        assert choice.fastest("it", x, forms) in forms
    monkeypatch.setattr(choice, "_known", {})
    key = next(iter(read_mapping(clean)))
    write_sealed(clean, json.dumps({key: "a form of another version"}).encode())
    assert choice.fastest("it", x, forms) in forms
    assert read_mapping(clean)[key] in forms
    monkeypatch.setenv("EEGVIT_CACHE", "/proc/nowhere")
    monkeypatch.setattr(choice, "_known", {})
    assert choice.fastest("it", x, forms) in forms


def test_measuring_leaves_no_trace_in_a_layer(clean: Path) -> None:
    torch.manual_seed(0)
    layer = TemporalSpatial(8, 4, 2, 16)
    x = torch.randn(64, 8, 100)
    layer(x)
    assert clean.exists()
    assert layer.norm.num_batches_tracked == 1
    assert all(p.grad is None for p in layer.parameters())
