"""Recordings and their cues to one session's Trials, and an account of those left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from eegvit.config import Card
from eegvit.data.epoching.runs import CutTrials, Recording, cut
from eegvit.data.notes import collected
from eegvit.trials import Account, Trials, concatenate


def session_trials(
    recordings: Iterable[Recording | CutTrials], card: Card, *, subject: str, session: str
) -> Trials:
    """Filter, cut, resample and join the runs of one session, given in time order.

    A trial's index counts every cue of the card's classes, also of trials left out because
    they are marked or reach beyond the recording: a trial is called the same in every view.
    """
    parts: list[Trials] = []
    seen, where, found, left_out = set[str](), "", 0, Counter[str]()
    with collected() as notes:
        for recording in recordings:
            where = where or recording.where
            labels = np.asarray(recording.labels, dtype=np.str_).reshape(-1)
            seen |= set(labels.tolist()) - set(card.classes)
            if not np.isin(labels, card.classes).any():
                continue
            run = cut(recording, card)
            n = len(run.kept)
            parts.append(
                run.trials.replace(
                    subject=np.full(n, str(subject)),
                    session=np.full(n, str(session)),
                    run=np.full(n, recording.run),
                    index=found + run.kept,
                )
            )
            found += run.found
            left_out += run.left_out
    if not parts:
        raise ValueError(
            f"{where or f'subject {subject}, session {session}'}: no cue of the classes"
            f" {list(card.classes)} (cues found: {sorted(seen) or 'none'})"
        )
    account = Account(found, dict(left_out), tuple(notes))
    return concatenate(parts).replace(account=account)
