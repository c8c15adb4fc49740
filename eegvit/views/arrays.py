"""The data view of trials that are in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Align, Study, View
from eegvit.data.cache import Cache
from eegvit.trials import Trials
from eegvit.views.blocks import (
    NONE,
    person_blocks,
    plain,
)
from eegvit.views.digests import digest_of
from eegvit.views.kinship import with_kin
from eegvit.views.view import Block, DataView, make_view


def view_of(trials: Trials, cache: Cache, align: Align = NONE) -> DataView:
    """Return the data view of trials that are in memory.

    Parameters
    ----------
    trials : Trials
        Of any number of people; the rows of each session in time order.
    cache : Cache
        Where their aligned form is kept.
    align : Align
        The alignment.
    """
    blocks: list[Block] = []
    for subject in dict.fromkeys(trials.subject.tolist()):
        person = trials[_rows(trials.subject == subject)]
        sessions = [
            person[_rows(person.session == s)] for s in dict.fromkeys(person.session.tolist())
        ]
        about = {"classes": trials.classes, "ch_names": trials.ch_names, "sfreq": trials.sfreq}
        recipe = {"arrays": digest_of(person), "subject": subject, **about}
        blocks += person_blocks("arrays", recipe, sessions, align, cache)
    return with_kin(make_view({"align": plain(align), "arrays": True}, blocks), cache)


def views_of(study: Study, trials: Trials, cache: Cache) -> dict[str, DataView]:
    """Return the data view of each model of a study, of trials that are in memory.

    Parameters
    ----------
    study : Study
        Its alignment, and those that models set for themselves.
    trials : Trials
    cache : Cache
        Where their aligned form is kept.
    """
    for name, view in (("study", study.view), *((n, m.view) for n, m in study.models.items())):
        if view is not None and view != View():
            raise ValueError(
                f"{name}: `view` filters and cuts recordings; trials in memory are taken as they"
                " are. Leave `view` out, or read the recordings by a card."
            )
    wanted = {name: model.align or study.align for name, model in study.models.items()}
    distinct = {align: view_of(trials, cache, align) for align in set(wanted.values())}
    return {name: distinct[align] for name, align in wanted.items()}


def _rows(chosen: NDArray[np.bool_]) -> NDArray[np.int64] | slice:
    """Return the chosen rows; as a slice, which copies nothing, if they lie together."""
    rows = np.flatnonzero(chosen)
    together = rows[-1] - rows[0] + 1 == len(rows)
    return slice(int(rows[0]), int(rows[-1]) + 1) if together else rows
