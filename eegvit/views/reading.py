"""From cards to data views: reading, alignment and hashing, one person at a time."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from eegvit import data
from eegvit.config import Align, Card, Study, View, sha256
from eegvit.data.cache import Cache
from eegvit.data.remarks import other_scales, overlap, unexpected
from eegvit.progress import Progress
from eegvit.tasks import Executor, InProcess, Task
from eegvit.views.blocks import NONE, aligned_recipe, plain, read_blocks
from eegvit.views.kinship import with_kin
from eegvit.views.known import note_known
from eegvit.views.view import DataView, make_view, same_trials

Names: TypeAlias = tuple[str, ...] | None
Wanted: TypeAlias = tuple[Card, str, str, Align, Names, Names]


def make_views(study: Study, cache: Cache, executor: Executor | None = None) -> dict[str, DataView]:
    """Return the data view of each model; models that want the same view share it.

    Parameters
    ----------
    study : Study
        Its data, view and alignment, and those that models set for themselves.
    cache : Cache
        Where what was read before is.
    executor : Executor or None
        Who reads, one person a task; this process if None.
    """
    wanted = {name: wanted_of(study, name) for name in study.models}
    for name, (cards, _) in wanted.items():
        for card, usual in zip(cards, study.data, strict=True):
            if card.artifacts != usual.override(study.view).artifacts:
                raise ValueError(
                    f"model '{name}' sets view.artifacts to '{card.artifacts}', the study to"
                    f" '{usual.override(study.view).artifacts}': models would be tested on"
                    " different trials. Set it in the study's `view` for all."
                )
    distinct = {_hash(cards, align): (cards, align) for cards, align in wanted.values()}
    executor = executor or InProcess()
    _read_all([cards for cards, _ in distinct.values()], cache, executor)
    opened: dict[str, DataView] = {}
    for key, (cards, align) in distinct.items():
        opened[key] = _open(cards, align, cache, executor, first=not opened)
    for sentence in dict.fromkeys(said for view in opened.values() for said in view.remarks):
        warnings.warn(sentence, stacklevel=2)
    views = {name: opened[_hash(*cards_align)] for name, cards_align in wanted.items()}
    same_trials(views)
    return views


def cards_of(study: Study) -> list[Card]:
    """Return the cards that the views of a study are read by, changes included."""
    wanted = [card for name in study.models for card in wanted_of(study, name)[0]]
    return list({sha256(card): card for card in wanted}.values())


def unaligned_view(study: Study, cache: Cache) -> DataView:
    """Return the trials of a study before alignment, of which the aligned ones were made.

    They are filtered and cut as a model without `view` sees them, or as the first model does
    where each has a `view` of its own: nothing is read that was not read for the models.
    """
    usual = [name for name, model in study.models.items() if model.view is None]
    cards, _ = wanted_of(study, (usual or list(study.models))[0])
    wanted = _arguments(cards, NONE, cache)
    blocks = [block for each in wanted for block in read_blocks(*each, cache)]
    return make_view({"cards": list(cards), "align": plain(NONE)}, blocks)


def wanted_of(study: Study, name: str) -> tuple[tuple[Card, ...], Align]:
    """Return the cards as a model wants them, and its alignment."""
    model = study.models[name]
    own = model.view or View()
    cards = tuple(card.override(study.view).override(own) for card in study.data)
    return cards, model.align or study.align


def _hash(cards: Sequence[Card], align: Align) -> str:
    return sha256({"cards": list(cards), "align": plain(align)})


def _people(cards: Sequence[Card]) -> list[tuple[Card, str]]:
    return [(card, subject) for card in cards for subject in data.source(card).subjects()]


def _read_all(views: Sequence[Sequence[Card]], cache: Cache, executor: Executor) -> None:
    """Bring every person's trials into the cache."""
    todo = {}
    known: dict[str, tuple[Card, dict[str, str]]] = {}
    for card, subject in (person for cards in views for person in _people(cards)):
        recipe = data.recipe_of(card, subject)
        known.setdefault(sha256(card), (card, {}))[1][subject] = cache.key(recipe)
        if not cache.has(recipe):
            todo[sha256(recipe)] = Task(f"{card.name} {subject}", _read, (card, subject, cache))
    carried_out(list(todo.values()), "people read", executor)
    for card, own in known.values():
        note_known(card, own, cache)


def _read(card: Card, subject: str, cache: Cache) -> None:
    data.read_subject(card, subject, cache)


def _open(
    cards: tuple[Card, ...], align: Align, cache: Cache, executor: Executor, first: bool
) -> DataView:
    arguments = _arguments(cards, align, cache)
    if align.method != "none":
        todo = [
            Task(f"{a[0].name} {a[1]}", _prepare, (*a, cache))
            for a in arguments
            if not cache.has(aligned_recipe(data.recipe_of(a[0], a[1]), align, *a[4:]))
        ]
        carried_out(todo, "people aligned", executor)
    blocks = [block for a in arguments for block in read_blocks(*a, cache)]
    view = with_kin(make_view({"cards": list(cards), "align": plain(align)}, blocks), cache)
    return replace(
        view, remarks=tuple(said for card in cards for said in _remarks(card, align, cache, first))
    )


def _arguments(cards: tuple[Card, ...], align: Align, cache: Cache) -> list[Wanted]:
    """Return what `read_blocks` takes for each person, but for the cache."""
    people = _people(cards)
    classes, channels = _common(cards, people, cache)
    several = len(cards) > 1
    return [
        (card, subject, f"{card.name}:{subject}" if several else subject, align, classes, channels)
        for card, subject in people
    ]


def _remarks(card: Card, align: Align, cache: Cache, first: bool) -> list[str]:
    """Return what is odd about a data set, by the first of its views what the card did not expect.

    Scales that cannot be compared are refused.
    """
    people = data.source(card).subjects()
    sessions = [t for who in people for t in data.read_subject(card, who, cache.unchecked())]
    scales = other_scales(card.name, sessions)
    if scales and align.method == "none" and card.scales == "refuse":
        raise ValueError(
            f"{scales}; are they in another unit? Without alignment nothing makes up for it: mend"
            " `to_microvolts` or the files, align, or say `scales: accept` in the card"
        )
    said = (scales, unexpected(card, sessions) if first else None, overlap(card.name, sessions))
    return [sentence for sentence in said if sentence]


def carried_out(tasks: Sequence[Task], what: str, executor: Executor) -> None:
    """Carry out tasks; say each warning once, and each error once with whom it concerns."""
    if not tasks:
        return
    progress = Progress(len(tasks), what)
    wrong: dict[str, list[str]] = {}
    said: dict[str, None] = {}
    for answer in executor.run(tasks, progress.show):
        progress.advance(failed=answer.reason is not None)
        said |= dict.fromkeys(answer.warnings)
        if answer.reason is not None:
            kinds = ("ValueError: ", "FileNotFoundError: ")
            reason = functools.reduce(str.removeprefix, kinds, answer.reason)
            wrong.setdefault(reason, []).append(tasks[answer.number].name)
    progress.finish()
    for message in said:
        warnings.warn(message, stacklevel=2)
    if wrong:
        lines = sorted(f"{_several(names)}: {reason}" for reason, names in wrong.items())
        raise ValueError("the data could not be read\n  " + "\n  ".join(lines))


def _several(names: Sequence[str]) -> str:
    """Return names in a few words.

    Examples
    --------
    >>> _several(["set 1", "set 2"]), _several([f"set {i}" for i in range(36)])
    ('set 1, set 2', '36 people (set 0, set 1, set 2 ...)')
    """
    names = list(dict.fromkeys(names))  # several views may read the same person
    return (
        ", ".join(names) if len(names) < 4 else f"{len(names)} people ({', '.join(names[:3])} ...)"
    )


def _common(
    cards: tuple[Card, ...], people: Sequence[tuple[Card, str]], cache: Cache
) -> tuple[Names, Names]:
    """Return the classes and channels that all data sets have; None where there is one set."""
    if len(cards) == 1:
        return None, None
    mapped = cache.unchecked()
    firsts = [data.read_subject(card, subject, mapped)[0] for card, subject in people]
    classes = [c for c in cards[0].classes if all(c in card.classes for card in cards)]
    channels = [c for c in firsts[0].ch_names if all(c in f.ch_names for f in firsts)]
    names = ", ".join(card.name for card in cards)
    if len(classes) < 2:
        raise ValueError(f"{names} have {len(classes)} classes in common: two are needed")
    if not channels:
        raise ValueError(f"{names} have no channel name in common")
    return tuple(classes), tuple(channels)


def _prepare(*arguments: Any) -> None:
    read_blocks(*arguments)
