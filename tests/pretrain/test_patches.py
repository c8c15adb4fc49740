"""Patches: what is hidden, what is to be told, and from where."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eegvit.networks.layers import Standardise
from eegvit.pretrain.learner import Drawn, Learner
from eegvit.pretrain.patches import Decoder, Truth, band_pooling, draw_mask, hide
from eegvit.pretrain.processes import Processes
from eegvit.pretrain.settings import Objective


def signals(n: int = 30) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((n, 2, 50))).float()


def truth(target: str = "log_power") -> Truth:
    mean, scale = torch.tensor([[1.0], [-2.0]]), torch.tensor([[2.0], [0.5]])
    return Truth(signals(), mean, scale, target, 4, 3)  # type: ignore[arg-type]


def test_log_power_equals_a_loop() -> None:
    found, X = truth(), signals()
    pooling = band_pooling(7, 3).numpy()
    held = np.empty((30, 2, 4, 3))
    for i in range(30):
        for channel in range(2):
            x = (X[i, channel].numpy() - found.mean[channel].item()) / found.scale[channel].item()
            for patch in range(4):
                part = x[12 * patch : 12 * (patch + 1)] * np.hanning(13)[:12]
                power = np.abs(np.fft.rfft(part)) ** 2
                for band in range(3):
                    members = pooling[:, band] > 0
                    held[i, channel, patch, band] = np.log(power[members].mean() / 4.5 + 1e-3)
    expected = held - held.mean((0, 2))[:, None]
    expected /= held.transpose(1, 3, 0, 2).reshape(2, 3, -1).std(-1, ddof=1)[:, None]
    told = found(found.standardised(X))
    np.testing.assert_allclose(told.numpy(), expected, atol=2e-3)


def test_the_signal_itself_and_what_is_left_over() -> None:
    found = truth("signal")
    X = signals()
    parts = found(found.standardised(X))
    assert parts.shape == (30, 2, 4, 12)
    again = found.restored(parts.flatten(2))
    torch.testing.assert_close(again, X[:, :, :48])


@pytest.mark.parametrize("n_frequencies", [3, 7, 32, 251])
def test_bands_hold_each_frequency_once(n_frequencies: int) -> None:
    members = band_pooling(n_frequencies, 8) > 0
    assert members[0].sum() == 0 and (members[1:].sum(1) == 1).all() and members.any(0).all()
    torch.testing.assert_close(band_pooling(n_frequencies, 8).sum(0), torch.ones(members.shape[1]))


def test_masks_hide_a_share_of_each_trial() -> None:
    masked = draw_mask(200, 3, 8, 0.4, np.random.default_rng(0))
    assert (masked.sum((1, 2)) == 10).all()
    assert abs(masked.mean(0) - 10 / 24).max() < 0.15
    assert not draw_mask(5, 3, 8, 0.0, np.random.default_rng(0)).any()
    x = signals(3)
    hidden = hide(x, torch.from_numpy(masked[:3, :2, :4]))
    for i in range(3):
        for channel in range(2):
            for patch in range(4):
                part = slice(12 * patch, 12 * patch + 12)
                if masked[i, channel, patch]:
                    assert (hidden[i, channel, part] == 0).all()
                else:
                    assert torch.equal(hidden[i, channel, part], x[i, channel, part])
    assert torch.equal(hidden[..., 48:], x[..., 48:])


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_the_network_sees_what_is_not_hidden_and_tells_what_is(share: float) -> None:
    objective = Objective(contrast=0.0, reconstruct=1.0, mask=share, patches=4, bands=3)
    standardise = Standardise(*(t[:, 0] for t in (truth().mean, truth().scale)))
    inner = nn.Sequential(nn.Flatten(), nn.Linear(100, 6), nn.Linear(6, 2))
    network = nn.Sequential(standardise, inner)
    torch.manual_seed(0)
    learner = Learner(network, objective, truth(), signals(2))
    X = signals(4)
    masked = torch.from_numpy(draw_mask(4, 2, 4, share, np.random.default_rng(0)))
    given: list[torch.Tensor] = []
    inner.register_forward_pre_hook(lambda _, x: given.append(x[0].detach()))
    drawn = Drawn(X, X + 1, X, torch.zeros(4, 2, 5, dtype=torch.int64), masked)
    loss = learner.loss(drawn, Processes())
    torch.testing.assert_close(given[-1], hide(standardise(X), masked), atol=1e-6, rtol=1e-5)
    told = learner.decoder(learner.encoder.maps(learner.truth.restored(given[-1])))
    errors = (told - learner.truth(standardise(X))).square().mean(3)
    counted = masked if share else torch.ones_like(masked)
    torch.testing.assert_close(loss, errors[counted].mean())


def test_each_patch_is_told_from_its_own_time() -> None:
    decoder = Decoder([(4, 2, 16)], (2, 8, 3))
    maps = [torch.randn(1, 4, 2, 16, requires_grad=True)]
    decoder(maps)[0, :, 3].sum().backward()
    used = maps[0].grad.abs().sum((0, 1, 2)) > 0
    assert used.nonzero().flatten().tolist() == [6, 7]
    with pytest.raises(ValueError, match="fewer patches"):
        Truth(signals(), torch.zeros(2, 1), torch.ones(2, 1), "signal", 20, 3)
