"""The head in a mirror: what is exchanged with what, and what that is worth."""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
import pytest

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.plan.recipe import Recipe
from eegvit.preprocess.reflection import given, reflection

NAMES = ("C3", "Cz", "C4")


def one_sided(seed: int) -> tuple[Any, Any]:
    """Return trials in which left is a strong C4, and right never looks like anything."""
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((120, 3, 64)).astype(np.float32), np.tile([0, 1], 60)
    X[y == 0, 2] *= 3
    return X, y


def test_twice_in_the_mirror_is_the_head_itself() -> None:
    names = tuple(f"{row}{n}" for row in ("F", "P", "CP", "C") for n in ("5", "z", "6", "1", "2"))
    found = reflection(names, ("right_hand", "feet", "left_hand"))
    order, exchange = np.array(found.order), np.array(found.exchange)
    np.testing.assert_array_equal(order[order], np.arange(len(names)))
    assert exchange.tolist() == [2, 1, 0]
    assert [names[i] for i in order[:5]] == ["F6", "Fz", "F5", "F2", "F1"]


def test_electrodes_agree_with_their_positions() -> None:
    montage = mne.channels.make_standard_montage("standard_1005").get_positions()["ch_pos"]
    names = tuple(name for name in montage if name[-1] in "z0123456789")
    paired = [name for name in names if not name.startswith(("A", "M"))]
    order = reflection(tuple(paired), ("rest",)).order
    for name, other in zip(paired, order, strict=True):
        here, there = montage[name], montage[paired[other]]
        assert np.linalg.norm(here * [-1, 1, 1] - there) < 0.02, (name, paired[other])


@pytest.mark.parametrize(
    ("names", "classes", "said"),
    [
        (("C3", "Cz"), ("rest",), r"every channel .* C3 \(C4\)"),
        (("EEG1", "EEG2", "C3", "C4"), ("rest",), r"EEG1, EEG2: not in the 10-05 system"),
        (NAMES, ("left_hand", "feet"), r"every class .* left_hand \(right_hand\)"),
    ],
)
def test_what_lacks_its_counterpart_is_named(names: Any, classes: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        reflection(names, classes)


def test_given_by_number_for_classes_that_training_has() -> None:
    assert given((2, 1, 0), (1, 0, 2), 3, [0, 1, 2]).exchange == (1, 0, 2)
    assert given((2, 1, 0), (1, 0, 2), 3, [0, 1]).exchange == (1, 0)
    with pytest.raises(ValueError, match="does not exchange classes"):
        given((2, 1, 0), (1, 0, 2), 3, [0, 2])  # right is there, left is not
    with pytest.raises(ValueError, match="no order of 2 channels"):
        given((2, 1, 0), (1, 0), 2, [0, 1])


def test_a_network_learns_a_side_from_the_other_side() -> None:
    X, y = one_sided(0)
    test = X[:, ::-1].copy()  # right is a strong C3 now, left is noise
    settings: dict[str, Any] = {"epochs": 25, "learning_rate": 5e-3, "random_state": 0}
    mirror = ((2, 1, 0), (1, 0))
    plain = EEGNetClassifier(**settings).fit(X, y)
    mirrored = EEGNetClassifier(**settings, augment="reflect", mirror=mirror).fit(X, y)
    assert plain.score(X, y) > 0.9
    assert mirrored.score(test, 1 - y) > 0.8 > plain.score(test, 1 - y)


def test_a_study_says_what_the_mirror_does() -> None:
    parameters = {"augment": ["noise", "reflect"], "epochs": 1}
    classes = ("feet", "left_hand", "right_hand")
    recipe = Recipe("eegnet", parameters, 125.0, NAMES, 0, classes=classes)
    assert recipe.build().mirror == ((2, 1, 0), (0, 2, 1))
    assert Recipe("eegnet", {"epochs": 1}, 125.0, NAMES, 0, classes=classes).build().mirror is None


def test_names_come_with_epochs() -> None:
    X, y = one_sided(1)
    labels = np.array(["left", "right"])[y]
    epochs = mne.EpochsArray(X, mne.create_info(list(NAMES), 64.0, "eeg"), verbose=False)
    model = EEGNetClassifier(epochs=1, augment="reflect").fit(epochs, labels)
    assert model.recipe(len(y)).augment == (reflection(NAMES, ("left", "right")),)
    with pytest.raises(ValueError, match="needs the names of the channels"):
        EEGNetClassifier(epochs=1, augment="reflect").fit(X, labels)
