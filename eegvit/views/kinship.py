"""Which trials of a view, or of two, come of the same recording: found once and kept."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.data.cache import Cache
from eegvit.trials import Trials
from eegvit.views.duplicates import FORMAT, Kin, find_common, find_kin
from eegvit.views.fingerprints import picked, rate_of
from eegvit.views.handle import opened
from eegvit.views.view import Block, DataView, Prints, Rows


def with_kin(view: DataView, cache: Cache) -> DataView:
    """Return a view that knows which of its trials hold the same stretch of a recording.

    Parameters
    ----------
    view : DataView
    cache : Cache
        Where what was found is kept.
    """

    length = (view.n_times - 0.5) / view.sfreq
    onsets = [_onsets(block.trials, length) for block in view.blocks]

    def find() -> list[Rows]:
        prints = [opened(block.fingerprints) for block in view.blocks]
        kin = find_kin(prints, rate_of(view.sfreq), length, onsets)
        return [kin.copies, kin.overlaps]

    recipe = {"what": "kin", "length": length, "onsets": onsets, **_signals(view)}
    copies, overlaps = (np.asarray(pairs) for pairs in cache.arrays(recipe, find, "read"))
    first, *others = view.blocks
    cost = {cache.key(recipe): cache.seconds(recipe) or {"read": float("nan")}}
    first = replace(first, seconds={**first.seconds, **cost})
    return replace(view, blocks=(first, *others), kin=Kin(copies, overlaps))


def common_recordings(view: DataView, other: DataView, cache: Cache) -> Rows:
    """Return pairs of rows of two views that come of the same recording, shape (pairs, 2).

    The channels compared are those that both have, or any where none is named alike.

    Parameters
    ----------
    view, other : DataView
        Of one sampling rate; windows, bands and channels may differ.
    cache : Cache
        Where what was found is kept.
    """
    names = [picked(one.ch_names) for one in (view, other)]
    shared = [name for name in names[0] if name in names[1]]

    def find() -> list[Rows]:
        ours, theirs = (
            _chosen([opened(block.fingerprints) for block in one.blocks], own, shared)
            for one, own in zip((view, other), names, strict=True)
        )
        return [find_common(ours, theirs, rate_of(view.sfreq))]

    recipe = {"what": "common recordings", "views": [_signals(one) for one in (view, other)]}
    (near,) = cache.arrays(recipe, find)
    digests = [np.concatenate([block.digests for block in one.blocks]) for one in (view, other)]
    exact = np.intersect1d(digests[0][:, 0], digests[1][:, 0], return_indices=True)[1:]
    pairs = [np.asarray(near), np.stack(exact, axis=1)]
    for people in _same_files([*view.blocks, *other.blocks]):
        for ours, theirs in (people, people[::-1]):
            here, there = (
                np.flatnonzero(one.people == who) for one, who in ((view, ours), (other, theirs))
            )
            if len(here):
                pairs.append(np.stack([np.full(len(there), here[0]), there], axis=1))
    return np.unique(np.concatenate(pairs), axis=0)


def same_recording(view: DataView, train: Rows, test: Rows) -> Rows:
    """Return pairs of a row that trains and one that is tested, of the same recording.

    Every row on either side that has a partner on the other is in one pair at least: rows whose
    signals are the same numbers, that hold the same stretch whatever was done to it, or that two
    data sets read from the same file.

    Parameters
    ----------
    view : DataView
        As `with_kin` returns it.
    train, test : arrays of int64
    """
    trains, tests = np.zeros((2, len(view)), bool)
    trains[train], tests[test] = True, True
    near = np.concatenate([view.kin.copies, view.kin.copies[:, ::-1]])
    found = [near[trains[near[:, 0]] & tests[near[:, 1]]]]
    found.append(_partners(view.content, train, test))
    for one, other in _same_files(view.blocks):
        ours, theirs = (np.flatnonzero(view.people == who) for who in (one, other))
        for here, there in ((ours, theirs), (theirs, ours)):
            here, there = here[trains[here]], there[tests[there]]
            if len(here) and len(there):
                found.append(np.stack([here, np.full(len(here), there[0])], axis=1))
                found.append(np.stack([np.full(len(there), here[0]), there], axis=1))
    pairs = np.unique(np.concatenate(found), axis=0)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def overlapping_rows(view: DataView, rows: Rows) -> Rows:
    """Return the rows that share samples with some rows of their session, ascending.

    Parameters
    ----------
    view : DataView
    rows : array of int64
    """
    both = np.concatenate([view.kin.overlaps, view.kin.overlaps[:, ::-1]])
    return np.unique(both[np.isin(both[:, 0], rows), 1])


def _partners(content: Rows, train: Rows, test: Rows) -> Rows:
    """Pair rows of the same content; each with the first one of the other side."""
    there, first_test = np.unique(content[test], return_index=True)
    here, first_train = np.unique(content[train], return_index=True)
    trained = train[np.isin(content[train], there)]
    tested = test[np.isin(content[test], here)]
    to_test = test[first_test[np.searchsorted(there, content[trained])]]
    to_train = train[first_train[np.searchsorted(here, content[tested])]]
    pairs = [np.stack([trained, to_test], axis=1), np.stack([to_train, tested], axis=1)]
    return np.concatenate(pairs).astype(np.int64)


def _same_files(blocks: Sequence[Block]) -> list[tuple[str, str]]:
    """Return pairs of people of different data sets whose recordings are the same files.

    A file that several people of a data set share tells nothing of who it is.
    """
    of_file: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for block in blocks:
        for file in block.files:
            of_file[file][block.data].add(block.person)
    pairs = set()
    for owners in of_file.values():
        alone = sorted(next(iter(who)) for who in owners.values() if len(who) == 1)
        if len(owners) == len(alone):
            pairs |= {(one, other) for i, one in enumerate(alone) for other in alone[i + 1 :]}
    return sorted(pairs)


def _onsets(trials: Trials, length: float) -> NDArray[np.float64] | None:
    """Return when a session's trials begin, one run well after the other, or None if not known."""
    onsets = trials.onset
    for at in np.flatnonzero(trials.run[1:] != trials.run[:-1]) + 1:
        onsets = np.concatenate(
            [onsets[:at], onsets[at:] - onsets[at] + onsets[at - 1] + 2 * length]
        )
    return onsets if (np.diff(onsets) >= 0).all() and np.isfinite(onsets).all() else None


def _chosen(prints: Sequence[Prints], names: Sequence[str], wanted: Sequence[str]) -> list[Prints]:
    if not wanted:
        return list(prints)
    positions = [list(names).index(name) for name in wanted]
    return [own[:, positions] for own in prints]


def _signals(view: DataView) -> dict[str, Any]:
    """Return what decides the fingerprints of a view, as plain values."""
    digests = [hashlib.sha256(b.digests.tobytes()).hexdigest() for b in view.blocks]
    return {"digests": digests, "ch_names": view.ch_names, "sfreq": view.sfreq, "format": FORMAT}
