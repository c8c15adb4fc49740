"""A network that learns from a teacher's probabilities beside the labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from eegvit.branches.around import Around
from eegvit.branches.base import EEGClassifier, about, identified, warn_without_groups
from eegvit.ensemble.members import by_name
from eegvit.ensemble.out_of_fold import out_of_fold
from eegvit.preprocess.signals import EEG, Signals

SUM_TOLERANCE = 1e-3  # of probabilities that were kept in single precision


@dataclass(kw_only=True, eq=False, repr=False)
class DistilledClassifier(Around):
    """A network that is trained on labels and on what a teacher says of the same trials [1]_.

    What the teacher says of a trial is out-of-fold: it comes from a copy of the teacher that was
    fitted on other people. A teacher that had seen the trial would only repeat its label. The
    loss is ``(1 - weight)`` times that by labels, plus ``weight * temperature ** 2`` times the
    divergence of the network's probabilities from the teacher's, both at the temperature.

    Augmentation changes signals and leaves what the teacher says as it was; where it puts a trial
    together of others, or `mixup` mixes two, what was said of them is mixed in the same shares.
    A validation loss goes by labels alone.

    Parameters
    ----------
    model : NeuralClassifier or PrunedClassifier
        The student: any network of this house, pruned or not.
    teacher : classifier, str, dict or None
        A classifier, an ensemble for example, or the name of a branch, or a mapping of `branch`
        and its parameters. None where `fit` is given what a teacher says.
    weight : float
        Share of the loss that goes by the teacher, from 0 to 1.
    temperature : float
        The higher, the more the unlikely classes count.
    n_folds : int or None
        Folds over the people in which the teacher is fitted; None leaves out one at a time. Without
        `groups`, folds are blocks of each class's trials.
    random_state : int
        Seed of the student, in place of its own.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    model_ : classifier
        The fitted student.
    soft_ : array, shape (trials, classes)
        What the teacher said of the training trials.
    n_parameters_ : int
        Number of learned numbers.

    References
    ----------
    .. [1] Hinton et al., Distilling the knowledge in a neural network. arXiv:1503.02531, 2015.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.tile(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> student = EEGNetClassifier(n_filters=2, epochs=20, batch_size=8, learning_rate=0.01)
    >>> model = DistilledClassifier(model=student, teacher="csp_lda")
    >>> model.fit(X, y, groups=np.repeat([1, 2, 3, 4], 10)).score(X, y)
    1.0
    """

    teacher: Any = None
    weight: float = 0.5
    temperature: float = 2.0
    n_folds: int | None = None
    random_state: int = 0

    def fit(
        self,
        X: EEG,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        soft: ArrayLike | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Train on trials (n, channels, times), their labels and what the teacher says of them.

        Parameters
        ----------
        X : array or mne.Epochs
        y : array of labels
        groups : array or None
            The person of each trial: nobody's trials are told of by a teacher that saw them.
        soft : array, shape (n, classes), or None
            A teacher's probabilities of the classes, sorted, if they are known: the teacher is
            then not fitted. A row of nan says that there are none; its label takes their place.
        checkpoint : Path or None
            File to save the student's training to now and then, and to continue it from.
        """
        from eegvit.train import Lesson

        for _, sentence in self.mistakes():
            raise ValueError(sentence)
        takes = self.model.fit_takes() if isinstance(self.model, EEGClassifier) else frozenset()
        if "lesson" not in takes:
            raise TypeError(f"model={self.model!r}: it must be a neural classifier of this house")
        signals = self.check_X(X, reset=True)
        codes = self.encode_y(signals, y)
        if soft is None:
            self.soft_ = self._told(signals, codes, groups)
        else:
            self.soft_ = self._given(np.asarray(soft, dtype=np.float64), codes)
        lesson = Lesson(self.soft_, self.weight, self.temperature) if self.weight else None
        model = clone(self.model).set_params(random_state=self.random_state)
        self.model_ = model.fit(X, y, groups=groups, checkpoint=checkpoint, lesson=lesson)
        self.n_parameters_ = self.model_.n_parameters_
        self.history_ = getattr(self.model_, "history_", [])
        self.units_ = getattr(self.model_, "units_", None)
        return self

    def mistakes(self) -> list[tuple[str, str]]:
        """Return (parameter, sentence) for what is wrong with how it learns from its teacher.

        Examples
        --------
        >>> DistilledClassifier(model=None, weight=2.0).mistakes()
        [('weight', 'weight=2.0: it is a share of the loss, from 0 to 1')]
        """
        wrong = []
        if not 0 <= self.weight <= 1:
            text = f"weight={self.weight!r}: it is a share of the loss, from 0 to 1"
            wrong.append(("weight", text))
        if not self.temperature > 0:
            wrong.append(("temperature", f"temperature={self.temperature!r}: it must be positive"))
        return wrong

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with all those of student and teacher."""
        teacher = self.teacher if self.teacher is None else self._teacher()
        if isinstance(teacher, EEGClassifier):
            teacher = identified(teacher)
        return super().identity() | {"teacher": teacher}

    def packages(self) -> frozenset[str]:
        """Return those of student and teacher."""
        own: frozenset[str] = super().packages()
        return own if self.teacher is None else own | about(self._teacher()).packages()

    def _teacher(self) -> Any:
        (teacher,) = by_name({"teacher": self.teacher}).values()
        return teacher

    def _told(
        self, X: Signals, codes: NDArray[np.int64], groups: ArrayLike | None
    ) -> NDArray[np.float64]:
        """Return what the teacher says of the trials, out-of-fold."""
        if self.teacher is None:
            raise ValueError("there is no teacher: give `teacher`, or fit(X, y, soft=...)")
        people = None if groups is None else np.asarray(groups)
        if people is not None and people.shape != codes.shape:
            raise ValueError(f"groups has shape {people.shape} for {len(codes)} trials")
        if people is None:
            warn_without_groups("the folds that the teacher is fitted in")
        known = (self.n_folds, self.sfreq_, self.ch_names_)
        return out_of_fold(self._teacher(), X, codes, people, *known)

    def _given(self, soft: NDArray[np.float64], codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return given probabilities, labels where there are none, or say what is wrong."""
        shape = (len(codes), len(self.classes_))
        if soft.shape != shape:
            raise ValueError(f"soft has shape {soft.shape}, expected (trials, classes) {shape}")
        found = np.where(np.isnan(soft).all(axis=1, keepdims=True), np.eye(shape[1])[codes], soft)
        bad = ~((found >= 0).all(axis=1) & (abs(found.sum(axis=1) - 1) <= SUM_TOLERANCE))
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"soft, trial {row}: {soft[row].tolist()} are no probabilities that sum to one"
            )
        return found
