"""A card: a data set, what it contains, how it is cut into trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, model_validator

from eegvit.config.signature import Strict


class View(Strict):
    """Changes to how a card's recordings become trials.

    Parameters
    ----------
    band : (low, high) or None
        Hz, as `band` of the card.
    phase : {"zero", "causal"} or None
        As `phase` of the card.
    window : (start, stop) or None
        Seconds, as `window` of the card.
    baseline : (start, stop) or None
        Seconds, as `baseline` of the card.
    resample : float or None
        Hz, as `resample` of the card.
    channels : tuple of str or None
        Names, as `channels` of the card.
    artifacts : {"keep", "drop"} or None
        As `artifacts` of the card.
    """

    band: tuple[float | None, float | None] | None = None
    phase: Literal["zero", "causal"] | None = None
    window: tuple[float, float] | None = None
    baseline: tuple[float | None, float | None] | None = None
    resample: float | None = Field(default=None, gt=0)
    channels: tuple[str, ...] | None = None
    artifacts: Literal["keep", "drop"] | None = None


_DEPENDS = {  # what is expected -> keys of a card that change it
    "subjects": {"subjects", "options"},
    "sessions": {"options"},
    "trials": {"artifacts", "classes", "options", "windows"},
    "channels": {"channels"},
    "times": {"window", "windows", "resample"},
    "sfreq": {"resample"},
}


class Expected(Strict):
    """What a data set should contain, so that a damaged copy is noticed.

    Parameters
    ----------
    subjects : int or None
        People.
    sessions : int or None
        Sessions of each person.
    trials : int or None
        Trials of each session.
    channels : int or None
        Channels of each trial.
    times : int or None
        Samples of each trial.
    sfreq : float or None
        Sampling rate in Hz.
    """

    subjects: int | None = None
    sessions: int | None = None
    trials: int | None = None
    channels: int | None = None
    times: int | None = None
    sfreq: float | None = None


def outdated(changes: Iterable[str]) -> set[str]:
    """Return the parts of `expected` that no longer hold where some keys of a card change.

    Examples
    --------
    >>> sorted(outdated({"resample"}))
    ['sfreq', 'times']
    """
    return {name for name, causes in _DEPENDS.items() if causes & set(changes)}


class Windows(Strict):
    """Windows of one length over whole recordings, a step (by default the length) apart.

    Parameters
    ----------
    length : float
        Seconds of a window.
    step : float or None
        Seconds from the start of a window to that of the next; None is the length. Windows that
        overlap share samples.
    """

    length: float = Field(gt=0)
    step: float | None = Field(default=None, gt=0)


class Speller(Strict):
    """A board whose rows and columns flash, one after the other, until a character is chosen.

    Parameters
    ----------
    rows, columns : int
        How many there are, two or more.
    onset_to_onset : float
        Seconds from the start of a flash to that of the next.
    pause : float
        Seconds between characters, beyond those from flash to flash.
    """

    rows: int = Field(ge=2)
    columns: int = Field(ge=2)
    onset_to_onset: float = Field(gt=0)
    pause: float = Field(default=0.0, ge=0)


class Judged(Strict):
    """Where a trial is looked at to say whether it is spoilt.

    Parameters
    ----------
    window : (start, stop)
        Seconds, as `window` of the card.
    channels : tuple of str or None
        Names, as `channels` of the card.
    """

    window: tuple[float, float]
    channels: tuple[str, ...] | None = None


class Card(Strict):
    """A data set: where it is, what it contains, how it is cut into trials.

    Parameters
    ----------
    name : str
        What a study calls it, and the name of its file.
    title : str
        A line that says what was recorded.
    source : str
        Where trials come from: moabb, files, bids, simulated, arrays, or one that another package
        registers.
    options : dict
        Parameters of the source: folder and pattern of files, a data set of MOABB, and so on.
    paradigm : {"imagery", "p300", "ssvep"}
        What people did. It chooses the paradigm of MOABB that reads the recordings.
    simulated : bool
        Whether nobody was recorded; every page made from it then says so.
    classes : tuple of str
        What is told apart, two or more. Trials of other classes are left out.
    channels : tuple of str or None
        Which channels, in this order; None takes all EEG channels.
    band : (low, high) or None
        Edges in Hz of a Butterworth filter of order 4, before trials are cut. null for an edge
        that is left open; None filters nothing.
    phase : {"zero", "causal"}
        Whether the filter runs over a recording in both directions, or forwards only, as a decoder
        in use must.
    window : (start, stop)
        Seconds from the cue, the end not included. Left out where `windows` are given.
    baseline : (start, stop) or None
        Seconds from the cue of the stretch whose mean is subtracted, channel by channel; null is
        the beginning or the end of the trial.
    resample : float or None
        Sampling rate in Hz that trials are brought to; None keeps the recording's.
    windows : dict or None
        Windows over whole recordings instead of cues, where a name or a table says the class.
    artifacts : {"keep", "drop"}
        What becomes of trials that the recording marks as spoilt.
    bad_trials : {"refuse", "drop"}
        What becomes of trials in which a channel stays at one value or holds another's signal.
    truncated : {"refuse", "accept"}
        What becomes of recordings that are shorter than their header says.
    scales : {"refuse", "accept"}
        What becomes of people whose signals are in another unit than everyone else's, where no
        alignment makes up for it.
    subjects : tuple of str or None
        Who takes part; None is everyone. 1 is 01.
    licence : str
        Who may use the recordings, on which terms.
    citation : str
        Whom to cite.
    url : str
        Where the data set is described.
    notes : str
        What one should know before using it, such as how its trials were cut where they are no
        public recordings; every page says it.
    speller : dict or None
        The board that people spelled on, for which pages estimate characters a minute. There are
        two classes then, the second that of flashes of the wanted character.
    expected : dict or None
        How many people, sessions, trials and so on there should be. What differs is said once.
    origin : str
        The card's file; filled in when it is read.
    judged : dict or None
        Where trials are judged; filled in where a study's view changes the card.
    """

    name: str
    title: str = ""
    source: str
    options: dict[str, Any] = {}
    paradigm: Literal["imagery", "p300", "ssvep"] = "imagery"
    simulated: bool = False
    classes: tuple[str, ...] = Field(min_length=2)
    channels: tuple[str, ...] | None = None
    band: tuple[float | None, float | None] | None = None
    phase: Literal["zero", "causal"] = "zero"
    window: tuple[float, float]
    baseline: tuple[float | None, float | None] | None = None
    resample: float | None = Field(default=None, gt=0)
    windows: Windows | None = None
    artifacts: Literal["keep", "drop"] = "keep"
    bad_trials: Literal["refuse", "drop"] = "refuse"
    truncated: Literal["refuse", "accept"] = "refuse"
    scales: Literal["refuse", "accept"] = "refuse"
    subjects: tuple[str, ...] | None = None
    licence: str = ""
    citation: str = ""
    url: str = ""
    notes: str = ""
    speller: Speller | None = None
    expected: Expected | None = None
    origin: str = ""
    judged: Judged | None = None

    @model_validator(mode="before")
    @classmethod
    def _whole_windows(cls, value: Any) -> Any:
        """Fixed windows are whole trials unless `window` says which part of them."""
        if isinstance(value, dict) and isinstance(value.get("windows"), dict):
            return {"window": (0, value["windows"].get("length")), **value}
        return value

    @model_validator(mode="after")
    def _window_is_within(self) -> Card:
        if self.windows and self.window[1] - self.window[0] > self.windows.length:
            raise ValueError("`window` is longer than the `length` of `windows`; leave it out")
        return self

    @model_validator(mode="after")
    def _flashes_are_of_two_classes(self) -> Card:
        if self.speller and len(self.classes) != 2:
            raise ValueError(
                f"`speller` goes with two classes, the second that of flashes of the wanted"
                f" character; there are {len(self.classes)}"
            )
        return self

    @property
    def judgement(self) -> Judged:
        """Window and channels by which trials are spoilt: the same for every view of the card."""
        return self.judged or Judged(window=self.window, channels=self.channels)

    def override(self, view: View) -> Card:
        """Return the card with a view's changes."""
        changes = view.model_dump(exclude_none=True)
        if self.expected is not None:
            changes["expected"] = self.expected.model_copy(update=dict.fromkeys(outdated(changes)))
        return self.model_copy(update=changes | {"judged": self.judgement})
