"""Encoders, against loops over single numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from eegvit.networks.spiking.encoders import Delta, DirectCurrent, StepForward, make_encoder

STEP = 0.5


@pytest.fixture
def signals() -> Tensor:
    """Return (times, n, channels): noise, and waves that move less than a step a sample."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(200, 4, 3, generator=generator)
    waves = 2 * torch.sin(torch.arange(200)[:, None, None] / torch.tensor([8.0, 15.0, 30.0]))
    return torch.cat([noise, waves.expand(200, 2, 3)], dim=1)


def slowly(x: Tensor, follows: bool) -> Tensor:
    """Encode one number after another."""
    n_times, n, n_channels = x.shape
    spikes = torch.zeros(n_times, n, 2 * n_channels)
    for trial in range(n):
        for channel in range(n_channels):
            baseline = x[0, trial, channel]
            for now in range(1, n_times):
                change = x[now, trial, channel] - baseline
                up = change > STEP if follows else change >= STEP
                down = change < -STEP if follows else change <= -STEP
                spikes[now, trial, channel] = float(up)
                spikes[now, trial, n_channels + channel] = float(down)
                moved = baseline + STEP * (float(up) - float(down))
                baseline = moved if follows else x[now, trial, channel]
    return spikes


@pytest.mark.parametrize("kind", [Delta, StepForward])
def test_equals_a_loop(kind: type[Delta], signals: Tensor) -> None:
    signals = signals[:60]
    encoded = kind(3, STEP)(signals)
    assert 0.02 < encoded[:, :, :3].mean() < 0.5 and 0.02 < encoded[:, :, 3:].mean() < 0.5
    assert torch.equal(encoded, slowly(signals, follows=kind is StepForward))
    turned = signals.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert torch.equal(kind(3, STEP)(turned), encoded)


def test_delta_equals_snntorchs(signals: Tensor) -> None:
    spikegen = pytest.importorskip(
        "snntorch.spikegen", reason="snntorch, the oracle, is not installed"
    )
    expected = spikegen.delta(signals, threshold=STEP, padding=True, off_spike=True)
    encoded = Delta(3, STEP)(signals)
    assert torch.equal(encoded[..., :3] - encoded[..., 3:], expected)


def test_a_slow_signal_can_be_told_from_step_forward_spikes(signals: Tensor) -> None:
    waves = signals[:, 4:]
    assert waves.diff(dim=0).abs().max() < STEP
    encoded = StepForward(3, STEP)(waves)
    told = waves[0] + STEP * (encoded[..., :3] - encoded[..., 3:]).cumsum(0)
    assert (told - waves).abs().max() <= STEP + 1e-5
    assert waves.abs().max() > 3 * STEP


@pytest.mark.parametrize("kind", [Delta, StepForward])
def test_under_vmap_and_export(kind: type[Delta], signals: Tensor) -> None:
    encoder = kind(3, STEP)
    expected = encoder(signals[:30])
    assert torch.equal(torch.vmap(encoder, in_dims=1, out_dims=1)(signals[:30]), expected)
    exported = torch.export.export(encoder, (signals[:30],)).module()
    assert torch.equal(exported(signals[:30]), expected)


@pytest.mark.parametrize("kind", [Delta, StepForward])
def test_leaves_its_input_alone_and_has_no_gradient(kind: type[Delta], signals: Tensor) -> None:
    before = signals.clone()
    assert not kind(3, STEP)(signals.requires_grad_()).requires_grad
    assert torch.equal(signals.detach(), before)
    current = DirectCurrent(3)(signals)
    assert current.requires_grad and torch.equal(current, signals)


@pytest.mark.parametrize(("name", "step"), [("rate", 0.5), ("delta", 0.0)])
def test_refuses_what_makes_no_sense(name: Any, step: float) -> None:
    with pytest.raises(ValueError, match="encoder=|step="):
        make_encoder(name, 3, step)
