"""EfficientViT as a classifier: what its parameters do, and that it learns."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from sklearn.base import clone

from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.neural import hold_out
from eegvit.networks.efficientvit.maps.layouts import LAYOUTS
from eegvit.networks.efficientvit.model import FAMILIES
from eegvit.networks.efficientvit.presets import EEG

NAMES = ("C3", "C1", "Cz", "C2", "C4", "FC3", "FC4", "CPz")
SHORT: dict[str, Any] = {
    "preset": "eeg_xs",
    "sfreq": 128.0,
    "ch_names": NAMES,
    "epochs": 1,
    "batch_size": 16,
    "device": "cpu",
    "lines": False,
}
LONG = SHORT | {"epochs": 12, "learning_rate": 5e-3}


@pytest.fixture(scope="module")
def once() -> dict[str, Any]:
    """Hold what is computed once for all parameters."""
    return {}


@pytest.mark.parametrize("layout", ["both", *LAYOUTS])
def test_learns_in_every_layout(layout: str, make_trials: Any) -> None:
    train, test = (
        make_trials(n_trials=n, n_times=192, seed=s, contrast=8.0) for n, s in ((64, 1), (40, 2))
    )
    model = EfficientViTClassifier(**LONG, layout=layout).fit(train.X, train.labels)
    assert model.score(test.X, test.labels) > 0.85


def test_hemispheres_that_share_their_weights_tell_left_from_right(make_trials: Any) -> None:
    train, test = (
        make_trials(n_trials=n, n_times=192, seed=s, contrast=8.0) for n, s in ((64, 1), (40, 2))
    )  # a rhythm in the first channel or in the second
    names = ("C3", "C4", "Cz", "C1", "C2", "FC3", "FC4", "CPz")
    chosen = LONG | {"ch_names": names, "layout": "scalp", "hemispheres": "shared"}
    model = EfficientViTClassifier(**chosen).fit(train.X, train.labels)
    assert model.score(test.X, test.labels) > 0.85


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_family_learns(family: str, make_trials: Any) -> None:
    train, test = (
        make_trials(n_trials=n, n_times=192, seed=s, contrast=8.0) for n, s in ((64, 1), (40, 2))
    )
    model = EfficientViTClassifier(**LONG, family=family).fit(train.X, train.labels)
    assert model.score(test.X, test.labels) > 0.85


@pytest.mark.parametrize("groups", [None, np.repeat(list("abcd"), 15)])
def test_lines_stand_beside_networks_that_are_trained_as_without_them(
    make_trials: Any, groups: Any
) -> None:
    train, test = (make_trials(n_trials=n, n_times=192, seed=n) for n in (60, 40))
    alone = EfficientViTClassifier(**SHORT).fit(train.X, train.labels)
    beside = EfficientViTClassifier(**SHORT | {"lines": None}).fit(
        train.X, train.labels, groups=groups
    )
    own, more = alone.module_.state_dict(), beside.module_.state_dict()
    assert set(more) - set(own) == {
        "1.lines.shares",
        *(f"1.lines.judges.{i}.{name}" for i in range(3) for name in ("weight", "bias")),
    }
    assert all(torch.equal(more[name], value) for name, value in own.items())
    assert beside.n_parameters_ > alone.n_parameters_ and beside.count_macs() > alone.count_macs()

    standardise, twin = beside.module_
    with torch.inference_mode():
        x = standardise(torch.from_numpy(test.X))
        judges = [*(stream(x) for stream in twin.streams), *twin.lines(x)]
    counts = torch.cat([torch.ones(2), twin.lines.shares])
    assert counts.sum().item() == pytest.approx(5)
    assert torch.equal(counts, torch.ones(5)) == (groups is None)
    told = torch.stack([logits.softmax(1) for logits in judges])
    mean = torch.einsum("j,jnc->nc", counts / 5, told)
    np.testing.assert_allclose(beside.predict_proba(test.X), mean, atol=1e-6)
    assert np.abs(beside.predict_proba(test.X) - alone.predict_proba(test.X)).max() > 0.01


def test_lines_see_training_trials_only_and_weigh_classes(make_trials: Any) -> None:
    trials = make_trials(n_trials=60, n_times=192, seed=3)
    people = np.repeat(np.arange(6), 10)
    settings = SHORT | {"lines": None, "validation": 0.34}
    weights = []
    for change in (None, "held out", "trained"):
        X = trials.X.copy()
        _, held_out = hold_out(trials.y, people, 0.34, 0)
        if change:
            X[held_out if change == "held out" else np.setdiff1d(range(60), held_out)[:5]] *= 3
        model = EfficientViTClassifier(**settings).fit(X, trials.labels, groups=people)
        weights.append(model.module_[1].lines.state_dict())
    assert all(torch.equal(weights[1][name], value) for name, value in weights[0].items())
    assert not torch.equal(weights[2]["judges.0.weight"], weights[0]["judges.0.weight"])

    few = np.flatnonzero(trials.y == trials.y.max())[3:]
    rows = np.setdiff1d(range(60), few)
    plain, even = (
        EfficientViTClassifier(**SHORT | {"lines": None, "class_weight": weight})
        .fit(trials.X[rows], trials.labels[rows])
        .module_[1]
        .lines.judges[0]
        .bias
        for weight in (None, "balanced")
    )
    assert even[-1] - even[0] > plain[-1] - plain[0] + 0.5


def test_people_of_other_trials_are_refused() -> None:
    X, y = np.random.default_rng(0).standard_normal((8, 3, 64)), [0, 1] * 4
    with pytest.raises(ValueError, match=r"groups has shape \(4,\) for 8 trials"):
        EfficientViTClassifier(**SHORT | {"lines": None}).fit(X, y, groups=list("abcd"))


def test_lines_belong_to_both_networks_alone() -> None:
    X, y = np.random.default_rng(0).standard_normal((8, 3, 64)), [0, 1] * 4
    with pytest.raises(ValueError, match="lines=True: they stand beside .* layout='both'"):
        EfficientViTClassifier(layout="conv", lines=True, sfreq=64.0, epochs=1).fit(X, y)
    fused = FusionClassifier(branches=["efficientvit", "eegnet"], sfreq=64.0, epochs=1).fit(X, y)
    assert not [name for name in fused.module_.state_dict() if "lines" in name]


def test_choices_are_those_of_the_networks() -> None:
    hints = get_type_hints(EfficientViTClassifier)
    assert set(get_args(hints["layout"])) == {"both", *LAYOUTS}
    assert get_args(get_args(hints["family"])[0]) == tuple(FAMILIES)
    sizes = set(get_args(get_args(hints["preset"])[0]))
    assert all(sizes == set(presets) for presets in EEG.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"family": "linear"},
        {"preset": "eeg_s"},
        {"layout": "conv"},
        {"multi_scale": True},
        {"cascade": False},
        {"sandwich": False},
        {"interaction": False},
        {"key_dim": 3},
        {"key_dim": "full"},
        {"ffn_ratio": 4.0},
        {"attention": "plain"},
        {"dropout": 0.9},
        {"drop_path": 0.5},
        {"hemispheres": "shared"},
    ],
    ids=str,
)
def test_every_parameter_has_an_effect(
    changes: dict[str, Any], make_trials: Any, once: dict[str, Any]
) -> None:
    def fit(**given: Any) -> Any:
        data = make_trials(n_trials=16, n_times=64)
        cascaded = {"family": "cascaded", "epochs": 6, "learning_rate": 0.01}
        model = EfficientViTClassifier(**SHORT | cascaded | given)
        return model.fit(data.X, data.labels).predict_proba(data.X)

    if not once:
        once["default"] = fit()
        np.testing.assert_array_equal(fit(), once["default"])
    assert not np.allclose(fit(**changes), once["default"], atol=1e-5)


@pytest.mark.parametrize(
    "given",
    [
        {"cascade": False},
        {"sandwich": True},
        {"interaction": False},
        {"key_dim": 4},
        {"key_dim": "full"},
        {"ffn_ratio": 4.0},
        {"attention": "plain"},
    ],
    ids=str,
)
@pytest.mark.parametrize("family", ["linear", "former", "multiscale"])
def test_switches_of_the_cascaded_family(family: Any, given: dict[str, Any], trials: Any) -> None:
    model = EfficientViTClassifier(**SHORT, family=family, **given)
    with pytest.raises(ValueError, match=f"{next(iter(given))}: only the family 'cascaded'"):
        model.fit(trials.X, trials.labels)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["LinearStages", "CascadedStages"]),
        ({"cascade": False}, ["CascadedStages", "CascadedStages"]),
        ({"family": "linear"}, ["LinearStages", "LinearStages"]),
        ({"layout": "conv"}, ["LinearStages"]),
        ({"layout": "scalp"}, ["CascadedStages"]),
    ],
    ids=str,
)
def test_family_where_none_is_named(given: dict[str, Any], expected: list[str]) -> None:
    model = EfficientViTClassifier(**SHORT | {"layout": "both"} | given)
    network = model.network(8, 128, 2)
    streams = getattr(network, "streams", [network])
    assert [type(stream.stages).__name__ for stream in streams] == expected


def test_every_switch_is_one_of_the_stages() -> None:
    from eegvit.branches.efficientvit import CASCADED_ONLY
    from eegvit.networks.efficientvit.families.cascaded import CascadedStages

    assert set(CASCADED_ONLY) <= set(inspect.signature(CascadedStages).parameters)


def test_what_the_data_must_tell(trials: Any) -> None:
    with pytest.raises(ValueError, match="EfficientViTClassifier needs the sampling rate"):
        EfficientViTClassifier(**SHORT | {"sfreq": None}).fit(trials.X, trials.labels)
    unknown = SHORT | {"ch_names": trials.ch_names, "layout": "grid"}
    with pytest.raises(ValueError, match="layout 'grid' needs the position.*EEG1, EEG2"):
        EfficientViTClassifier(**unknown).fit(trials.X, trials.labels)
    for layout in ("conv", "scalp"):
        model = EfficientViTClassifier(**unknown | {"layout": layout})
        assert model.fit(trials.X, trials.labels).predict_proba(trials.X).shape == (40, 2)


def test_named_channels_may_come_in_any_order(trials: Any) -> None:
    order = np.random.default_rng(0).permutation(8)
    model = EfficientViTClassifier(**SHORT | {"layout": "scalp"})
    first = clone(model).fit(trials.X, trials.labels).predict_proba(trials.X)
    model.set_params(ch_names=tuple(NAMES[i] for i in order))
    second = model.fit(trials.X[:, order], trials.labels).predict_proba(trials.X[:, order])
    np.testing.assert_allclose(first, second, atol=1e-5)
    model.set_params(ch_names=NAMES)  # of other electrodes
    moved = model.fit(trials.X[:, order], trials.labels).predict_proba(trials.X[:, order])
    assert np.abs(moved - first).max() > 1e-3


def test_attention_is_drawn_on_the_scalp(trials: Any, tmp_path: Path) -> None:
    from eegvit.report.topography import draw_topography

    model = EfficientViTClassifier(sfreq=trials.sfreq, ch_names=NAMES, epochs=1)
    received = model.fit(trials.X, trials.labels).attention_received(trials.X)
    assert received.shape[:2] == (len(trials), trials.n_channels) and np.isfinite(received).all()
    path = tmp_path / "attention.png"
    draw_topography(received.mean(axis=0), NAMES, path, window=(0.0, 2.0))
    assert path.stat().st_size > 5000


def test_short_trials_are_not_put_together_from_parts(trials: Any) -> None:
    X, y = trials.X[..., :128], trials.labels
    short = EfficientViTClassifier(sfreq=128.0, epochs=1).fit(X, y)
    slow = EfficientViTClassifier(sfreq=50.0, epochs=1).fit(X, y)
    asked = EfficientViTClassifier(sfreq=128.0, epochs=1, augment="segment_recombine").fit(X, y)
    never = EfficientViTClassifier(sfreq=128.0, epochs=1, augment="none").fit(X, y)
    assert [m.recipe(len(y)).augment for m in (short, slow, asked)] == [
        (),
        ("segment_recombine",),
        ("segment_recombine",),
    ]
    np.testing.assert_array_equal(short.predict_proba(X), never.predict_proba(X))
    assert not np.array_equal(asked.predict_proba(X), short.predict_proba(X))
