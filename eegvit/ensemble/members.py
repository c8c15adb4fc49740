"""The members of an ensemble: from names, mappings and classifiers to classifiers by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from eegvit.branches.base import branch
from eegvit.features.plain import Classifier
from eegvit.registry import BRANCHES

Member = Classifier | str | Mapping[str, object]
Members = Mapping[str, Member] | Sequence[Member | tuple[str, Member]]


def named(members: Members) -> dict[str, Member]:
    """Return members as they were given, by name, or say what is wrong with the names.

    Examples
    --------
    >>> list(named(["csp_lda", {"branch": "eegnet"}, ("wide", {"branch": "eegnet", "depth": 4})]))
    ['csp_lda', 'eegnet', 'wide']
    """
    pairs = list(_pairs(members))
    if not pairs:
        raise ValueError("an ensemble needs at least one member")
    times = Counter(name for name, _ in pairs if isinstance(name, str))
    for name, _ in pairs:
        if not isinstance(name, str) or "__" in name or times[name] > 1:
            raise ValueError(
                f"member name {name!r}: names are distinct strings without '__'."
                " Name them: members={'first': ..., 'second': ...}"
            )
    return dict(pairs)


def by_name(members: Members) -> dict[str, Classifier]:
    """Return the classifiers that members stand for, by name.

    Examples
    --------
    >>> by_name({"net": {"branch": "eegnet", "dropout": 0.5}, "csp": "csp_lda"})
    {'net': EEGNetClassifier(dropout=0.5), 'csp': CSPLDAClassifier()}
    """
    return {name: _classifier(member) for name, member in named(members).items()}


def replaced(members: Members, new: Mapping[str, Member]) -> Members:
    """Return members, some of them others; a list stays one, of pairs."""
    changed = named(members) | dict(new)
    return changed if isinstance(members, Mapping) else list(changed.items())


def _pairs(members: Members) -> Iterator[tuple[str, Member]]:
    if isinstance(members, Mapping):
        yield from members.items()
        return
    for given in members:
        if isinstance(given, tuple | list) and len(given) == 2:
            yield given[0], given[1]
        else:
            yield _name_of(given), given


def _name_of(member: object) -> str:
    """Return what a member without a name is called: its branch, or its class in small letters."""
    if isinstance(member, str):
        return member
    if isinstance(member, Mapping):
        return str(member.get("branch", ""))
    cls = type(member).__name__
    known = {address.rpartition(":")[2]: name for name, address in BRANCHES.items()}
    return known.get(cls, cls.lower())


def _classifier(member: Member) -> Classifier:
    if isinstance(member, str | Mapping):
        return branch(member)
    if not hasattr(member, "fit"):
        raise ValueError(
            f"member {member!r} is no classifier, nor a branch's name or a mapping with 'branch'"
        )
    return member
