"""The fits inside each outer fold that give out-of-fold predictions, each of them once.

An outer fold tests some people. Its members' out-of-fold predictions come from inner folds over
the other people: each inner fold leaves out the people tested and some more. The fit that
leaves out {a, b} serves two outer folds: for the one that tests a it predicts b, and for the
one that tests b it predicts a. A fit is known by the people it leaves out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

People = frozenset[str]


@dataclass(frozen=True)
class InnerFold:
    """A fit that leaves out the people tested and those that it predicts out-of-fold."""

    tested: People
    predicted: People

    @property
    def left_out(self) -> People:
        """All people that the fit must not see."""
        return self.tested | self.predicted


@dataclass(frozen=True)
class Count:
    """How many fits a study runs if each is run once, and if each outer fold runs its own."""

    distinct: int
    naive: int

    @property
    def ratio(self) -> float:
        """Distinct fits as a share of the naive count; 1 where there are none."""
        return self.distinct / self.naive if self.naive else 1.0


def inner_folds(
    tested: Collection[str], tests: Sequence[Collection[str]], subjects: Sequence[str]
) -> list[InnerFold]:
    """Return the inner folds of one outer fold.

    People who are tested together in another outer fold are left out together, so that the fits
    can be shared; everybody else is left out alone.

    Parameters
    ----------
    tested : collection of str
        The people whom the outer fold tests.
    tests : sequence of collections of str
        The people whom each outer fold tests.
    subjects : sequence of str
        All people who are trained on or tested.

    Examples
    --------
    >>> [sorted(f.left_out) for f in inner_folds("a", ["a", "b", "c"], ["a", "b", "c"])]
    [['a', 'b'], ['a', 'c']]
    """
    _check(tests, subjects)
    together = {name: frozenset(group) for group in tests for name in group}
    own = frozenset(tested)
    rest = [name for name in subjects if name not in own]
    groups = dict.fromkeys(together.get(name, frozenset([name])) for name in rest)
    if len(groups) < 2:
        raise ValueError(
            f"with {', '.join(sorted(own))} tested, {len(groups)} group of people is left:"
            " out-of-fold predictions need two or more"
        )
    return [InnerFold(own, group) for group in groups]


def _check(tests: Sequence[Collection[str]], subjects: Sequence[str]) -> None:
    if len(set(subjects)) != len(subjects):
        raise ValueError("a subject is named twice")
    named = [name for group in tests for name in group]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise ValueError(f"subject {twice[0]} is tested in more than one outer fold")
    unknown = sorted(set(named) - set(subjects))
    if unknown:
        raise ValueError(f"subject {unknown[0]} is tested but not among the subjects")
