"""Models that see each session from a mean of its own: by what, by whom, what the board says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eegvit.adapt import AdaptingClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.pipeline import PipelineClassifier
from eegvit.branches.spd import SPDNetClassifier
from eegvit.branches.tangent import FBTangentSpaceClassifier
from eegvit.compress import DistilledClassifier
from eegvit.config import Align, Study, StudyErrors, load_study
from eegvit.data.cache import Cache
from eegvit.deploy.decoder import Decoder
from eegvit.ensemble import EnsembleClassifier
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan, make_plan
from eegvit.pretrain import FineTunedClassifier
from eegvit.results.stored import score
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of

SPD = {"epochs": 2, "batch_size": 16, "device": "cpu"}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("fb_tangent_space", {}),
    "session": ("fb_tangent_space", {"mean_of": "session"}),
    "causal": ("fb_tangent_space", {"mean_of": "causal"}),
    "spd": ("spd", SPD),
    "spd-session": ("spd", SPD | {"mean_of": "session"}),
    "spd-biased": ("spd", SPD | {"mean_of": "session", "bias": "information"}),
}
WHOLE = ("session", "spd-session", "spd-biased")
TESTED = {"test_subjects": ("3",), "seeds": (2,)}
Run = Callable[..., tuple[Plan, Store]]


@pytest.fixture
def three(make_trials: Callable[..., Trials]) -> Trials:
    """Return three people with two sessions each."""
    return concatenate(
        [
            make_trials(n_trials=16, n_times=128, n_channels=3, subject=who, session=session,
                        seed=2 * int(who) + int(session), contrast=1.5)
            for who in "123"
            for session in "01"
        ]
    )  # fmt: skip


@pytest.fixture
def run(make_study: Callable[..., Study], tmp_path: Path) -> Run:
    def carry_out(
        trials: Trials, names: Any = MODELS, folder: str = "cache", align: str = "none",
        **evaluate: Any,
    ) -> tuple[Plan, Store]:  # fmt: skip
        cache, aligned = Cache(tmp_path / folder), Align(method=align)
        asked = {name: MODELS[name] for name in names}
        study = make_study(asked, align=aligned, **TESTED | evaluate)
        plan = make_plan(study, dict.fromkeys(asked, view_of(trials, cache, aligned)))
        store = Store(cache.fits)
        assert execute(plan, store, cache).failed == 0
        return plan, store

    return carry_out


def told(plan: Plan, store: Store) -> dict[str, np.ndarray]:
    """Return each model's probabilities of the person tested, in the order of the trials."""
    found = {}
    for request in plan.requests:
        kept = store.load(request.key)
        assert kept is not None
        ids, blocks = request.view.ids, request.view.block_keys
        found[request.model] = kept.select(ids[request.test], blocks[request.test])
    return found


def test_a_fit_is_the_estimator_that_is_documented(three: Trials, run: Run) -> None:
    found = told(*run(three))
    train, test = three[three.subject != "3"], three[three.subject == "3"]
    sessions = np.char.add(train.subject, train.session)
    for name in ("session", "causal"):
        model = FBTangentSpaceClassifier(sfreq=128.0, **MODELS[name][1])
        model.fit(train.X, train.y, sessions=sessions)
        own = model.predict_proba(test.X, sessions=test.session)
        np.testing.assert_allclose(found[name], own, atol=1e-6)
    for name in ("spd-session", "spd-biased"):
        network = SPDNetClassifier(**MODELS[name][1], random_state=2)
        network.fit(train.X, train.y, groups=train.subject)
        own = network.predict_proba(test.X, sessions=test.session)
        np.testing.assert_allclose(found[name], own, atol=1e-6)
    for one, other in (("plain", "session"), ("session", "causal"), ("spd", "spd-session"),
                       ("spd-session", "spd-biased")):  # fmt: skip
        assert np.abs(found[one] - found[other]).max() > 1e-3


def test_no_label_and_no_later_trial_of_the_tested_moves_a_prediction(three, run: Run) -> None:
    before = told(*run(three))
    tested = three.subject == "3"
    y, X = three.y.copy(), np.array(three.X)
    y[tested] = np.random.default_rng(0).permutation(1 - y[tested])
    for name, own in told(*run(three.replace(y=y), folder="labels")).items():
        np.testing.assert_array_equal(own, before[name])
    last = np.flatnonzero(tested & (three.session == "1"))
    X[last[7:]] = 5 - 2 * X[last[7:]]
    after = told(*run(three.replace(X=X), folder="signals"))
    for name, same in [("plain", 16 + 7), ("causal", 16 + 7), *((name, 16) for name in WHOLE)]:
        np.testing.assert_allclose(after[name][:same], before[name][:same], atol=1e-12)
        assert (after[name][same:] != before[name][same:]).any(axis=1).all()


def test_a_person_s_gains_are_undone_for_that_person_alone(three: Trials, run: Run) -> None:
    names, tested = ("plain", *WHOLE), three.subject == "3"
    before = told(*run(three, names))
    X = np.where(tested[:, None, None], 9 * three.X, three.X)
    after = told(*run(three.replace(X=X), names, folder="moved"))
    for name in WHOLE:
        np.testing.assert_allclose(after[name], before[name], atol=2e-3)
    assert np.abs(after["plain"] - before["plain"]).max() > 0.01


def test_the_board_says_what_was_used(three: Trials, run: Run) -> None:
    plan, store = run(three)
    rows = {row.model: row.target for row in score(plan.study, plan, store).board}
    assert rows == {
        "plain": "none",
        "spd": "none",
        "causal": "causal",
        "session": "unlabelled",
        "spd-session": "unlabelled",
        "spd-biased": "unlabelled + class shares",
    }
    with pytest.raises(ValueError, match="'session' uses of the people tested: unlabelled"):
        run(three, ["session"], cs_mode="train")


def test_a_fit_knows_tested_trials_only_where_they_change_it(three: Trials, run: Run) -> None:
    """Features of a session hold its mean; a network's predictions hold the trials of theirs."""
    tested = np.flatnonzero(three.subject == "3")
    fewer = three[np.setdiff1d(np.arange(len(three)), tested[::5])]
    names = ("session", "spd", "spd-session")
    keys = [
        {r.model: r.key for r in run(trials, names, folder=str(len(trials)))[0].requests}
        for trials in (three, fewer)
    ]
    same = {name for name in names if keys[0][name] == keys[1][name]}
    assert same == {"session", "spd"}
    found = [told(*run(t, ["session"], folder=str(len(t))))["session"] for t in (three, fewer)]
    rest = np.setdiff1d(np.arange(32), np.arange(32)[::5])
    assert np.abs(found[0][rest] - found[1]).max() > 1e-4


def test_where_sessions_are_not_known_it_is_refused(three: Trials) -> None:
    own = {"branch": "fb_tangent_space", "mean_of": "session"}
    with pytest.raises(ValueError, match="FBTangentSpaceClassifier sees each session by itself"):
        FusionClassifier(branches=[own, "eegnet"], sfreq=128.0).fit(three.X, three.y)
    members = {"own": FBTangentSpaceClassifier(mean_of="session", sfreq=128.0)}
    with pytest.raises(ValueError, match="which trials are of one is not known here"):
        EnsembleClassifier(members=members).fit(three.X, three.y, groups=three.subject)
    network = SPDNetClassifier(**SPD, mean_of="session")
    with pytest.raises(ValueError, match="updates go trial by trial: take one of the two"):
        AdaptingClassifier(model=network).fit(three.X, three.y)
    late = [
        {"from": "pyriemann.estimation.XdawnCovariances"},
        {"from": "eegvit.features.tangent.SeenFromOwnMean"},
        {"from": "pyriemann.classification.MDM"},
    ]
    with pytest.raises(ValueError, match="steps before it must learn nothing"):
        PipelineClassifier(steps=late).per_trial()
    steps = [{"from": "pyriemann.estimation.Covariances"}, *late[1:]]
    assert PipelineClassifier(steps=steps).uses_of_session() == {"unlabelled"}


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_network_inside_another_classifier_sees_a_session_so_too(three: Trials) -> None:
    network = SPDNetClassifier(**SPD, mean_of="session", bias="information")
    model = DistilledClassifier(model=network, teacher="mdm")
    assert model.by_session() and model.uses_of_session() == {"unlabelled", "class shares"}
    told = model.fit(three.X, three.y, groups=three.subject).predict_proba(three.X[:16])
    np.testing.assert_allclose(model.predict_proba(9 * three.X[:16]), told, atol=2e-3)
    with pytest.raises(ValueError, match="SPDNetClassifier cannot be pretrained: its norm has"):
        FineTunedClassifier(model=network).fit(three.X, three.y)


def test_a_bias_without_the_mean_of_a_session_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: wrong\ndata: bci_iv_2b\nmodels:\n  spd: {branch: spd, bias: information}\n"
    )
    with pytest.raises(StudyErrors, match=r"study.yaml:4: models.spd.bias: a bias is learned"):
        load_study(path)


@pytest.mark.parametrize("name", ["session", "causal", "spd-biased"])
def test_a_decoder_sees_a_recording_from_its_mean_and_is_no_live_one(
    three: Trials, name: str, tmp_path: Path
) -> None:
    branch, parameters = MODELS[name]
    study = {"name": "own", "models": {"own": {"branch": branch, **parameters}}}
    decoder = Decoder.fit(study, "own", data=three, jobs=0, cache=tmp_path)
    decoder.save(tmp_path / "own.eegvit")
    again, new = Decoder.load(tmp_path / "own.eegvit"), three[:16]
    if branch == "spd":
        expected = SPDNetClassifier(**parameters).fit(three.X, three.y, groups=three.subject)
    else:
        expected = FBTangentSpaceClassifier(sfreq=128.0, **parameters)
        expected.fit(three.X, three.y, sessions=np.char.add(three.subject, three.session))
    for each in (decoder, again):
        found = each.predict(new.X).probabilities
        np.testing.assert_allclose(found, expected.predict_proba(new.X), atol=1e-4)
    with pytest.raises(ValueError, match="sees a session from the mean of its trials"):
        decoder.causal()
