"""The head in a mirror: electrodes exchanged left for right, and classes with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.preprocess.labels import Labels, codes_of

SIDES = {"left": "right", "right": "left"}
NUMBERED = re.compile(r"(.*?)(\d+)(\D*)")  # of names such as FC3 and TP9h


@dataclass(frozen=True)
class Reflection:
    """Replace half of the trials by what a mirror shows: an augmentation [1]_.

    Parameters
    ----------
    order : tuple of int
        For each channel, the one on the other side.
    exchange : tuple of int
        For each class, the one that its mirror image is of.

    References
    ----------
    .. [1] Wang et al., Channel reflection: Knowledge-driven data augmentation for EEG-based
       brain-computer interfaces. Neural Networks 176, 2024.

    Examples
    --------
    >>> mirror = Reflection(order=(2, 1, 0), exchange=(1, 0))
    >>> X, y = np.arange(60.0).reshape(20, 3, 1), np.tile([0, 1], 10)
    >>> new, labels = mirror(X, y, np.random.default_rng(0))
    >>> turned = labels != y
    >>> bool(0 < turned.sum() < 20), bool((new[turned] == X[turned][:, ::-1]).all())
    (True, True)
    """

    order: tuple[int, ...]
    exchange: tuple[int, ...]

    def __call__(
        self, X: NDArray[np.floating[Any]], y: Labels, rng: np.random.Generator
    ) -> tuple[NDArray[np.floating[Any]], Labels]:
        """Return trials and labels of which about half are mirrored."""
        turned = rng.random(len(X)) < 0.5
        new, exchange = X.copy(), np.asarray(self.exchange)
        new[turned] = X[turned][:, list(self.order)]
        labels = np.where(turned, exchange[codes_of(y)], codes_of(y))
        if y.ndim == 1:
            return new, labels
        beside = np.where(turned[:, None], y[:, 1:][:, exchange], y[:, 1:])
        return new, np.column_stack([labels.astype(y.dtype), beside])


def reflection(ch_names: Sequence[str], classes: Sequence[str]) -> Reflection:
    """Return the reflection of a montage, or say which channels or classes have no counterpart.

    Channels are exchanged by the rule of the 10-20 system, odd numbers for the even ones that
    follow; names that are not of that system are refused, since their numbers say no side. Classes
    whose names say left and right are exchanged, others are their own images.

    Examples
    --------
    >>> reflection(("C3", "Cz", "C4"), ("left_hand", "right_hand", "feet"))
    Reflection(order=(2, 1, 0), exchange=(1, 0, 2))
    """
    asked = "augment 'reflect'"
    images = [other_hand(name) for name in classes]
    exchange = _places(list(classes), images, "class", asked)
    return Reflection(opposite(ch_names, asked), exchange)


def opposite(ch_names: Sequence[str], wanted_by: str) -> tuple[int, ...]:
    """Return, for each channel, the one on the other side, or say which have none.

    Examples
    --------
    >>> opposite(("C3", "Cz", "C4"), "augment 'reflect'")
    (2, 1, 0)
    """
    from eegvit.data.montage import electrode_directions

    known = electrode_directions(tuple(ch_names))
    if unknown := [name for name in ch_names if name not in known]:
        raise ValueError(
            f"{wanted_by}: {', '.join(unknown)}: not in the 10-05 system, so that it is not"
            f" known what is on the other side. Rename them, or do without {wanted_by}"
        )
    images = [other_side(name) for name in ch_names]
    return _places(list(ch_names), images, "channel", wanted_by)


def given(
    order: Sequence[int], exchange: Sequence[int], n_channels: int, classes: Sequence[object]
) -> Reflection:
    """Return a reflection that was given, of the classes that there are, or say what is wrong.

    Where labels are numbers, `exchange` is of all classes of the study, some of which training
    may lack.

    Examples
    --------
    >>> given((1, 0), (2, 1, 0), 2, [0, 2])
    Reflection(order=(1, 0), exchange=(1, 0))
    """
    if sorted(order) != list(range(n_channels)):
        raise ValueError(f"mirror: {list(order)} is no order of {n_channels} channels")
    numbers = [code for code in classes if isinstance(code, int)]
    codes = numbers if len(numbers) == len(classes) else list(range(len(classes)))
    images = [exchange[code] for code in codes if 0 <= code < len(exchange)]
    if sorted(images) != sorted(codes):
        raise ValueError(f"mirror: {list(exchange)} does not exchange classes {list(classes)}")
    return Reflection(tuple(order), tuple(codes.index(image) for image in images))


def other_side(name: str) -> str:
    """Return the electrode on the other side of the head, itself on the midline.

    Examples
    --------
    >>> [other_side(name) for name in ("C3", "PO8", "FCz", "TP9h")]
    ['C4', 'PO7', 'FCz', 'TP10h']
    """
    found = NUMBERED.fullmatch(name)
    if found is None:
        return name
    letters, number, rest = found[1], int(found[2]), found[3]
    return f"{letters}{number + 1 if number % 2 else number - 1}{rest}"


def other_hand(name: str) -> str:
    """Return a class with left and right exchanged in its name.

    Examples
    --------
    >>> [other_hand(name) for name in ("left_hand", "Right", "tongue")]
    ['right_hand', 'Left', 'tongue']
    """

    def turned(found: re.Match[str]) -> str:
        side = SIDES[found[0].lower()]
        return side.capitalize() if found[0][0].isupper() else side

    return re.sub("left|right", turned, name, flags=re.IGNORECASE)


def _places(
    names: Sequence[str], images: Sequence[str], what: str, wanted_by: str
) -> tuple[int, ...]:
    missing = [
        f"{name} ({image})" for name, image in zip(names, images, strict=True) if image not in names
    ]
    if missing:
        raise ValueError(
            f"{wanted_by}: every {what} needs its counterpart on the other side, but these lack"
            f" theirs: {', '.join(missing)}. Leave them out, or do without {wanted_by}"
        )
    return tuple(names.index(image) for image in images)
