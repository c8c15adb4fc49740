"""Layouts, families and the head together."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from random_weights import randomise
from torch import Tensor, nn

from eegvit.networks.efficientvit.attention_maps import attention_maps, electrode_attention
from eegvit.networks.efficientvit.maps.layouts import LAYOUTS
from eegvit.networks.efficientvit.maps.scalp import directions_of, front_to_back
from eegvit.networks.efficientvit.model import FAMILIES, EfficientViT
from eegvit.networks.efficientvit.presets import EEG
from eegvit.networks.fold import fold
from eegvit.train.run import parameter_groups

DENSE = mne.channels.make_standard_montage("brainproducts-RNP-BA-128").ch_names
SHAPES = [(3, 500, 125.0), (8, 206, 256.0), (22, 1000, 250.0), (64, 480, 160.0)]


def make(n_channels: int, n_times: int, sfreq: float, **settings: Any) -> EfficientViT:
    """Return a network for electrodes of the 10-05 system."""
    settings = {"preset": "eeg_xs", "ch_names": DENSE[:n_channels], **settings}
    torch.manual_seed(0)
    return EfficientViT(n_channels, n_times, 3, sfreq=sfreq, **settings)


def noise(*shape: int) -> Tensor:
    """Return noise."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_forward_and_backward(family: str, layout: str) -> None:
    for n_channels, n_times, sfreq in SHAPES:
        network = make(n_channels, n_times, sfreq, family=family, layout=layout)
        x = noise(4, n_channels, n_times)
        logits = network(x)
        assert logits.shape == (4, 3)
        F.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        network.eval()
        one = torch.cat([network(trial[None]) for trial in x])
        torch.testing.assert_close(one, network(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_folded_is_unfolded(family: str, layout: str) -> None:
    network = make(22, 500, 250.0, family=family, layout=layout).double()
    randomise(network)
    x = noise(3, 22, 500).double()
    folded = fold(network)
    with torch.no_grad():
        expected, logits = network.eval().features(x), network(x)
        scale = float(expected.abs().max())
        assert expected.std(0).mean() > 1e-3 * scale, "trials are alike: this would say nothing"
        found = folded.features(x)  # type: ignore[operator]
        torch.testing.assert_close(found / scale, expected / scale, atol=1e-9, rtol=0)
        torch.testing.assert_close(folded(x), logits, atol=1e-9, rtol=1e-9)
    n_norms = sum(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in folded.modules())
    assert n_norms == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_state_dict_round_trip(family: str) -> None:
    first = make(22, 500, 250.0, family=family, layout="scalp")
    randomise(first)
    second = make(22, 500, 250.0, family=family, layout="scalp")
    x = noise(2, 22, 500)
    assert not torch.equal(first.eval()(x), second.eval()(x))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(x), second(x))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_zeros_and_constants(family: str, layout: str) -> None:
    network = make(22, 300, 250.0, family=family, layout=layout)
    for value in (0.0, 7.0):
        x = torch.full((4, 22, 300), value, requires_grad=True)
        out = network.train()(x)
        out.square().sum().backward()
        assert out.isfinite().all() and x.grad is not None and x.grad.isfinite().all()
        assert all(p.grad is None or p.grad.isfinite().all() for p in network.parameters())
        assert network.eval()(x).isfinite().all()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("n_channels", "seconds"), [(3, 0.5), (128, 0.5), (3, 10.0), (128, 10.0)])
@pytest.mark.parametrize("layout", ["conv", "scalp", "grid"])
def test_any_size(family: str, layout: str, n_channels: int, seconds: float) -> None:
    n_times = round(seconds * 128)
    network = make(n_channels, n_times, 128.0, family=family, layout=layout).eval()
    with torch.no_grad():
        assert network(noise(1, n_channels, n_times)).isfinite().all()
        assert network(noise(1, n_channels, n_times + 37)).isfinite().all()


def test_head_and_features() -> None:
    network = make(22, 1000, 250.0, layout="grid").eval()
    x = noise(2, 22, 1000)
    maps = network.forward_features(x)
    assert [m.shape[1] for m in maps] == list(network.stages.widths)
    assert maps[0].shape[2:] == (5, 32)
    torch.testing.assert_close(network.forward_head(maps), network(x))
    torch.testing.assert_close(network.features(x), maps[-1].flatten(2))
    head = network.head
    quarters = maps[-1].mean(2).unflatten(2, (4, -1)).mean(3).flatten(1)
    torch.testing.assert_close(network(x), head(quarters))
    wide = make(22, 1000, 250.0, layout="grid", multi_scale=True, segments=1).eval()
    maps = wide.forward_features(x)
    assert wide.head.linear.in_features == sum(wide.stages.widths)
    torch.testing.assert_close(wide(x), wide.head(torch.cat([m.mean((2, 3)) for m in maps], 1)))


def test_dropout_is_of_the_heads_features_in_training_only() -> None:
    network = make(3, 250, 125.0, layout="conv", dropout=0.5)
    maps = [torch.ones(2000, width, 1, 1) for width in network.stages.widths]
    seen: list[Tensor] = []
    network.head.register_forward_hook(lambda module, given, out: seen.append(given[0]))
    network.train().forward_head(maps)
    network.eval().forward_head(maps)
    assert set(seen[0].unique().tolist()) == {0.0, 2.0}
    assert abs(float((seen[0] == 0).float().mean()) - 0.5) < 0.05
    assert seen[1].unique().tolist() == [1.0]


@pytest.mark.parametrize("family", FAMILIES)
def test_drop_path_reaches_the_stages(family: str) -> None:
    network = make(3, 250, 125.0, family=family, dropout=0.0, drop_path=0.5)
    randomise(network)
    x = noise(4, 3, 250)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.0
    drawn = torch.stack([network.train()(x) for _ in range(4)])
    assert drawn.std(0).max() > 1e-3
    assert torch.equal(network.eval()(x), network(x))


@pytest.mark.parametrize(
    ("family", "layout"), [("cascaded", "conv"), ("cascaded", "scalp"), ("linear", "scalp")]
)
def test_export(family: str, layout: str) -> None:
    network = fold(make(3, 250, 125.0, family=family, layout=layout))
    x = noise(2, 3, 250)
    exported = torch.export.export(network, (x,)).module()
    torch.testing.assert_close(exported(x), network(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_maps(family: str) -> None:
    network = make(22, 1000, 250.0, family=family, layout="scalp")
    network.layout.eval()  # a mixture of modes, which must come back
    modes = {name: module.training for name, module in network.named_modules()}
    x = noise(2, 22, 1000)
    maps = attention_maps(network, x)
    assert maps, "no attention was recorded"
    state = network.state_dict()
    for name, attention in maps.items():
        assert attention.ndim == 4 and len(attention) == 2, name
        assert attention.isfinite().all() and (attention >= 0).all(), name
        assert not attention.requires_grad
    assert {name: module.training for name, module in network.named_modules()} == modes
    for name in maps:
        module = network.get_submodule(name)
        assert not module.record and not hasattr(module, "recorded")
    again = attention_maps(network, x)
    assert all(torch.equal(maps[name], again[name]) for name in maps)
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    other = attention_maps(network, 3 * noise(2, 22, 1000).flip(2))
    assert any(not torch.allclose(maps[name], other[name], atol=1e-6) for name in maps)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown name 'cascade', did you mean 'cascaded'"):
        make(3, 250, 125.0, family="cascade")
    with pytest.raises(ValueError, match="no preset 'eeg_l'"):
        make(3, 250, 125.0, preset="eeg_l")
    with pytest.raises(ValueError, match="'cascaded' has no setting 'sandwhich', did you mean"):
        make(3, 250, 125.0, settings={"sandwhich": False})
    with pytest.raises(ValueError, match="column of 8 samples.*only 3: take a longer window"):
        make(3, 3, 125.0)


def test_settings_replace_those_of_the_preset() -> None:
    sizes = {
        name: sum(p.numel() for p in make(22, 1000, 250.0, settings=given).parameters())
        for name, given in {
            "preset": {},
            "one ffn": {"sandwich": False},
            "wide ffn": {"ffn_ratio": 4.0},
            "no interaction": {"interaction": False},
        }.items()
    }
    assert sizes["one ffn"] < sizes["preset"] < sizes["wide ffn"]
    assert sizes["no interaction"] < sizes["preset"]


def test_every_family_has_the_presets() -> None:
    assert set(EEG) == set(FAMILIES)
    assert all(set(presets) == {"eeg_xxs", "eeg_xs", "eeg_s", "eeg_m"} for presets in EEG.values())


@pytest.mark.parametrize("layout", ["scalp", "grid"])
def test_attention_goes_back_to_the_electrodes_it_came_from(
    layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("Fz", "FC3", "FC1", "FCz", "FC2", "FC4", "C5", "C3", "C1", "Cz", "C2", "C4", "C6",
             "CP3", "CP1", "CPz", "CP2", "CP4", "P1", "Pz", "P2", "POz")  # fmt: skip
    network = EfficientViT(22, 250, 2, sfreq=125.0, layout=layout, ch_names=names)
    x = torch.randn(3, 22, 250)
    even = electrode_attention(network, x)
    assert even.shape[:2] == (3, 22) and (even > 0).all()
    rows, columns = network.layout(x).shape[2:]
    received = torch.zeros(3, 2, rows, columns)
    received[:, :, 0] = 1.0  # the first row of the map only
    monkeypatch.setattr(
        "eegvit.networks.efficientvit.attention_maps.attention_maps",
        lambda network, x: {"only": received},
    )
    share = electrode_attention(network, x)[0, :, 0]
    assert share.max() > 0.4
    assert names[int(share.argmax())] == "Fz"  # the first row is in front
    assert share[names.index("POz")] < 0.05


def test_a_layout_without_electrodes_has_no_scalp() -> None:
    with pytest.raises(ValueError, match="mixes all electrodes"):
        electrode_attention(make(3, 250, 125.0, layout="conv"), torch.randn(2, 3, 250))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layout", ["scalp", "grid"])
def test_channels_may_be_listed_in_any_order(family: str, layout: str) -> None:
    x, names = noise(4, 22, 500).double(), np.array(DENSE[:22])
    first = make(22, 500, 250.0, family=family, layout=layout, ch_names=names.tolist()).double()
    randomise(first)
    order = np.random.default_rng(0).permutation(22)
    second = make(22, 500, 250.0, family=family, layout=layout, ch_names=names[order].tolist())
    second.double().load_state_dict(first.state_dict())
    logits = first.eval()(x)
    centre, spread = logits.mean(0), logits.std(0)  # random weights are sure of everything

    def told(network: nn.Module, x: Tensor) -> Tensor:
        return ((network(x) - centre) / spread).softmax(1)

    for one, other in ((first, second.eval()), (fold(first), fold(second))):
        expected = told(one, x)
        assert (told(other, x[:, order]) - expected).abs().max() < 1e-5
        assert (told(other, x) - expected).abs().max() > 1e-2  # positions shuffled


def test_a_training_does_not_see_how_channels_are_listed() -> None:
    x, y, order = noise(16, 8, 250), torch.arange(16) % 3, [3, 1, 7, 0, 2, 6, 5, 4]
    trained = []
    for own in (list(range(8)), order):
        network = make(8, 250, 125.0, ch_names=[DENSE[i] for i in own], dropout=0.0)
        optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
        for _ in range(5):
            optimiser.zero_grad()
            F.cross_entropy(network.train()(x[:, own]), y).backward()
            optimiser.step()
        trained.append(network.eval()(x[:, own]).softmax(1))
    torch.testing.assert_close(trained[0], trained[1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("n_channels", [3, 8, 22, 64, 128])
def test_every_electrode_sees_every_other_within_one_stage(n_channels: int) -> None:
    network = make(n_channels, 500, 125.0).eval()
    randomise(network)
    layout = network.layout
    places = min(6, n_channels)
    with torch.no_grad():  # each row is of the electrode at its place alone
        alone = torch.from_numpy(layout.places @ sorted_directions(n_channels).T > 1 - 1e-6)
        assert alone.sum() == places
        layout.front.spatial.copy_(alone.float().repeat(len(layout.front.temporal), 1))
    x = noise(1, n_channels, 500).requires_grad_()
    stage = network.forward_features(x)[0]  # (1, planes, rows, columns)
    assert stage.shape[2] == places
    for row in range(places):
        for column in (0, stage.shape[3] - 1):
            (found,) = torch.autograd.grad(stage[0, :, row, column].sum(), x, retain_graph=True)
            seen = found[0].abs().amax(1)[layout.order] > 0
            assert seen[alone.any(0)].all(), "a place is not seen from another"
            ends = found[0].abs().amax(0)
            assert ends[:100].max() > 0 and ends[-100:].max() > 0, "not the whole trial is seen"
    randomise(network)
    (found,) = torch.autograd.grad(network.forward_features(x)[0][0, :, 0, 0].sum(), x)
    assert (found[0].abs().amax(1) > 0).all(), "an electrode is not seen"


def sorted_directions(n_channels: int) -> np.ndarray:
    """Return the directions of the first electrodes in the layout's own order."""
    where = directions_of(DENSE[:n_channels], "")
    return where[front_to_back(where)]


def test_no_position_and_no_bias_decays() -> None:
    network = make(22, 500, 250.0)
    names = {name for name, _ in network.named_parameters() if "bias" in name}
    free = {id(p) for p in parameter_groups(network, 0.1)[1]["params"]}
    added = {name for name, p in network.named_parameters() if id(p) in free}
    assert names <= added and "layout.place" in added
    assert any(name.endswith("bias.place") for name in added)
    assert not any("spatial" in name or "qkv.0.conv" in name for name in added)
