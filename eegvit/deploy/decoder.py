"""A fitted model with everything that is needed to use it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.branches.base import about as said_by
from eegvit.branches.base import probabilities
from eegvit.config import Study
from eegvit.data.montage import electrode_directions
from eegvit.deploy.about import about_study, differing, refuse, said
from eegvit.deploy.alignment import Alignment
from eegvit.deploy.archive import read, write
from eegvit.deploy.calibration import Calibration
from eegvit.deploy.given import File, parts_of
from eegvit.deploy.predictions import Predictions, joined
from eegvit.deploy.reading import Reading, onsets_of
from eegvit.deploy.rebuilt import rebuilt
from eegvit.deploy.written import Written, written
from eegvit.ensemble.recentring import recentred
from eegvit.preprocess.signals import EEG
from eegvit.sealed import UNFIT, Damaged
from eegvit.study import StudyResults, run_study
from eegvit.trials import Trials
from eegvit.views.reading import wanted_of

N_WITNESSES = 2  # trials whose probabilities a file holds, to see that it was put together well
WITNESSED = 1e-4  # how far these may be off: libraries of other versions round otherwise


@dataclass(frozen=True, eq=False, repr=False)
class Decoder:
    """A model or ensemble of a study, fitted on all its people, ready for new recordings.

    Parameters
    ----------
    model : classifier
        Fitted on aligned trials.
    reading : Reading
        How recordings become trials.
    align : Alignment
        How trials of a recording are aligned.
    about : dict
        Study, scores, people, versions: what vouches for the decoder, as plain values.
    shares : array or None
        How often each class occurred in training, where predictions are recentred.
    calibration : Calibration or None
        What a few labelled trials of the person taught.

    Examples
    --------
    >>> import tempfile
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((60, 3, 100)), np.tile(["left", "right"], 30)
    >>> X[y == "left", 0] *= 3
    >>> data = {"X": X, "y": y, "sfreq": 100.0, "subject": np.repeat(["ann", "bob", "eve"], 20)}
    >>> study = {"name": "small", "models": {"csp": {"branch": "csp_lda"}}}
    >>> decoder = Decoder.fit(study, model="csp", data=data, jobs=0, cache=tempfile.mkdtemp())
    >>> path = Path(tempfile.mkdtemp()) / "hand.eegvit"
    >>> decoder.save(path)
    >>> Decoder.load(path).predict(X[:4]).labels.tolist()
    ['left', 'right', 'left', 'right']
    """

    model: Any
    reading: Reading
    align: Alignment
    about: dict[str, Any]
    shares: NDArray[np.float64] | None = None
    calibration: Calibration | None = None

    @classmethod
    def fit(
        cls,
        study: StudyResults | str | Path | Mapping[str, Any] | Study,
        model: str,
        *,
        seed: int | None = None,
        **how: Any,
    ) -> Decoder:
        """Fit a model of a study on all its people.

        Parameters
        ----------
        study : StudyResults, or what `run_study` takes
            A study is run first, so that scores of people held out vouch for the decoder; what
            was run before is not run again.
        model : str
            A model or an ensemble of the study.
        seed : int or None
            One of the study's; the first if None.
        **how
            `data`, `jobs`, `cache`, `changes` and `allow` of `run_study`.
        """
        results = study if isinstance(study, StudyResults) else run_study(study, **how)
        asked = results.plan.study
        settings = results.settings(model)
        recentre = settings.recentre or asked.recentre
        refuse(asked, model, recentre)
        fitted, view = results.fitted(model, seed)
        align = settings.align or asked.align
        member = asked.ensembles[model].of[0] if model in asked.ensembles else model
        cards, _ = wanted_of(asked, member)
        return cls(
            fitted,
            Reading.of_study(cards, view, aligned=align.method != "none"),
            Alignment(align.method, align.mode),
            about_study(results, model, view, fitted),
            None if recentre == "none" else view.class_shares(np.arange(len(view))),
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities' columns."""
        return self.reading.card.classes

    def save(self, path: str | Path, *, allow: Collection[str] = ()) -> None:
        """Write the decoder to a file of JSON, arrays and tensors.

        Parameters
        ----------
        path : str or Path
        allow : collection of str
            Packages whose classes may be part of it, beside those that any decoder is made of.
        """
        write(Path(path), self.about, written(self.content() | {"model": self.model}, allow))

    def content(self) -> dict[str, Any]:
        """Return everything but the model as plain values and arrays."""
        witnesses = self._witnesses()
        return {
            "reading": self.reading.plain(),
            "align": self.align.plain(),
            "shares": self.shares,
            "calibration": None if self.calibration is None else self.calibration.plain(),
            "montage": electrode_directions(self.reading.ch_names),
            "witnesses": witnesses,
            "witnessed": self._of_model(witnesses),
        }

    @classmethod
    def load(cls, path: str | Path, *, allow: Collection[str] = ()) -> Decoder:
        """Return the decoder in a file; nothing is unpickled, and a changed file is refused.

        The checksum is there for damage: it does not say who wrote the file.

        Parameters
        ----------
        path : str or Path
        allow : collection of str
            Packages whose classes may be part of it, beside those that any decoder is made of.
        """
        about, made = read(Path(path))
        return cls.of(about, made, str(path), allow=allow)

    @classmethod
    def of(
        cls,
        about: dict[str, Any],
        made: Written,
        path: str,
        *,
        model: Any = None,
        allow: Collection[str] = (),
    ) -> Decoder:
        """Return the decoder that was written, if it says what it said then.

        Parameters
        ----------
        about : dict
        made : Written
        path : str
            What errors call it.
        model : classifier or None
            The model, where it was not written with the rest.
        allow : collection of str
            As of `load`.
        """
        try:
            content = rebuilt(made, allow)
            known = content["calibration"]
            found = cls(
                content["model"] if model is None else model,
                Reading.of(content["reading"]),
                Alignment.of(content["align"]),
                about,
                content["shares"],
                None if known is None else Calibration(**known),
            )
            told = found._of_model(content["witnesses"])
        except UNFIT as error:
            raise Damaged(
                f"{path} cannot be put together: {error or type(error).__name__}."
                f" {differing(about)}"
            ) from error
        off = float(np.abs(told - content["witnessed"]).max())
        if not off <= WITNESSED:
            raise Damaged(
                f"{path} does not say here what it said where it was written: probabilities are off"
                f" by {off:.2g}. {differing(about)}"
            )
        return found

    def predict(
        self,
        recording: File | Trials | EEG | Sequence[File],
        *,
        cues: Sequence[str] | Mapping[str, str] | None = None,
        windows: tuple[float, float] | None = None,
        to_microvolts: float | None = None,
    ) -> Predictions:
        """Return what the decoder says of a recording.

        Parameters
        ----------
        recording : path, mne.io.Raw, a list of them, Trials, mne.Epochs or array
            A file or a continuous recording, which is filtered, cut and resampled as those of
            the study; several in a list are of one session, and are aligned together. Or trials
            (n, channels, times) of one session that were filtered and cut so before.
        cues : sequence of str, mapping or None
            Marks at which to decode, or what each stands for; those of the study if None.
        windows : (float, float) or None
            Length and step in seconds of windows throughout the recording, instead of cues.
        to_microvolts : float or None
            Factor from the recording's unit to microvolts, where it is not the study's.
        """
        parts = parts_of(self.reading, recording, cues, windows, to_microvolts)
        sizes = np.cumsum([len(part.trials) for part in parts])
        told = self.probabilities(np.concatenate([part.trials.X for part in parts]))
        return joined(
            [
                Predictions(
                    np.full(len(part.trials), part.where), onsets_of(part), own, self.classes
                )
                for part, own in zip(parts, np.split(told, sizes[:-1]), strict=True)
            ]
        )

    def causal(self) -> Decoder:
        """Return the decoder as it can be used while a recording is made.

        The filter runs forwards only. A session is aligned by its trials so far; or, after
        `calibrate`, by those of the calibration, if that is what aligned the study offline.
        """
        if self.shares is not None:
            raise ValueError(
                "this decoder recentres a session's predictions by all of them, which nothing can"
                " do before its end: fit it without `recentre`"
            )
        if said_by(self.model).uses_of_session():
            raise ValueError(
                "this decoder sees a session from the mean of its trials (`mean_of`), which nothing"
                " knows that is told of one trial at a time: fit it without `mean_of`"
            )
        card = self.reading.card.model_copy(update={"phase": "causal"})
        align = self.align
        if align.mode == "offline" and align.since is None:
            align = replace(align, mode="causal")
        return replace(self, reading=replace(self.reading, card=card), align=align)

    def calibrate(
        self,
        recording: File | Trials | Sequence[File],
        *,
        cues: Sequence[str] | Mapping[str, str] | None = None,
        windows: tuple[float, float] | None = None,
        to_microvolts: float | None = None,
    ) -> Decoder:
        """Return the decoder adapted to a person by a recording of theirs.

        Its trials set the reference of the alignment. Where marks say their classes, the
        probabilities are calibrated by them, too. Parameters are those of `predict`.
        """
        parts = parts_of(self.reading, recording, cues, windows, to_microvolts)
        X = np.concatenate([part.trials.X for part in parts])
        known = np.concatenate([part.known for part in parts])
        if self.align.method == "none" and not known.any():
            raise ValueError(
                "there is nothing to calibrate: the trials have no labels, and the decoder does"
                " not align"
            )
        adapted = replace(self, align=self.align.knowing(X))
        if not known.any():
            return adapted
        y = np.concatenate([part.trials.y for part in parts])
        told = self._of_model(self.align(X))
        return replace(adapted, calibration=Calibration.learn(told[known], y[known]))

    def probabilities(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """Return probabilities (n, classes) for the trials of a session, in time order.

        They are filtered and cut as the study's were, in microvolts, and not aligned yet.
        """
        told = self._of_model(self.align(X))
        if self.calibration is not None:
            told = self.calibration(told)
        return told if self.shares is None else recentred(told, self.shares)

    def _of_model(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the model's probabilities for aligned trials, in the order of the classes."""
        told = np.zeros((len(X), len(self.classes)))
        own = probabilities(self.model, X)
        told[:, [self.classes.index(str(name)) for name in self.model.classes_]] = own
        return told

    def _witnesses(self) -> NDArray[np.float32]:
        """Return noise as strong as the trials that the model knows."""
        shape = (N_WITNESSES, len(self.reading.ch_names), self.reading.n_times)
        noise = np.random.default_rng(0).standard_normal(shape)
        return (noise * (self.reading.strength or 1.0)).astype(np.float32)

    def __repr__(self) -> str:
        return said(self.about, self.reading, self.align, self.calibration)
