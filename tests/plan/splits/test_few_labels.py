"""Few labels: which are drawn, who is given them, and what does not depend on the others."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.config import Align, Evaluate, Model
from eegvit.plan.plan import make_plan
from eegvit.plan.splits.few_labels import largest, with_labels
from eegvit.plan.splits.protocols import splits
from eegvit.plan.splits.split import Labels
from eegvit.plan.target import target


def drawn(view, seed=0, **evaluate):
    asked = Evaluate(**evaluate)
    return with_labels(view, asked, splits(view, asked), seed)


def test_draws_are_stratified_and_of_the_training_side(make_view):
    view = make_view(n_trials=60, classes=("left_hand", "right_hand", "feet"))
    found = drawn(view, label_fraction=(0.01, 0.25, 1.0), draws=3)
    assert [s.labels for s in found[:7]] == [
        *(Labels(amount, d) for amount in (0.01, 0.25) for d in range(3)), Labels(1.0, 0),
    ]  # fmt: skip
    for split in found:
        assert np.isin(split.labelled, split.train).all()
        counts = np.bincount(view.y[split.labelled], minlength=3)
        expected = max(1, round(split.labels.amount * 40))
        assert counts.tolist() == [expected] * 3 and split.labels.n == 3 * expected
    assert len({tuple(s.labelled) for s in found[:3]}) == 3
    assert found[6].given(True) == found[6].given(False) == (found[6].train, None)


def test_a_draw_depends_on_seed_split_amount_and_draw_alone(make_view):
    view = make_view(n_trials=20)
    few = drawn(view, labels_per_class=(2, 5), draws=2)
    more = drawn(view, labels_per_class=(1, 5, 2), draws=4)
    known = {(s.name, s.labels): s.labelled.tolist() for s in more}
    assert all(known[s.name, s.labels] == s.labelled.tolist() for s in few)
    other = drawn(view, seed=1, labels_per_class=(2, 5), draws=2)
    same = sum(a.labelled.tolist() == b.labelled.tolist() for a, b in zip(few, other, strict=True))
    assert same < len(few) / 2


def test_more_labels_than_there_are_is_an_error(make_view):
    with pytest.raises(ValueError, match=r"20 training trials of class left_hand:.* 30 is more"):
        drawn(make_view(n_trials=20), labels_per_class=(30,))


def test_labels_of_the_target_are_of_its_earliest_and_all_amounts_test_the_same(make_view):
    view = make_view(n_trials=40)
    asked = {"labels_per_class": (2, 8), "labels_from": "target", "draws": 4}
    found = drawn(view, **asked)
    assert len(found) == 3 * 5
    *few, most = found[:5]
    assert [s.labels for s in few] == [Labels(2, draw, 4) for draw in range(4)]
    assert most.labels == largest(Evaluate(**asked)) == Labels(8, 0)
    assert len({tuple(s.labelled) for s in few}) > 1
    person = view.subject[most.test[0]]
    for split in found[:5]:
        assert split.test.tolist() == most.test.tolist() and len(split.test) == 40 - 16
        assert set(view.subject[split.labelled].tolist()) == {person}
        for code in range(2):
            own = np.flatnonzero((view.subject == person) & (view.y == code))
            given = np.intersect1d(split.labelled, own)
            assert len(given) == split.labels.amount and np.isin(given, own[:8]).all()
        assert split.given(True)[0].tolist() == most.train.tolist()
        assert set(view.subject[most.train].tolist()) == {"1", "2", "3"}
        assert not np.isin(split.train, split.test).any()
        assert split.given(False)[0].tolist() == split.labelled.tolist()


def test_more_labels_than_the_target_has_are_an_error(make_view):
    with pytest.raises(ValueError, match=r"trials of class left_hand: 40 of each with labels leav"):
        drawn(make_view(n_trials=40), labels_per_class=(1, 40), labels_from="target")


def test_rows_say_that_the_target_gave_labels():
    evaluate = Evaluate(labels_per_class=(1, 3), labels_from="target")
    assert target(Align(method="none"), evaluate) == "calibrated: 3"
    assert target(Align(method="none"), Evaluate(), "none", True) == "unlabelled"
    assert target(Align(method="euclidean"), Evaluate(), "none", True) == "unlabelled"


def test_models_are_given_the_same_labels_and_others_see_no_unlabelled_trial(make_study, make_view):
    view = make_view(n_trials=20)
    study = make_study({"csp": ("csp_lda", {})}, label_fraction=(0.2, 1.0), draws=2)
    scratch = Model(branch="eegnet", pretrain={"objective": "none"})
    study = study.model_copy(update={"models": {**study.models, "scratch": scratch}})
    plan = make_plan(study, dict.fromkeys(study.models, view))
    fits = {(r.model, r.split, r.labels): plan.fits[r.key] for r in plan.requests}
    assert len(plan.fits) == len(fits) == 2 * 3 * 3
    for (model, split, labels), fit in fits.items():
        if model == "scratch":
            csp = fits["csp", split, labels]
            assert fit.train[fit.y >= 0].tolist() == csp.train.tolist()
            assert csp.y.tolist() == fit.y[fit.y >= 0].tolist() == view.y[csp.train].tolist()
            assert len(fit.train) == 40 and (fit.y >= 0).sum() == (8 if labels.amount < 1 else 40)
    usual = make_plan(make_study({"csp": ("csp_lda", {})}), {"csp": view})
    whole = {r.key for r in plan.requests if r.model == "csp" and r.labels.amount == 1}
    assert whole == {r.key for r in usual.requests}, "all labels: the fit of any other study"
