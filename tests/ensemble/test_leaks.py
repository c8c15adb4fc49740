"""A leave-one-subject-out study with stacking: test labels reach nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.mdm import MDMClassifier
from eegvit.ensemble.inner import People, fits_needed, inner_folds, out_of_fold
from eegvit.ensemble.rules import RULES, Combiner, learn
from eegvit.ensemble.selection import forward_selection
from eegvit.trials import concatenate

PEOPLE = list("1234")
TESTS = [[name] for name in PEOPLE]
EVERY = [(rule, learner) for rule in RULES for learner in RULES[rule].learners or [None]]
MEMBERS = {"csp": CSPLDAClassifier(), "mdm": MDMClassifier()}


@pytest.fixture
def trials(make_trials: Any) -> Any:
    """Return four people with 20 trials each; the contrast is weak."""
    return concatenate(
        [
            make_trials(n_trials=20, n_channels=4, n_times=64, contrast=0.8, subject=s, seed=int(s))
            for s in PEOPLE
        ]
    )


class Study:
    """Fits of each member, kept by the people whom they leave out, and what they predict."""

    def __init__(self, trials: Any, y: np.ndarray, fits: list[People]) -> None:
        self.subject, self.y, self.told = trials.subject, y, {}
        for left_out in fits:
            held = np.isin(trials.subject, sorted(left_out))
            P = np.full((len(MEMBERS), len(y), 2), np.nan)
            for place, member in zip(P, MEMBERS.values(), strict=True):
                place[held] = member.fit(trials.X[~held], y[~held]).predict_proba(trials.X[held])
            self.told[left_out] = P

    def combiner(self, tested: list[str], **how: Any) -> tuple[Combiner, np.ndarray, list[int]]:
        """Return what is learned for one outer fold, what it predicts, and who is selected."""
        folds = inner_folds(tested, TESTS, PEOPLE)
        parts = [
            out_of_fold(folds, self.subject, lambda fit, rows, m=m: self.told[fit][m, rows])
            for m in range(len(MEMBERS))
        ]
        rows, P = parts[0][0], np.stack([told for _, told in parts])
        combine = learn(P=P, y=self.y[rows], **how)
        test = np.flatnonzero(np.isin(self.subject, tested))
        new = self.told[frozenset(tested)][:, test]
        return combine, combine(new), forward_selection(P, self.y[rows])


def same(one: Any, other: Any) -> bool:
    """Say whether two learned things are equal: weights, or meta-learners."""
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if hasattr(one, "model"):
        probe = np.random.default_rng(0).standard_normal((50, len(MEMBERS)))
        return np.array_equal(one.model.predict_proba(probe), other.model.predict_proba(probe))
    return one is None and other is None


@pytest.mark.parametrize("harm", ["permuted", "deleted"])
@pytest.mark.parametrize("tested", ["1", "3"])
def test_labels_of_test_subjects_change_nothing(trials, harm, tested) -> None:
    own = trials.subject == tested
    fits = [left_out for left_out in fits_needed(TESTS, PEOPLE) if tested in left_out]
    assert len(fits) == 1 + 3
    y = trials.y.copy()
    y[own] = -1 if harm == "deleted" else 1 - y[own]
    before, after = Study(trials, trials.y, fits), Study(trials, y, fits)
    for rule, learner in EVERY:
        for calibrate in (False, True):
            how = {"rule": rule, "learner": learner, "calibrate": calibrate}
            one, told, chosen = before.combiner([tested], **how)
            other, told_after, chosen_after = after.combiner([tested], **how)
            assert same(one.learned, other.learned) and same(one.temperatures, other.temperatures)
            np.testing.assert_array_equal(told, told_after)
            assert chosen == chosen_after


def test_labels_of_training_subjects_do_change_what_is_learned(trials) -> None:
    fits = [left_out for left_out in fits_needed(TESTS, PEOPLE) if "1" in left_out]
    y = trials.y.copy()
    y[trials.subject == "2"] = np.random.default_rng(0).permutation(y[trials.subject == "2"])
    before, after = Study(trials, trials.y, fits), Study(trials, y, fits)
    for rule, learner in EVERY:
        how = {"rule": rule, "learner": learner, "calibrate": True}
        one, other = before.combiner(["1"], **how)[0], after.combiner(["1"], **how)[0]
        assert not same(one.temperatures, other.temperatures)
        assert one.learned is None or not same(one.learned, other.learned)


def test_a_shared_fit_never_saw_whom_it_predicts(trials) -> None:
    fits = fits_needed(TESTS, PEOPLE)
    study = Study(trials, trials.y, fits)
    for tested in TESTS:
        assert study.combiner(tested, rule="meta")[1].shape == (20, 2)
    for left_out, P in study.told.items():
        predicted = set(trials.subject[~np.isnan(P[0, :, 0])])
        assert predicted == left_out
