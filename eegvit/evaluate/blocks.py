"""From cards to data views: reading, alignment and hashing, one person at a time."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit import data
from eegvit.config import Align, Card, Study, View, sha256
from eegvit.data.cache import Cache
from eegvit.evaluate.progress import Progress
from eegvit.evaluate.view import Block, DataView, Handle, block_key, make_view, same_trials
from eegvit.evaluate.worker import Task, Workers
from eegvit.preprocess.alignment import align_causal, align_offline
from eegvit.trials import Trials

FORMAT = 1  # of what this file computes; a change of it computes everything anew
NONE = Align(method="none")


def make_views(study: Study, cache: Cache, *, jobs: int = 1) -> dict[str, DataView]:
    """Return the data view of each model; models that want the same view share it.

    Parameters
    ----------
    study : Study
        Its data, view and alignment, and those that models set for themselves.
    cache : Cache
        Where what was read before is.
    jobs : int
        Worker processes that read, one person each; 0 reads in this process.
    """
    wanted = {name: _wanted(study, name) for name in study.models}
    for name, (cards, _) in wanted.items():
        for card, usual in zip(cards, study.data, strict=True):
            if card.artifacts != usual.override(study.view).artifacts:
                raise ValueError(
                    f"model '{name}' sets view.artifacts to '{card.artifacts}', the study to"
                    f" '{usual.override(study.view).artifacts}': models would be tested on"
                    " different trials. Set it in the study's `view` for all."
                )
    distinct = {_hash(cards, align): (cards, align) for cards, align in wanted.values()}
    with Workers(jobs) as workers:
        _read_all([cards for cards, _ in distinct.values()], cache, workers)
        opened = {
            key: _open(cards, align, cache, workers) for key, (cards, align) in distinct.items()
        }
    views = {name: opened[_hash(*cards_align)] for name, cards_align in wanted.items()}
    same_trials(views)
    return views


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
        recipe = {"arrays": _digest_of(person), "subject": subject, **about}
        blocks += _finish("arrays", recipe, sessions, align, cache)
    return make_view({"align": _plain(align), "arrays": True}, blocks)


def _wanted(study: Study, name: str) -> tuple[tuple[Card, ...], Align]:
    model = study.models[name]
    own = model.view or View()
    cards = tuple(card.override(study.view).override(own) for card in study.data)
    return cards, model.align or study.align


def _hash(cards: Sequence[Card], align: Align) -> str:
    return sha256({"cards": list(cards), "align": _plain(align)})


def _plain(align: Align) -> dict[str, Any]:
    return {"method": "none"} if align.method == "none" else align.model_dump()


def _people(cards: Sequence[Card]) -> list[tuple[Card, str]]:
    return [(card, subject) for card in cards for subject in data.source(card).subjects()]


def _read_all(views: Sequence[Sequence[Card]], cache: Cache, workers: Workers) -> None:
    """Bring every person's trials into the cache."""
    todo = {}
    for card, subject in (person for cards in views for person in _people(cards)):
        recipe = data.recipe_of(card, subject)
        if not cache.has(recipe):
            todo[sha256(recipe)] = Task(f"{card.name} {subject}", _read, (card, subject, cache))
    _carry_out(list(todo.values()), "people read", workers)


def _read(card: Card, subject: str, cache: Cache) -> None:
    data.read_subject(card, subject, cache)


def _open(cards: tuple[Card, ...], align: Align, cache: Cache, workers: Workers) -> DataView:
    people = _people(cards)
    classes, channels = _common(cards, people, cache)
    several = len(cards) > 1
    arguments = [
        (card, subject, f"{card.name}:{subject}" if several else subject, align, classes, channels)
        for card, subject in people
    ]
    if align.method != "none":
        todo = [
            Task(f"{a[0].name} {a[1]}", _prepare, (*a, cache))
            for a in arguments
            if not cache.has(_aligned_recipe(data.recipe_of(a[0], a[1]), align, *a[4:]))
        ]
        _carry_out(todo, "people aligned", workers)
    blocks = [block for a in arguments for block in _blocks(*a, cache)]
    return make_view({"cards": list(cards), "align": _plain(align)}, blocks)


def _carry_out(tasks: Sequence[Task], what: str, workers: Workers) -> None:
    if not tasks:
        return
    progress = Progress(len(tasks), what)
    wrong = []
    for answer in workers.run(tasks, progress.show):
        progress.advance(failed=answer.reason is not None)
        if answer.reason is not None:
            kinds = ("ValueError: ", "FileNotFoundError: ")
            reason = functools.reduce(str.removeprefix, kinds, answer.reason)
            wrong.append(f"{tasks[answer.number].name}: {reason}")
    wrong = list(dict.fromkeys(wrong))  # several views may read the same person
    progress.finish()
    if wrong:
        raise ValueError("the data could not be read\n  " + "\n  ".join(sorted(wrong)))


def _common(
    cards: tuple[Card, ...], people: Sequence[tuple[Card, str]], cache: Cache
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Return the classes and channels that all data sets have; None where there is one set."""
    if len(cards) == 1:
        return None, None
    firsts = [data.read_subject(card, subject, cache)[0] for card, subject in people]
    classes = [c for c in cards[0].classes if all(c in card.classes for card in cards)]
    channels = [c for c in firsts[0].ch_names if all(c in f.ch_names for f in firsts)]
    names = ", ".join(card.name for card in cards)
    if len(classes) < 2:
        raise ValueError(f"{names} have {len(classes)} classes in common: two are needed")
    if not channels:
        raise ValueError(f"{names} have no channel name in common")
    return tuple(classes), tuple(channels)


def _prepare(*arguments: Any) -> None:
    _blocks(*arguments)


def _blocks(
    card: Card,
    subject: str,
    name: str,
    align: Align,
    classes: tuple[str, ...] | None,
    channels: tuple[str, ...] | None,
    cache: Cache,
) -> list[Block]:
    sessions = data.read_subject(card, subject, cache)
    recipe = data.recipe_of(card, subject)
    sessions = [t.replace(subject=np.full(len(t), name)) for t in sessions]
    return _finish(card.name, recipe, sessions, align, cache, classes, channels)


def _finish(
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
    unaligned = _aligned_recipe(recipe, NONE, classes, channels)
    hashed = {"digests": unaligned}
    digests = cache.arrays(hashed, lambda: [trial_digests(trials.X) for trials in chosen], "read")
    made = [(recipe, ("read", "filter")), (hashed, ("read",))]
    whole = _aligned_recipe(recipe, align, classes, channels)
    if align.method != "none" or any(Handle.of(trials.X) is None for trials in chosen):
        signals = cache.arrays(whole, lambda: _aligned([t.X for t in chosen], align), "align")
        made.append((whole, ("align",)))
        chosen = [t.replace(X=X) for t, X in zip(chosen, signals, strict=True)]
    seconds = {
        cache.key(entry): cache.seconds(entry) or dict.fromkeys(stages, float("nan"))
        for entry, stages in made
    }
    return [
        Block(block_key(whole, str(trials.session[0])), name, trials, np.asarray(digest), seconds)
        for trials, digest in zip(chosen, digests, strict=True)
        if len(trials)
    ]


def _aligned_recipe(
    recipe: dict[str, Any],
    align: Align,
    classes: tuple[str, ...] | None,
    channels: tuple[str, ...] | None,
) -> dict[str, Any]:
    made: dict[str, Any] = {"trials": recipe, "align": _plain(align), "format": FORMAT}
    if align.method != "none":
        made["versions"] = {name: version(name) for name in ("numpy", "scipy")}
    if classes is not None:
        made |= {"classes": classes, "channels": channels}
    return made


def _choose(
    trials: Trials, classes: tuple[str, ...] | None, channels: tuple[str, ...] | None
) -> Trials:
    if classes is not None and classes != trials.classes:
        kept = trials[np.flatnonzero(np.isin(trials.labels, classes))]
        codes = np.array([classes.index(label) for label in kept.labels], dtype=np.int64)
        trials = kept.replace(y=codes, classes=classes)
    if channels is not None and channels != trials.ch_names:
        order = [trials.ch_names.index(channel) for channel in channels]
        trials = trials.replace(X=trials.X[:, order], ch_names=channels)
    return trials


def _aligned(sessions: list[NDArray[np.float32]], align: Align) -> list[NDArray[np.float32]]:
    if align.method == "none":
        return [np.ascontiguousarray(X) for X in sessions]
    if align.domain == "subject":
        X = _align_one(np.concatenate(sessions), align)
        return np.split(X, np.cumsum([len(s) for s in sessions])[:-1])
    return [_align_one(X, align) for X in sessions]


def _align_one(X: NDArray[np.float32], align: Align) -> NDArray[np.float32]:
    aligned = (align_causal if align.mode == "causal" else align_offline)(X, align.method)
    return np.asarray(aligned, dtype=np.float32)


def trial_digests(X: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return a hash of each trial's bytes, shape (n, 2).

    Examples
    --------
    >>> a, b, c = trial_digests(np.array([[[1.0, 2.0]], [[3.0, 4.0]], [[1.0, 2.0]]], "float32"))
    >>> bool((a == c).all()), bool((a == b).all())
    (True, False)
    """
    digests = [
        hashlib.blake2b(np.ascontiguousarray(trial).data, digest_size=16).digest()
        for trial in _mapped_anew(X)
    ]
    return np.frombuffer(b"".join(digests), dtype=np.uint64).reshape(-1, 2)


def _digest_of(trials: Trials) -> str:
    """Return a hash of everything but the labels, which belong to the fits."""
    digest = hashlib.sha256(np.ascontiguousarray(_mapped_anew(trials.X)).data)
    for name in ("run", "session", "index"):
        digest.update(sha256(getattr(trials, name)).encode())
    return digest.hexdigest()


def _mapped_anew(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return an array in a mapping of its own, so that what is read leaves memory with it."""
    handle = Handle.of(X)
    return X if handle is None else handle.open()


def _rows(chosen: NDArray[np.bool_]) -> NDArray[np.int64] | slice:
    """Return the chosen rows; as a slice, which copies nothing, if they lie together."""
    rows = np.flatnonzero(chosen)
    together = rows[-1] - rows[0] + 1 == len(rows)
    return slice(int(rows[0]), int(rows[-1]) + 1) if together else rows
