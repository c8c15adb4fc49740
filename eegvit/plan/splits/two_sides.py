"""The two sides of a split: who trains and who is tested, by name."""

from __future__ import annotations

from collections.abc import Sequence

from eegvit.data.folders import same_name


def two_sides(
    known: Sequence[str], train: Sequence[str] | None, test: Sequence[str] | None, what: str
) -> tuple[list[str], list[str]]:
    """Return who trains and who is tested; a side that is not given is all the others.

    Examples
    --------
    >>> two_sides(["01", "02", "03"], None, ["1"], "subject")
    (['02', '03'], ['01'])
    """
    train, test = (None if side is None else _known(known, side, what) for side in (train, test))
    trained = [n for n in known if (n in train if train is not None else n not in (test or ()))]
    tested = [n for n in known if (n in test if test is not None else n not in (train or ()))]
    both = sorted(set(trained) & set(tested))
    if both:
        raise ValueError(f"evaluate: {what} {', '.join(both)} would train and be tested")
    if not trained or not tested:
        side = "to train on" if not trained else "to test"
        raise ValueError(f"evaluate: no {what} is left {side}")
    return trained, tested


def _known(known: Sequence[str], names: Sequence[str], what: str) -> list[str]:
    found = [(name, same_name(name, known)) for name in names]
    for name, meant in found:
        if meant is None:
            raise ValueError(f"evaluate: no {what} is called '{name}'; known: {', '.join(known)}")
    return [meant for _, meant in found if meant is not None]


def refuse_later_training(
    sessions: Sequence[str], train: Sequence[str], test: Sequence[str], subject: str
) -> None:
    """Refuse sessions that train after one that is tested."""
    if max(map(sessions.index, train)) > min(map(sessions.index, test)):
        raise ValueError(
            f"evaluate: subject {subject} would be trained on a session later than one tested"
            f" (in time order: {', '.join(sessions)}); earlier sessions train, later are tested"
        )
