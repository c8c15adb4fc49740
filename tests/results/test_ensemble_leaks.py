"""Studies with ensembles: labels of tested people reach nothing, and rules do not overfit."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.config import Ensemble
from eegvit.ensemble.rules import RULES
from eegvit.results.ensembles import combine
from eegvit.results.stored import outcomes
from eegvit.trials import concatenate

MODELS = {
    "csp": ("csp_lda", {}),
    "mdm": ("mdm", {}),
    "tangent": ("tangent_space", {}),
    "fbcsp": ("fbcsp", {"bands": ((4.0, 8.0), (8.0, 16.0))}),
}
NEAREST = [
    {"from": "pyriemann.estimation.Covariances"},
    {"from": "pyriemann.tangentspace.TangentSpace"},
    {"from": "sklearn.neighbors.KNeighborsClassifier", "parameters": {"n_neighbors": 1}},
]


def ensembles_of(members, calibrations):
    """Return an ensemble of every rule and learner."""
    return {
        f"{rule} {learner} {calibrate}": Ensemble(
            of=tuple(members), rule=rule, learner=learner, calibrate=calibrate
        )
        for rule in RULES
        for learner in RULES[rule].learners or [None]
        for calibrate in calibrations
    }


def people(make_trials, subjects="1234", sessions="0", n_trials=20, contrast=0.9):
    return concatenate(
        [
            make_trials(
                n_trials=n_trials, n_channels=4, n_times=64, contrast=contrast, subject=s,
                session=t, seed=10 * int(s) + int(t),
            )
            for s in subjects
            for t in sessions
        ]
    )  # fmt: skip


def told(made, split):
    return {o.model: o.probabilities for o in made if o.split == split}


@pytest.mark.parametrize(
    ("evaluate", "split", "harm"),
    [
        ({}, "3 left out", "permuted"),
        ({}, "3 left out", "deleted"),
        ({"n_folds": 4}, "1+2 left out", "permuted"),
        ({"test_subjects": ("3", "4")}, "3+4 left out", "deleted"),
        ({"protocol": "cross_session"}, "3 session 1", "permuted"),
    ],
)
def test_labels_of_tested_trials_change_nothing(run_ensembles, make_trials, evaluate, split, harm):
    session = evaluate.get("protocol") == "cross_session"
    subjects = "12345" if "n_folds" in evaluate else "1234"
    trials = people(make_trials, subjects, sessions="01" if session else "0")
    names = split.split()[0].split("+")
    tested = np.isin(trials.subject, names) & (not session or trials.session == "1")
    y = trials.y.copy()
    y[tested] = 0 if harm == "deleted" else np.random.default_rng(0).permutation(1 - y[tested])
    ensembles = ensembles_of(MODELS, ["temperature"])
    ensembles["greedy"] = Ensemble(of=tuple(MODELS), rule="weighted", select="greedy")
    found = []
    for folder, own in (("one", trials), ("two", trials.replace(y=y))):
        plan, store = run_ensembles(own, MODELS, ensembles, folder, **evaluate)
        made = outcomes(plan, store)
        needed = [o for o in made if split in (o.outer, o.split)]
        keys = [o.key for o in needed if o.outer]
        assert keys and not {n for o in needed if o.outer for n in o.ids} & set(trials.ids[tested])
        found.append((*combine(ensembles, made), [o.key for o in needed]))
    (before, weights, keys), (after, weights_after, keys_after) = found
    assert keys == keys_after
    one, other = told(before, split), told(after, split)
    assert set(one) == set(ensembles)
    for name, probabilities in one.items():
        assert probabilities is not None
        assert np.array_equal(probabilities, other[name]), name
    for learned, again in zip(weights, weights_after, strict=True):
        if learned.split == split:
            assert vars(learned) == vars(again)


def test_labels_of_training_people_do_reach_what_is_learned(run_ensembles, make_trials):
    trials = people(make_trials)
    y = trials.y.copy()
    y[trials.subject == "2"] = np.random.default_rng(0).permutation(y[trials.subject == "2"])
    ensembles = ensembles_of(MODELS, ["temperature"])
    found = []
    for folder, own in (("one", trials), ("two", trials.replace(y=y))):
        plan, store = run_ensembles(own, MODELS, ensembles, folder, test_subjects=("3", "4"))
        found.append(combine(ensembles, outcomes(plan, store))[1])
    for one, other in zip(*found, strict=True):
        assert one.temperatures != other.temperatures
        assert not one.weights or one.weights != other.weights


def test_what_is_learned_in_sample_goes_by_the_overfitter_and_what_is_shipped_does_not(
    run_ensembles, make_trials
):
    trials = people(make_trials, n_trials=40, contrast=0.8)
    models = {"csp": ("csp_lda", {}), "nearest": ("pipeline", {"steps": NEAREST})}
    ensembles = {
        name: e
        for name, e in ensembles_of(models, [None]).items()
        if e.rule in ("weighted", "meta")
    }
    plan, store = run_ensembles(trials, models, ensembles)
    honest = outcomes(plan, store)
    fits = {o.key: plan.fits[o.key] for o in honest}
    outer = {(o.model, o.split): fits[o.key] for o in honest if not o.outer}
    cheating = []
    for o in honest:
        if o.outer:  # what the outer member says of the very trials that it was fitted on
            fit = outer[o.model, o.outer]
            model = fit.recipe.build().fit(fit.view.take(fit.train).X, fit.view.y[fit.train])
            rows = np.flatnonzero(np.isin(fit.view.ids, o.ids))
            assert np.isin(rows, fit.train).all()
            o = type(o)(**(vars(o) | {"probabilities": model.predict_proba(fit.view.take(rows).X)}))
        cheating.append(o)

    def share_and_score(given):
        made, learned = combine(ensembles, given)
        share = {e: [] for e in ensembles}
        right = {e: [] for e in ensembles}
        for one in learned:
            share[one.ensemble].append(one.weights["nearest"])
        for o in made:
            right[o.model].append(np.mean(o.probabilities.argmax(1) == o.y))
        return tuple({e: np.mean(v) for e, v in found.items()} for found in (share, right))

    share, right = share_and_score(honest)
    share_in_sample, right_in_sample = share_and_score(cheating)
    member = {m: np.mean([np.mean(o.probabilities.argmax(1) == o.y) for o in honest
                          if o.model == m and not o.outer]) for m in models}  # fmt: skip
    assert member["csp"] > member["nearest"] + 0.03
    for name, ensemble in ensembles.items():
        assert share_in_sample[name] > share[name] + 0.1, name
        if ensemble.learner != "accuracy":  # accuracy weights never leave a member out
            assert share_in_sample[name] > 0.7 > 0.4 > share[name], (name, share)
            assert right[name] > right_in_sample[name] + 0.05, name
            assert right[name] > member["csp"] - 0.08, name


def test_with_shuffled_training_labels_every_ensemble_scores_chance(run_ensembles, make_trials):
    trials = people(make_trials, n_trials=100, contrast=4.0)
    models = {name: MODELS[name] for name in ("csp", "mdm", "tangent")}
    ensembles = ensembles_of(models, ["temperature"])
    ensembles["greedy"] = Ensemble(of=tuple(models), select="greedy")
    rng = np.random.default_rng(1)
    shuffled = trials.replace(y=rng.permutation(trials.y))
    right = {}
    for folder, own in (("real", trials), ("shuffled", shuffled)):
        plan, store = run_ensembles(own, models, ensembles, folder)
        made, _ = combine(ensembles, outcomes(plan, store))
        for o in made:
            score = np.mean(o.probabilities.argmax(1) == o.y)
            right.setdefault((folder, o.model), []).append(score)
    for name in ensembles:
        assert np.mean(right["real", name]) > 0.9, name
        assert abs(np.mean(right["shuffled", name]) - 0.5) < 0.1, (name, right["shuffled", name])
