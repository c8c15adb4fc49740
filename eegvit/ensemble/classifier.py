"""Several classifiers combined by a rule, as one classifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedKFold
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import (
    EEGClassifier,
    about,
    identified,
    probabilities,
    refuse_other_data,
    warn_without_groups,
)
from eegvit.ensemble.members import Members, by_name, named, replaced
from eegvit.ensemble.probabilities import CodeArray, FloatArray
from eegvit.ensemble.rules import LearnerName, RuleName, learn, learns
from eegvit.features.plain import Classifier
from eegvit.preprocess.signals import EEG, Signals

Rows = NDArray[np.int64]

N_BLOCKS = 5  # of trials, where people are not known


@dataclass(kw_only=True, eq=False, repr=False)
class EnsembleClassifier(EEGClassifier):
    """Members fitted side by side, their probabilities combined by a rule.

    What the rule learns, it learns from out-of-fold probabilities: members are fitted without
    some of the training people and predict those. Then they are fitted on all training trials.

    Parameters
    ----------
    members : dict, or list of members or of (name, member)
        A member is a classifier, the name of a branch, or a mapping of `branch` and its
        parameters. One without a name has that of its branch. Parameters of classifiers are
        reached as ``name__parameter``.
    rule : {"vote", "average", "weighted", "max", "meta"}
        How to combine.
    learner : {"accuracy", "log_loss", "logistic", "xgboost"} or None
        "weighted" takes its weights from accuracy above chance, or those of smallest log loss;
        "meta" takes a logistic regression or XGBoost. None is the first of the two.
    calibrate : bool
        Scale each member's temperature before combining.
    n_folds : int or None
        Folds over the people; None leaves out one person at a time. If people are not known,
        folds are blocks of each class's trials in the order given; if None, five, or as many
        as the rarest class has trials.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    members_ : dict
        The members by name, fitted on all training trials and codes of their classes.
    combiner_ : Combiner
        The rule with the weights or meta-learner and the temperatures that it learned.
    out_of_fold_ : array, shape (members, trials, classes), or None
        What the rule learned from.

    Examples
    --------
    >>> import numpy as np
    >>> from eegvit.branches.csp import CSPLDAClassifier
    >>> from eegvit.branches.mdm import MDMClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 100)), np.tile(["left", "right"], 20)
    >>> X[y == "left", 0] *= 2
    >>> members = {"csp": CSPLDAClassifier(), "mdm": MDMClassifier()}
    >>> model = EnsembleClassifier(members=members, rule="weighted")
    >>> model = model.fit(X, y, groups=np.repeat([1, 2, 3, 4], 10))
    >>> model.combiner_.learned.tolist(), model.score(X, y)
    ([0.5, 0.5], 1.0)
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    members: Members
    rule: RuleName = "average"
    learner: LearnerName | None = None
    calibrate: bool = False
    n_folds: int | None = None

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with all those of the members."""
        members = {
            name: identified(member) if isinstance(member, EEGClassifier) else member
            for name, member in by_name(self.members).items()
        }
        return super().identity() | {"members": members}

    def packages(self) -> frozenset[str]:
        """Return those of all members and of the learner."""
        own = {"xgboost"} if self.learner == "xgboost" else set()
        members = by_name(self.members).values()
        return super().packages().union(own, *(about(member).packages() for member in members))

    def takes_seed(self) -> bool:
        """Say whether some member does."""
        return any(about(member).takes_seed() for member in by_name(self.members).values())

    def fit(self, X: EEG, y: ArrayLike, *, groups: ArrayLike | None = None) -> Self:
        """Fit on trials (n, channels, times) and their labels.

        Parameters
        ----------
        X : array or mne.Epochs
        y : array of labels
        groups : array or None
            The person of each trial: no rule learns from a prediction by a member that was
            fitted on another trial of the same person.
        """
        members = by_name(self.members)
        self._check_names(members)
        needed = learns(self.rule, self.learner, self.calibrate)
        X = self.check_X(X, reset=True)
        codes = self.encode_y(X, y)
        people = None if groups is None else np.asarray(groups)
        if people is not None and people.shape != codes.shape:
            raise ValueError(f"groups has shape {people.shape} for {len(codes)} trials")
        if needed and people is None:
            warn_without_groups("the folds that the rule learns from")
        self.out_of_fold_ = self._out_of_fold(members, X, codes, people) if needed else None
        self.combiner_ = learn(
            self.rule, self.out_of_fold_, codes, learner=self.learner, calibrate=self.calibrate
        )
        every = np.arange(len(codes))
        self.members_ = {
            name: self._fitted(member, X, codes, people, every) for name, member in members.items()
        }
        return self

    def predict_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        check_is_fitted(self, "members_")
        X = self.check_X(X)
        return self.combiner_(np.stack([self._told(m, X) for m in self.members_.values()]))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, with ``deep`` also the members and theirs."""
        found: dict[str, Any] = super().get_params(deep=False)
        if deep:
            for name, member in named(self.members).items():
                if hasattr(member, "get_params"):
                    found[name] = member
                    found |= {f"{name}__{k}": v for k, v in member.get_params(deep=True).items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Change parameters, members by their names, or parameters of members."""
        if "members" in params:
            self.members = params.pop("members")
        known = named(self.members)
        new = {name: params.pop(name) for name in list(params) if name in known}
        if new:
            self.members = replaced(self.members, new)
        super().set_params(**params)
        return self

    def _check_names(self, names: Iterable[str]) -> None:
        for name in names:
            if name in super().get_params(deep=False):
                raise ValueError(f"member name {name!r} is a parameter of the ensemble itself")

    def _out_of_fold(
        self,
        members: Mapping[str, Classifier],
        X: Signals,
        y: CodeArray,
        people: NDArray[Any] | None,
    ) -> FloatArray:
        told = np.full((len(members), len(y), len(self.classes_)), np.nan)
        for train, test in folds(y, people, self.n_folds):
            if len(np.unique(y[train])) < 2:
                raise ValueError(
                    f"rule {self.rule!r} learns from predictions for {len(test)} trials held out,"
                    " but all other training trials are of one class"
                )
            for place, member in zip(told, members.values(), strict=True):
                place[test] = self._told(self._fitted(member, X, y, people, train), X[test])
        return told

    def _fitted(
        self,
        member: Classifier,
        X: Signals,
        y: CodeArray,
        people: NDArray[Any] | None,
        rows: Rows,
    ) -> Classifier:
        """Return a copy of a member fitted on some rows, told what is known of the recording."""
        model: Classifier = clone(member)
        refuse_other_data(model, self.sfreq_, self.ch_names_)
        known = {"sfreq": self.sfreq_, "ch_names": self.ch_names_}
        unset = {
            key: known[last]
            for key, value in model.get_params().items()
            if value is None and (last := key.rpartition("__")[2]) in known
        }
        model.set_params(**unset)
        takes_groups = people is not None and "groups" in about(model).fit_takes()
        extras = {"groups": people[rows]} if people is not None and takes_groups else {}
        fitted: Classifier = model.fit(X[rows], y[rows], **extras)
        return fitted

    def _told(self, model: Classifier, X: Signals) -> FloatArray:
        """Return a fitted member's probabilities, none for classes that it never saw."""
        told = np.zeros((len(X), len(self.classes_)))
        told[:, np.asarray(model.classes_, np.int64)] = probabilities(model, X)
        return told


def folds(
    y: CodeArray, people: NDArray[Any] | None, n_folds: int | None
) -> Iterator[tuple[Rows, Rows]]:
    """Yield training and held-out rows: over people, or over blocks of trials if unknown.

    Examples
    --------
    >>> people = np.array(["a", "a", "b", "b", "c", "c"])
    >>> [test.tolist() for _, test in folds(np.array([0, 1] * 3), people, None)]
    [[0, 1], [2, 3], [4, 5]]
    >>> [test.tolist() for _, test in folds(np.array([0, 1] * 3), None, 3)]
    [[0, 1], [2, 3], [4, 5]]
    """
    n_people = 0 if people is None else len(np.unique(people))
    if n_people < 2:
        n_rarest = int(np.unique(y, return_counts=True)[1].min())
        n_blocks = max(2, min(N_BLOCKS, n_rarest)) if n_folds is None else n_folds
        yield from StratifiedKFold(n_blocks).split(y, y)
    elif n_folds is None:
        yield from LeaveOneGroupOut().split(y, y, people)
    else:
        yield from GroupKFold(min(n_folds, n_people)).split(y, y, people)
