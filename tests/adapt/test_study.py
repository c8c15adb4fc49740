"""Models of a study that are updated while they are tested: by whom, by what, beside what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.adapt import AdaptingClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.config import Align, Ensemble, Model, Study
from eegvit.data.cache import Cache
from eegvit.deploy.about import refuse
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan, make_plan
from eegvit.results.stored import score
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of

EEGNET = {"kernel_length": 16, "epochs": 2, "batch_size": 8, "device": "cpu"}
HOW = {"learning_rate": 0.01, "window": 4}
PLAIN = Model(branch="eegnet", parameters=EEGNET)
MODELS = {"plain": PLAIN, "updated": PLAIN.model_copy(update={"adapt": HOW})}
CAUSAL = Align(method="euclidean", mode="causal")
TESTED = {"test_subjects": ("3",), "seeds": (2,)}

Run = Callable[..., tuple[Plan, Store]]


@pytest.fixture
def three(make_trials: Callable[..., Trials]) -> Trials:
    """Return three people with two sessions each."""
    return concatenate(
        [
            make_trials(n_trials=12, n_times=128, n_channels=3, subject=who, session=session,
                        seed=2 * int(who) + int(session), contrast=1.5)
            for who in "123"
            for session in "01"
        ]
    )  # fmt: skip


@pytest.fixture
def run(make_study: Callable[..., Study], tmp_path: Path) -> Run:
    def carry_out(
        trials: Trials, models: Any = MODELS, folder: str = "cache", align: Align = CAUSAL,
        ensembles: Any = None, **evaluate: Any,
    ) -> tuple[Plan, Store]:  # fmt: skip
        cache = Cache(tmp_path / folder)
        study = make_study({"any": ("chance", {})}, align=align, **(evaluate or TESTED))
        study = study.model_copy(update={"models": models, "ensembles": ensembles or {}})
        plan = make_plan(study, dict.fromkeys(models, view_of(trials, cache, align)))
        store = Store(cache.fits)
        assert execute(plan, store, cache).failed == 0
        return plan, store

    return carry_out


def told(plan: Plan, store: Store, model: str = "updated") -> np.ndarray:
    """Return the probabilities of the person tested, in the order of the trials."""
    (request,) = [r for r in plan.requests if r.model == model and not r.outer]
    kept = store.load(request.key)
    assert kept is not None
    return kept.select(request.view.ids[request.test], request.view.block_keys[request.test])


def test_it_is_the_classifier_that_is_documented_each_session_anew(three, run: Run) -> None:
    plan, store = run(three)
    (fit,) = [fit for fit in plan.fits.values() if fit.recipe.adapt is not None]
    train, test = fit.view.take(fit.train), fit.view.take(fit.predict)
    model = AdaptingClassifier(model=EEGNetClassifier(**EEGNET), random_state=2, **HOW)
    model.fit(train.X, fit.y)
    own = model.predict_proba(test.X, sessions=test.session)
    np.testing.assert_allclose(told(plan, store), own, atol=1e-6)
    plain, updated = told(plan, store, "plain"), told(plan, store)
    for session in (0, 12):
        first, rest = slice(session, session + 4), slice(session + 4, session + 12)
        np.testing.assert_allclose(updated[first], plain[first], atol=1e-6)
        assert (np.abs(updated[rest] - plain[rest]) > 1e-4).any(axis=1).all()


def test_no_label_and_no_later_trial_of_the_tested_moves_a_prediction(three, run: Run) -> None:
    before = told(*run(three))
    tested = three.subject == "3"
    y, X = three.y.copy(), np.array(three.X)
    y[tested] = np.random.default_rng(0).permutation(1 - y[tested])
    np.testing.assert_array_equal(told(*run(three.replace(y=y), folder="labels")), before)
    last = np.flatnonzero(tested & (three.session == "1"))
    X[last[7:]] = 5 - 2 * X[last[7:]]
    after = told(*run(three.replace(X=X), folder="signals"))
    np.testing.assert_array_equal(after[: 12 + 7], before[: 12 + 7])
    assert (after[12 + 7 :] != before[12 + 7 :]).any(axis=1).all()


@pytest.mark.parametrize(
    ("align", "adapt", "uses"),
    [
        (CAUSAL, {"balanced": False}, "causal"),
        (Align(method="none"), {"balanced": False}, "causal"),
        (Align(method="euclidean"), {"balanced": False}, "unlabelled"),
        (CAUSAL, {}, "causal + class shares"),
        (Align(method="euclidean"), {}, "unlabelled + class shares"),
    ],
)
def test_the_board_says_what_was_used(three, run: Run, align, adapt, uses: str) -> None:
    models = {"plain": PLAIN, "updated": PLAIN.model_copy(update={"adapt": HOW | adapt})}
    plan, store = run(three, models, align=align)
    rows = {row.model: row for row in score(plan.study, plan, store).board}
    assert rows["updated"].target == uses and rows["updated"].status == "ok"
    assert "updated trial by trial" in rows["updated"].branch
    assert rows["plain"].target == (uses.split(" + ")[0] if align.method != "none" else "none")


def test_a_mode_that_allows_nothing_of_the_tested_stops_it(three, run: Run) -> None:
    with pytest.raises(ValueError, match="model 'updated' uses of the people tested: causal"):
        run(three, align=Align(method="none"), cs_mode="train")


def test_the_key_holds_what_it_is_updated_by(three, run: Run) -> None:
    """Other trials of who is tested are another fit; without updates they are the same."""
    tested = np.flatnonzero(three.subject == "3")
    fewer = three[np.setdiff1d(np.arange(len(three)), tested[::5])]
    keys = [
        {r.model: r.key for r in run(trials, folder=str(len(trials)))[0].requests}
        for trials in (three, fewer)
    ]
    assert keys[0]["plain"] == keys[1]["plain"]
    assert keys[0]["updated"] != keys[1]["updated"]


def test_within_a_session_each_stretch_begins_anew_whatever_else_is_planned(three, run) -> None:
    """A fit that serves several stretches would go on from one to the next."""
    whole = {"protocol": "within_session", "n_folds": 3}
    members = {"own": Ensemble(of=("plain", "updated"), rule="weighted")}
    alone = run(three, folder="alone", **whole)
    among = run(three, folder="among", ensembles=members, **whole)
    found = [
        {
            r.split: store.load(r.key).select(r.view.ids[r.test], r.view.block_keys[r.test])
            for r in plan.requests
            if r.model == "updated" and not r.outer
        }
        for plan, store in (alone, among)
    ]
    assert found[0].keys() == found[1].keys() and len(found[0]) > 2
    for split, own in found[0].items():
        np.testing.assert_array_equal(found[1][split], own)


def test_it_goes_around_what_is_pruned_taught_or_fused(three, run: Run) -> None:
    fused = {"branches": ["fbcsp", {"branch": "eegnet", "kernel_length": 16}], **EEGNET}
    fused.pop("kernel_length")
    kinds = {
        "pruned": PLAIN.model_copy(update={"prune": {"to": 0.5, "rounds": 1}}),
        "taught": PLAIN.model_copy(update={"distill": {"from": "csp"}}),
        "pretrained": PLAIN.model_copy(update={"pretrain": {"objective": "masked", "epochs": 1,
                                                            "steps": 4}}),
        "fused": Model(branch="fusion", parameters=fused),
    }  # fmt: skip
    models = {"csp": Model(branch="csp_lda")}
    for name, model in kinds.items():
        models |= {name: model, f"{name}, updated": model.model_copy(update={"adapt": HOW})}
    plan, store = run(three, models)
    for name in kinds:
        plain, updated = told(plan, store, name), told(plan, store, f"{name}, updated")
        np.testing.assert_allclose(updated[:4], plain[:4], atol=1e-6)
        assert (updated[4:12] != plain[4:12]).any(axis=1).all()
    assert len(plan.pretrainings) == 1


def test_it_is_no_decoder(make_study: Callable[..., Study]) -> None:
    study = make_study({"any": ("chance", {})}).model_copy(update={"models": MODELS})
    refuse(study, "plain", "none")
    with pytest.raises(ValueError, match="'updated' is updated while it is tested"):
        refuse(study, "updated", "none")
