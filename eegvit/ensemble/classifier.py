"""Several classifiers combined by a rule, as one classifier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import (
    EEGClassifier,
    about,
    identified,
    warn_without_groups,
)
from eegvit.ensemble.members import Members, by_name, named, replaced
from eegvit.ensemble.out_of_fold import columns, fitted_on, out_of_fold
from eegvit.ensemble.probabilities import FloatArray
from eegvit.ensemble.rules import LearnerName, RuleName, learn, learns
from eegvit.preprocess.signals import EEG

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
        known: tuple[Any, ...] = (self.sfreq_, self.ch_names_)
        self.out_of_fold_: FloatArray | None = None
        if needed:
            told = [
                out_of_fold(m, X, codes, people, self.n_folds, *known) for m in members.values()
            ]
            self.out_of_fold_ = np.stack(told)
        self.combiner_ = learn(
            self.rule, self.out_of_fold_, codes, learner=self.learner, calibrate=self.calibrate
        )
        self.members_ = {
            name: fitted_on(member, X, codes, people, *known) for name, member in members.items()
        }
        return self

    def predict_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        check_is_fitted(self, "members_")
        X = self.check_X(X)
        n_classes = len(self.classes_)
        return self.combiner_(np.stack([columns(m, X, n_classes) for m in self.members_.values()]))

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
