"""A data view: trials after everything that depends neither on labels nor on the split."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.config import sha256
from eegvit.data.cache.entry import check_mapped
from eegvit.sealed import Damaged
from eegvit.trials import Trials, concatenate
from eegvit.views.duplicates import Kin, Prints
from eegvit.views.handle import Handle, opened

Rows = NDArray[np.int64]
STAGES = ("read", "filter", "align")


@dataclass(frozen=True, eq=False)
class Block:
    """The trials of one person and session in a view, in time order.

    Parameters
    ----------
    key : str
        Hash of everything that decides these trials.
    data : str
        Name of the data set.
    trials : Trials
        The trials; their `X` is memory-mapped, and checked by `opened` when it is used.
    digests : array of uint64, shape (n, 2)
        Hash of each trial before alignment.
    fingerprints : array of float16, shape (n, few channels, times)
        What is left of each trial before alignment whatever is done to it.
    files : set of str
        Checksums of the recordings that the person was read from.
    seconds : dict
        For each entry of the cache that it came from, by the entry's key, the CPU seconds of
        the stages that made the entry; nan where the entry does not say.
    """

    key: str
    data: str
    trials: Trials
    digests: NDArray[np.uint64]
    fingerprints: Prints
    files: frozenset[str] = frozenset()
    seconds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """Whose trials these are."""
        return str(self.trials.subject[0])

    @property
    def session(self) -> str:
        """When they were recorded."""
        return str(self.trials.session[0])

    @property
    def person(self) -> str:
        """Whose trials these are as "data set/subject", the same in every study."""
        return f"{self.data}/{self.subject.removeprefix(f'{self.data}:')}"

    def labelled(self, rows: Rows) -> str:
        """Return the hash of some trials' places and labels; that of all is remembered."""
        if len(rows) == len(self.trials):
            return self._labelled
        return sha256([self.trials.index[rows], self.trials.y[rows]])

    @cached_property
    def _labelled(self) -> str:
        return sha256([self.trials.index, self.trials.y])


@dataclass(frozen=True, eq=False)
class DataView:
    """All blocks of a study as one list of trials, without holding the signals in memory.

    Parameters
    ----------
    recipe : dict
        The cards and the alignment, as plain values.
    blocks : tuple of Block
        By data set, person and session, sessions in time order.
    remarks : tuple of str
        What is odd about the data as a whole.
    kin : Kin
        Which rows hold the same stretch of a recording.
    known_as : tuple of str
        People, "data set/subject", whose recordings are here under other names as well.
    """

    recipe: dict[str, Any]
    blocks: tuple[Block, ...]
    remarks: tuple[str, ...] = ()
    kin: Kin = field(default_factory=Kin.none)
    known_as: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.starts[-1])

    @cached_property
    def starts(self) -> Rows:
        """First row of each block, and the number of rows."""
        return np.cumsum([0, *(len(block.trials) for block in self.blocks)])

    @cached_property
    def block(self) -> Rows:
        """Number of the block of each row."""
        return np.repeat(np.arange(len(self.blocks)), np.diff(self.starts))

    @cached_property
    def y(self) -> Rows:
        """Class code of each row."""
        return self._joined("y")

    @cached_property
    def subject(self) -> NDArray[np.str_]:
        """Person of each row."""
        return self._joined("subject")

    @cached_property
    def session(self) -> NDArray[np.str_]:
        """Session of each row."""
        return self._joined("session")

    @cached_property
    def data(self) -> NDArray[np.str_]:
        """Data set of each row."""
        return np.array([block.data for block in self.blocks])[self.block]

    @cached_property
    def ids(self) -> NDArray[np.str_]:
        """Identity of each row: subject/session/run/index."""
        return self._joined("ids")

    @cached_property
    def block_keys(self) -> NDArray[np.str_]:
        """Key of the block of each row."""
        return np.array([block.key for block in self.blocks])[self.block]

    @cached_property
    def content(self) -> Rows:
        """A number for each row that two rows share if their signals are the same bytes."""
        digests = np.concatenate([block.digests for block in self.blocks])
        return np.unique(digests, axis=0, return_inverse=True)[1].reshape(-1)

    @cached_property
    def people(self) -> NDArray[np.str_]:
        """Person of each row as "data set/subject", the same in every study."""
        return np.array([block.person for block in self.blocks])[self.block]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.blocks[0].trials.classes

    @property
    def ch_names(self) -> tuple[str, ...]:
        """Names of the channels."""
        return self.blocks[0].trials.ch_names

    @property
    def sfreq(self) -> float:
        """Sampling rate in Hz."""
        return self.blocks[0].trials.sfreq

    @property
    def n_times(self) -> int:
        """Number of samples in a trial."""
        return self.blocks[0].trials.n_times

    def take(self, rows: Rows) -> Trials:
        """Return rows as Trials, read into memory."""
        parts = self.parts(rows)
        return concatenate(
            [block.trials.replace(X=opened(block.trials.X))[within] for block, within in parts]
        )

    def parts(self, rows: Rows) -> Iterator[tuple[Block, Rows]]:
        """Yield the blocks that rows, in ascending order, lie in, and the rows within each."""
        edges = np.searchsorted(rows, self.starts)
        for number in np.flatnonzero(np.diff(edges)):
            own = rows[edges[number] : edges[number + 1]]
            yield self.blocks[number], own - self.starts[number]

    def places(self, rows: Rows) -> list[list[str]]:
        """Return what identifies some rows, without their labels."""
        return [[b.key, sha256(b.trials.index[own])] for b, own in self.parts(rows)]

    def class_shares(self, rows: Rows) -> NDArray[np.float64]:
        """Return how often each class occurs in some rows."""
        counts = np.bincount(self.y[rows], minlength=len(self.classes))
        return counts / counts.sum()

    def _joined(self, name: str) -> NDArray[Any]:
        return np.concatenate([getattr(block.trials, name) for block in self.blocks])


def make_view(recipe: dict[str, Any], blocks: Sequence[Block]) -> DataView:
    """Return a view of blocks that fit together, or say which does not."""
    if not blocks:
        raise ValueError("the data have no trials: no subject was left after the card's choice")
    first = blocks[0]
    for block in blocks:
        for name in ("sfreq", "ch_names", "n_times", "classes"):
            here, there = getattr(block.trials, name), getattr(first.trials, name)
            if here != there:
                raise ValueError(
                    f"{name} differs: {_shown(there)} in {_place(first)},"
                    f" {_shown(here)} in {_place(block)}."
                    " Set `view: {resample: ..., window: ..., channels: ...}` to what all have."
                )
    view = DataView(recipe, tuple(blocks))
    ids, times = np.unique(view.ids, return_counts=True)
    if (times > 1).any():
        raise ValueError(
            f"trial {ids[times > 1][0]} (subject/session/run/index) occurs twice in the data:"
            " two files carry the same subject and session; check the file name pattern"
        )
    return view


def same_trials(views: dict[str, DataView]) -> None:
    """Refuse views whose trials are not the same ones in the same order."""
    reference, first = next(iter(views.items()))
    for model, view in views.items():
        if view is first or (
            np.array_equal(view.ids, first.ids) and np.array_equal(view.y, first.y)
        ):
            continue
        odd = sorted(set(view.ids.tolist()) ^ set(first.ids.tolist()))
        what = f"{len(odd)} trials are in one only, first {odd[0]}" if odd else "labels differ"
        raise ValueError(
            f"models '{reference}' and '{model}' do not see the same trials: {what}."
            " Models of one study are compared on the same trials: a window must not run past"
            " the end of a recording, and `artifacts` must be the same for all."
        )


def stage_seconds(views: Iterable[DataView]) -> dict[str, float]:
    """Return the CPU seconds of each stage that made these views, when they were made.

    What several blocks or views share is counted once. A stage that part of the data does not
    tell of is nan.
    """
    entries: dict[str, Mapping[str, float]] = {}
    for block in (block for view in views for block in view.blocks):
        entries |= block.seconds
    if not entries:
        return dict.fromkeys(STAGES, float("nan"))
    return {name: sum(entry.get(name, 0.0) for entry in entries.values()) for name in STAGES}


def _place(block: Block) -> str:
    return f"{block.data}, subject {block.subject}, session {block.session}"


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) < 80 else f"{text[:77]}..."


def check_signals(blocks: Iterable[Block]) -> None:
    """Read through the signals of blocks that this process has not read yet.

    What is damaged is set aside, and all of it named in one error.
    """
    wrong = []
    for path in dict.fromkeys(h.path for b in blocks if (h := Handle.of(b.trials.X))):
        try:
            check_mapped(Path(path))
        except Damaged as error:
            wrong.append(str(error))
    if wrong:
        raise Damaged("\n".join(wrong))


def block_key(recipe: dict[str, Any], session: str) -> str:
    """Return the hash of what decides a block's trials."""
    return sha256({"recipe": recipe, "session": session})
