"""Training on the tested person's other sessions: a bound, not what a new person would get."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eegvit.plan.splits.apart import How, separated
from eegvit.plan.splits.split import Split, check
from eegvit.views.view import DataView


def own_sessions(view: DataView, found: Sequence[Split], how: How) -> list[Split]:
    """Return a split for each tested session, trained on all others of the same person.

    They test what the splits of the study test, and nothing else.

    Parameters
    ----------
    view : DataView
    found : sequence of Split
        Those of the protocol.
    how : {"stop", "warn", "drop"}
        What to do with copies of what is tested.
    """
    made = []
    for split in found:
        for block in np.unique(view.block[split.test]):
            test = split.test[view.block[split.test] == block]
            person, session = view.people[test[0]], view.session[test[0]]
            train = np.flatnonzero((view.people == person) & (view.block != block))
            if not len(train):
                raise ValueError(
                    f"trained_on: own_sessions needs two sessions or more of each person tested,"
                    f" {person} has {session} only"
                )
            made.append(separated(view, Split(f"{person} session {session}", train, test), how))
            check(view, made[-1])
    return made
