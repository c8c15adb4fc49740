"""What is odd about a data set as a whole: said once, not once a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.config import Card
from eegvit.trials import Trials

SCALES_APART = 100.0  # times; electrodes and heads make less, units make a thousand or a million
_LOOKED_AT = 20  # trials a session


def unexpected(card: Card, sessions: Sequence[Trials]) -> str | None:
    """Say in what the sessions of all people differ from what the card expects, or None.

    Examples
    --------
    >>> card = Card(
    ...     name="mine",
    ...     source="?",
    ...     classes=("a", "b"),
    ...     window=(0, 1),
    ...     expected={"subjects": 2, "trials": 3, "sfreq": 250},
    ... )
    >>> people = [Trials.from_arrays(np.zeros((2, 1, 100)), ["a", "b"], sfreq=100.0)]
    >>> unexpected(card, people)
    'mine is not as its card expects: 1 people instead of 2; 2 trials a session instead of 3;
    100 Hz instead of 250'
    """
    expected = card.expected
    if expected is None:
        return None
    people = dict.fromkeys(str(trials.subject[0]) for trials in sessions if len(trials))
    found = []
    if expected.subjects not in (None, len(people)):
        found.append(f"{len(people)} people instead of {expected.subjects}")
    per_person = {p: sum(str(t.subject[0]) == p for t in sessions if len(t)) for p in people}
    found += _odd(per_person, expected.sessions, "sessions")
    if card.artifacts == "keep":
        found += _of_sessions(sessions, expected.trials, len, "trials a session")
    if card.channels is None:
        found += _of_sessions(sessions, expected.channels, lambda t: t.n_channels, "channels")
    found += _of_sessions(sessions, expected.times, lambda t: t.n_times, "samples a trial")
    found += _of_sessions(sessions, expected.sfreq, lambda t: t.sfreq, "Hz")
    lacking = {_named(t): 1 for t in sessions if len(set(t.y.tolist())) < len(t.classes)}
    if lacking:
        found.append(f"a class is missing in {_some(list(lacking))}")
    return f"{card.name} is not as its card expects: {'; '.join(found)}" if found else None


def other_scales(name: str, sessions: Sequence[Trials]) -> str | None:
    """Say whose signals are far stronger or weaker than the others', or None.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((4, 2, 50))
    >>> people = [
    ...     Trials.from_arrays(X * unit, [0, 1, 0, 1], sfreq=100.0, subject=who)
    ...     for who, unit in (("1", 1), ("2", 1), ("3", 1e-6))
    ... ]
    >>> other_scales("mine", people)
    'mine: signals of person 3, session 0 are 1,000,000 times weaker than the others'
    """
    strengths = {_named(trials): strength(trials.X) for trials in sessions if len(trials)}
    moving = {who: strength for who, strength in strengths.items() if strength > 0}
    if len(moving) < 2:
        return None
    middle = float(np.median(list(moving.values())))
    weaker = [who for who, own in moving.items() if own * SCALES_APART <= middle]
    stronger = [who for who, own in moving.items() if own >= middle * SCALES_APART]
    if not weaker and not stronger:
        lowest, highest = min(moving, key=moving.__getitem__), max(moving, key=moving.__getitem__)
        if moving[highest] < moving[lowest] * SCALES_APART:
            return None
        weaker, middle = [lowest], moving[highest]
    who, how = (weaker, "weaker") if weaker else (stronger, "stronger")
    ratio = middle / moving[who[0]] if weaker else moving[who[0]] / middle
    return f"{name}: signals of {_some(who)} are {ratio:,.0f} times {how} than the others"


def overlap(name: str, sessions: Sequence[Trials]) -> str | None:
    """Say how many trials share samples with another trial, or None.

    Examples
    --------
    >>> trials = Trials.from_arrays(np.zeros((3, 1, 100)), [0, 1, 0], sfreq=100.0)
    >>> overlap("mine", [trials.replace(onset=np.array([2.0, 2.5, 9.0]))])
    'mine: 2 of 3 trials share samples with another: they last 1 s, and cues are 0.5 s apart'
    """
    shared, total, gaps, length = 0, 0, [np.inf], 0.0
    for trials in sessions:
        chains = chains_of(trials)
        sizes = np.bincount(chains) if len(chains) else np.zeros(0)
        shared += int(sizes[sizes > 1].sum())
        total += len(trials)
        length = max(length, trials.n_times / trials.sfreq)
        for run in set(trials.run.tolist()):
            gaps += np.diff(np.sort(trials.onset[trials.run == run])).tolist()
    if not shared:
        return None
    return (
        f"{name}: {shared} of {total} trials share samples with another: they last {length:g} s,"
        f" and cues are {np.nanmin(gaps):.3g} s apart"
    )


def chains_of(trials: Trials) -> NDArray[np.int64]:
    """Number of the chain that each trial belongs to; trials that share samples form one.

    Trials are of one person and session. One whose onset nobody knows is a chain of its own.

    Examples
    --------
    >>> trials = Trials.from_arrays(np.zeros((4, 1, 100)), [0, 1, 0, 1], sfreq=100.0)
    >>> chains_of(trials.replace(onset=np.array([2.0, 2.5, 9.0, 3.4]))).tolist()
    [0, 0, 1, 0]
    """
    length = (trials.n_times - 0.5) / trials.sfreq
    runs = np.unique(trials.run, return_inverse=True)[1]
    order = np.lexsort((trials.onset, runs))
    onset, run = trials.onset[order], runs[order]
    apart = ~(np.diff(onset) < length) | (np.diff(run) != 0)  # nan is apart
    chains = np.zeros(len(trials), dtype=np.int64)
    chains[order] = np.cumsum(np.concatenate([[False], apart])) if len(trials) else chains
    return chains


def strength(X: NDArray[Any]) -> float:
    """Return the median standard deviation of a channel in a trial of (n, channels, times).

    Examples
    --------
    >>> strength(np.array([[[1.0, -1.0]], [[3.0, -3.0]]]))
    2.0
    """
    rows = np.linspace(0, len(X) - 1, min(len(X), _LOOKED_AT)).astype(np.int64)
    return float(np.median(np.asarray(X[rows], dtype=np.float64).std(axis=-1)))


def _of_sessions(
    sessions: Sequence[Trials], wanted: float | None, of: Callable[[Trials], float], what: str
) -> list[str]:
    return _odd({_named(trials): of(trials) for trials in sessions if len(trials)}, wanted, what)


def _odd(found: Mapping[str, float], wanted: float | None, what: str) -> list[str]:
    """One clause on those that have another number than is wanted; none if there are none."""
    odd = {who: n for who, n in found.items() if n != wanted}
    if wanted is None or not odd:
        return []
    numbers = sorted(set(odd.values()))
    shown = f"{numbers[0]:g}" if len(numbers) == 1 else f"{numbers[0]:g} to {numbers[-1]:g}"
    where = "" if len(odd) == len(found) else f" ({_some(list(odd))})"
    return [f"{shown} {what} instead of {wanted:g}{where}"]


def _named(trials: Trials) -> str:
    return f"person {trials.subject[0]}, session {trials.session[0]}" if len(trials) else ""


def _some(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more" if len(names) > 1 else names[0]
