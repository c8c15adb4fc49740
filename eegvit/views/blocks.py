"""One person's blocks: common classes and channels, hashed, then aligned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache as remembered
from importlib.metadata import version
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit import data
from eegvit.config import Align, Card
from eegvit.data.cache import Cache
from eegvit.preprocess.alignment import align_causal, align_offline
from eegvit.sealed import Damaged
from eegvit.source_code import hash_of_code
from eegvit.trials import Trials
from eegvit.views import fingerprints
from eegvit.views.digests import trial_digests
from eegvit.views.handle import Handle, opened
from eegvit.views.view import Block, block_key

FORMAT = 1  # of what this file computes; a change of it computes everything anew
SIDECARS = {".csv", ".html", ".json", ".md", ".tsv", ".txt", ".vhdr", ".vmrk"}  # many are alike
NONE = Align(method="none")


def plain(align: Align) -> dict[str, Any]:
    return {"method": "none"} if align.method == "none" else align.model_dump()


def read_blocks(
    card: Card,
    subject: str,
    name: str,
    align: Align,
    classes: tuple[str, ...] | None,
    channels: tuple[str, ...] | None,
    cache: Cache,
) -> list[Block]:
    def blocks() -> list[Block]:
        sessions = data.read_subject(card, subject, cache.unchecked())
        recipe = data.recipe_of(card, subject)
        sessions = [t.replace(subject=np.full(len(t), name)) for t in sessions]
        return person_blocks(card.name, recipe, sessions, align, cache, classes, channels)

    try:
        return blocks()
    except Damaged:  # by now it is set aside and will be read anew
        return blocks()


def person_blocks(
    name: str,
    recipe: dict[str, Any],
    sessions: Sequence[Trials],
    align: Align,
    cache: Cache,
    classes: tuple[str, ...] | None = None,
    channels: tuple[str, ...] | None = None,
) -> list[Block]:
    """Return one person's blocks: common classes and channels, hashed, then aligned."""
    chosen = [_choose(trials, classes, channels) for trials in sessions]
    unaligned = aligned_recipe(recipe, NONE, classes, channels)
    hashed = {"digests": unaligned}
    digests = cache.arrays(hashed, lambda: [trial_digests(trials.X) for trials in chosen], "read")
    mapped = cache.unchecked()
    printed = {"fingerprints": unaligned, "format": fingerprints.FORMAT}
    prints = mapped.arrays(
        printed,
        lambda: [fingerprints.fingerprints(opened(t.X), t.ch_names, t.sfreq) for t in chosen],
        "read",
    )
    made = [(recipe, ("read", "filter")), (hashed, ("read",)), (printed, ("read",))]
    whole = aligned_recipe(recipe, align, classes, channels)
    if align.method != "none" or any(Handle.of(trials.X) is None for trials in chosen):
        signals = mapped.arrays(whole, lambda: _aligned([t.X for t in chosen], align), "align")
        made.append((whole, ("align",)))
        chosen = [t.replace(X=X) for t, X in zip(chosen, signals, strict=True)]
    seconds = {
        cache.key(entry): cache.seconds(entry) or dict.fromkeys(stages, float("nan"))
        for entry, stages in made
    }
    return [
        Block(
            block_key(whole, str(trials.session[0])),
            name,
            trials,
            np.asarray(digest),
            own,
            recorded_files(recipe),
            seconds,
        )
        for trials, digest, own in zip(chosen, digests, prints, strict=True)
        if len(trials)
    ]


def aligned_recipe(
    recipe: dict[str, Any],
    align: Align,
    classes: tuple[str, ...] | None,
    channels: tuple[str, ...] | None,
) -> dict[str, Any]:
    made: dict[str, Any] = {"trials": recipe, "align": plain(align), "format": FORMAT}
    if align.method != "none":
        made["versions"] = _versions()
    if classes is not None:
        made |= {"classes": classes, "channels": channels}
    return made


@remembered
def _versions() -> dict[str, str]:
    libraries = {name: version(name) for name in ("numpy", "scipy")}
    return libraries | {"source code": hash_of_code(["eegvit.preprocess.alignment"])}


def recorded_files(recipe: dict[str, Any]) -> frozenset[str]:
    """Return the checksums of the recordings that a person was read from.

    Examples
    --------
    >>> files = [{"name": "a.edf", "sha256": "1f"}, {"name": "a.json", "sha256": "2e"}]
    >>> sorted(recorded_files({"fingerprint": {"files": files}}))
    ['1f']
    """
    files = recipe.get("fingerprint", {}).get("files", [])
    return frozenset(
        file["sha256"] for file in files if PurePath(file["name"]).suffix.lower() not in SIDECARS
    )


def _choose(
    trials: Trials, classes: tuple[str, ...] | None, channels: tuple[str, ...] | None
) -> Trials:
    if classes is not None and classes != trials.classes:
        rows = np.flatnonzero(np.isin(trials.labels, classes))
        kept = trials.replace(X=opened(trials.X))[rows]
        codes = np.array([classes.index(label) for label in kept.labels], dtype=np.int64)
        trials = kept.replace(y=codes, classes=classes)
    if channels is not None and channels != trials.ch_names:
        order = [trials.ch_names.index(channel) for channel in channels]
        trials = trials.replace(X=opened(trials.X)[:, order], ch_names=channels)
    return trials


def _aligned(sessions: list[NDArray[np.float32]], align: Align) -> list[NDArray[np.float32]]:
    sessions = [opened(X) for X in sessions]
    if align.method == "none":
        return [np.ascontiguousarray(X) for X in sessions]
    if align.domain == "subject":
        X = _align_one(np.concatenate(sessions), align)
        return np.split(X, np.cumsum([len(s) for s in sessions])[:-1])
    return [_align_one(X, align) for X in sessions]


def _align_one(X: NDArray[np.float32], align: Align) -> NDArray[np.float32]:
    aligned = (align_causal if align.mode == "causal" else align_offline)(X, align.method)
    return np.asarray(aligned, dtype=np.float32)
