"""Nothing of the test labels reaches a model."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.results.stored import outcomes
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of

MODELS = {
    "csp": ("csp_lda", {}),
    "fbcsp": ("fbcsp", {"bands": ((4.0, 8.0), (8.0, 16.0), (16.0, 28.0))}),
    "tangent": ("tangent_space", {}),
    "net": ("eegnet", {"epochs": 2}),
}


def _outcomes(make_study, trials: Trials, folder, models, align=None, **evaluate):
    cache = Cache(folder)
    view = view_of(trials, cache, align) if align else view_of(trials, cache)
    plan = make_plan(make_study(models, align, **evaluate), dict.fromkeys(models, view))
    store = Store(cache.fits)
    execute(plan, store, cache)
    return outcomes(plan, store)


@pytest.mark.parametrize(
    "evaluate",
    [
        {"protocol": "cross_subject", "train_subjects": ("1", "2"), "test_subjects": ("3",)},
        {"protocol": "cross_session", "train_sessions": ("0",), "test_sessions": ("1",)},
    ],
)
def test_changed_test_labels_change_no_prediction(make_study, make_trials, tmp_path, evaluate):
    from eegvit.config import Align

    trials = concatenate(
        [
            make_trials(subject=s, session=t, n_trials=12, n_times=64, seed=10 * int(s) + int(t))
            for s in "123"
            for t in "01"
        ]
    )
    if evaluate["protocol"] == "cross_subject":
        tested = trials.subject == "3"
    else:
        tested = trials.session == "1"
    y = trials.y.copy()
    y[tested] = np.random.default_rng(0).permutation(1 - y[tested])
    align = Align(method="euclidean")
    before, after = (
        _outcomes(make_study, t, tmp_path / name, MODELS, align, **evaluate)
        for name, t in (("one", trials), ("two", trials.replace(y=y)))
    )
    assert len(before) >= len(MODELS)
    for one, two in zip(before, after, strict=True):
        assert one.key == two.key
        assert not np.array_equal(one.y, two.y)
        assert np.array_equal(one.probabilities, two.probabilities)


def test_shuffled_training_labels_score_chance(make_study, make_trials, tmp_path):
    people = concatenate(
        [make_trials(subject=s, n_trials=100, n_times=64, seed=int(s)) for s in "1234"]
    )
    models = {name: MODELS[name] for name in ("csp", "fbcsp", "tangent")}
    shuffled = people.replace(y=np.random.default_rng(1).permutation(people.y))
    real = _outcomes(make_study, people, tmp_path / "real", models)
    scores: dict[str, list[float]] = {name: [] for name in models}
    for o in real:
        scores[o.model].append(float(np.mean(o.probabilities.argmax(1) == o.y)))
    assert all(np.mean(s) > 0.9 for s in scores.values()), scores
    noise: dict[str, list[float]] = {name: [] for name in models}
    for o in _outcomes(make_study, shuffled, tmp_path / "shuffled", models):
        truth = people.y[np.flatnonzero(np.isin(people.ids, o.ids))]
        noise[o.model].append(float(np.mean(o.probabilities.argmax(1) == truth)))
        noise[o.model].append(float(np.mean(o.probabilities.argmax(1) == o.y)))
    for name, found in noise.items():
        assert abs(np.mean(found[1::2]) - 0.5) < 0.1, (name, found)  # 4 binomial standard errors


def test_planted_duplicate_stops_the_study(make_study, make_trials, tmp_path):
    people = concatenate([make_trials(subject=s, n_trials=12, seed=int(s)) for s in "12"])
    X = people.X.copy()
    X[20] = X[3]
    with pytest.raises(ValueError, match="1/0/0/3 and 2/0/0/8|2/0/0/8 and 1/0/0/3"):
        _outcomes(make_study, people.replace(X=X), tmp_path, {"csp": MODELS["csp"]})
