"""The branches of a fused model: from names and mappings to estimators, and what may be joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import clone

from eegvit.branches.base import ClassicalClassifier, EEGClassifier, branch, refuse_other_data
from eegvit.branches.neural import NeuralClassifier
from eegvit.branches.spiking import SpikingClassifier


def make_member(given: Any) -> EEGClassifier:
    """Return the estimator that a name or a mapping stands for; an estimator is copied.

    Examples
    --------
    >>> make_member({"branch": "eegnet", "dropout": 0.5})
    EEGNetClassifier(dropout=0.5)
    """
    if isinstance(given, str | Mapping):
        made = branch(given)
    elif isinstance(given, EEGClassifier):
        made = clone(given)
    else:
        raise ValueError(
            f"a branch is an estimator of this package, a name, or a mapping with 'branch',"
            f" not {given!r}"
        )
    if getattr(made, "branches", None) is not None:  # names inside become estimators as well
        made.set_params(branches=[make_member(each) for each in made.branches])
    return made


def check_members(
    members: Sequence[EEGClassifier], wiring: str = "parallel", start: str = "scratch"
) -> None:
    """Raise an error if these branches cannot be joined so.

    Examples
    --------
    >>> check_members([make_member("eegnet"), make_member("snn")], "series")
    Traceback (most recent call last):
    ValueError: in series each branch but the last is spiking neurons ('snn'), not EEGNetClassifier
    """
    alone = len(members) == 1 and wiring == "parallel"
    if len(members) < 2 and not (alone and isinstance(members[0], ClassicalClassifier)):
        few = "none" if not members else f"{type(members[0]).__name__} alone"
        raise ValueError(
            "two branches or more are joined, or the features of a classical one enter a network,"
            f" not {few}"
        )
    if wiring == "series":
        _check_series(members, start)
    for member in members:
        name = type(member).__name__
        if member.uses_of_session():
            raise ValueError(
                f"{name} sees each session by itself, and a fused model sees all trials alike: let"
                " it stand alone"
            )
        if wiring == "parallel" and not member.gives_features():
            raise ValueError(f"{name} gives no features that could be joined")
        inner: Any = member
        if hasattr(inner, "wiring"):
            if inner.wiring != "series" or wiring != "parallel":
                raise ValueError("a fused branch of a fused model is a series among parallel ones")
            if start == "scratch" != inner.start:
                raise ValueError("start is 'scratch' for all, or for a series within it only")
            inner.members()


def _check_series(members: Sequence[EEGClassifier], start: str) -> None:
    for member in members[:-1]:
        if not isinstance(member, SpikingClassifier):
            raise ValueError(
                "in series each branch but the last is spiking neurons ('snn'),"
                f" not {type(member).__name__}"
            )
    if not isinstance(members[-1], NeuralClassifier):
        raise ValueError(
            f"in series the last branch is a network, not {type(members[-1]).__name__}"
        )
    if start != "scratch" and len(members) > 2:
        raise ValueError("in series only one branch in front can be fitted first")


def ready(member: EEGClassifier, **known: Any) -> EEGClassifier:
    """Fill in what the data and the fused model decide, and return it.

    Examples
    --------
    >>> member = ready(make_member("snn"), sfreq=250.0, ch_names=("C3",), random_state=7)
    >>> member.sfreq, member.random_state
    (250.0, 7)
    """
    refuse_other_data(member, **{k: v for k, v in known.items() if k in ("sfreq", "ch_names")})
    own = member.get_params(deep=False)
    taken = {name: value for name, value in known.items() if name in own}
    for name in ("sfreq", "ch_names"):
        if own.get(name) is not None:
            taken.pop(name, None)
    return member.set_params(**taken)


def has_classical(members: Sequence[EEGClassifier]) -> bool:
    """Say whether some branch has features that are learned apart from the network."""
    return any(isinstance(member, ClassicalClassifier) for member in members)


def why_not_pretrained(members: Sequence[EEGClassifier], start: str) -> str | None:
    """Say why a network of these branches cannot learn before it sees labels, if it cannot.

    Examples
    --------
    >>> why_not_pretrained([make_member("snn"), make_member("eegnet")], "scratch")
    """
    classical = [type(each).__name__ for each in members if isinstance(each, ClassicalClassifier)]
    if classical:
        return (
            f"the features of {classical[0]} are learned from labels, and so nothing of a network"
            " that sees them can be learned before. Pretrain the networks alone, or fused"
            " without it; an ensemble joins it with a pretrained model"
        )
    if start != "scratch":
        return f"start='{start}' fits each branch with labels first: take 'scratch'"
    return None
