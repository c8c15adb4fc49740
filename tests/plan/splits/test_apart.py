"""No recording on both sides of a split: every protocol, every change, all three ways."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from eegvit.config import Align, Ensemble, Evaluate
from eegvit.data.cache import Cache
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.plan.splits.inner_splits import inner_splits
from eegvit.plan.splits.protocols import splits
from eegvit.report.words import target_use
from eegvit.results.stored import outcomes
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of

CHANGES = {
    "scaled": lambda x: 2 * x,
    "rounded": np.round,
    "shifted": lambda x: np.roll(x, 1, axis=-1),
    "inverted": lambda x: -x,
    "noisy": lambda x: x * (1 + 1e-9 * np.random.default_rng(0).standard_normal(x.shape)),
}
# who holds the original and who the copy: people are 1 to 4, with sessions 0 and 1
PLANTED = {
    "within_session": ((("1", "0"), 0), (("1", "0"), 11)),
    "cross_session": ((("1", "0"), 3), (("1", "1"), 5)),
    "cross_subject": ((("1", "0"), 3), (("3", "1"), 5)),
    "cross_dataset": ((("2", "0"), 3), (("3", "1"), 5)),
}


@pytest.fixture
def people(make_trials) -> Trials:
    return concatenate(
        [
            make_trials(subject=s, session=t, n_trials=12, seed=10 * int(s) + int(t))
            for s in "1234"
            for t in "01"
        ]
    )


def row(trials: Trials, who: tuple[str, str], index: int) -> int:
    of = (trials.subject == who[0]) & (trials.session == who[1]) & (trials.index == index)
    return int(np.flatnonzero(of)[0])


def planted(trials: Trials, protocol: str, change: str) -> tuple[Trials, int, int]:
    """Return trials with a copy in them, and the rows of both."""
    original, copy = (row(trials, *place) for place in PLANTED[protocol])
    X = trials.X.copy()
    X[copy] = CHANGES[change](X[original].astype(float))
    return trials.replace(X=X), original, copy


def viewed(trials: Trials, cache: Cache, protocol: str, align: Align | None = None):
    view = view_of(trials, cache, align or Align(method="none"))
    if protocol != "cross_dataset":
        return view
    named = [replace(b, data="one" if b.subject in "12" else "two") for b in view.blocks]
    return replace(view, blocks=tuple(named))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("protocol", PLANTED)
def test_a_changed_copy_stops_every_protocol(people, cache, protocol, change):
    trials, original, copy = planted(people, protocol, change)
    view = viewed(trials, cache, protocol, Align(method="euclidean"))
    with pytest.raises(ValueError, match="same stretch of a recording is trained on") as error:
        splits(view, Evaluate(protocol=protocol))
    assert view.ids[original] in str(error.value) and view.ids[copy] in str(error.value)


@pytest.mark.parametrize("protocol", PLANTED)
def test_copies_are_left_out_or_told(people, cache, protocol):
    trials, original, copy = planted(people, protocol, "scaled")
    view = viewed(trials, cache, protocol)
    before = splits(viewed(people, cache, protocol), Evaluate(protocol=protocol))
    with pytest.warns(UserWarning, match="2 trials are in the data under two names and kept"):
        told = splits(view, Evaluate(protocol=protocol, duplicates="warn"))
    with pytest.warns(UserWarning, match="left out of training"):
        after = splits(view, Evaluate(protocol=protocol, duplicates="drop"))
    lost = set()
    for one, same, other in zip(before, told, after, strict=True):
        assert np.array_equal(one.train, same.train) and np.array_equal(one.test, same.test)
        assert not ({original, copy} & set(other.train) and {original, copy} & set(other.test))
        lost |= set(np.setdiff1d(one.train, other.train))
    assert lost <= {original, copy} and lost


@pytest.mark.parametrize("protocol", ["within_session", "cross_session", "cross_subject"])
def test_a_recording_under_two_people_is_tested_once(make_trials, cache, protocol):
    own = [make_trials(subject="1", session=t, n_trials=20, seed=int(t)) for t in "01"]
    again = [t.replace(X=-2 * t.X, subject=np.full(20, "2")) for t in own]
    other = [make_trials(subject="3", session=t, n_trials=20, seed=5 + int(t)) for t in "01"]
    view = view_of(concatenate([*own, *again, *other]), cache)
    with pytest.raises(ValueError, match="under two names"):
        splits(view, Evaluate(protocol=protocol))
    with pytest.warns(UserWarning, match="the second time"):
        found = splits(view, Evaluate(protocol=protocol, duplicates="drop"))
    assert {who for s in found for who in view.subject[s.test]} == {"1", "3"}
    if protocol == "cross_subject":
        assert {who for s in found[:1] for who in view.subject[s.train]} == {"3"}


def test_copies_raise_a_score_unless_they_are_left_out(make_study, make_trials, cache, tmp_path):
    people = concatenate(
        [make_trials(subject=s, n_trials=40, n_channels=20, seed=int(s), contrast=0) for s in "123"]
    )
    X = people.X.copy()
    mine, theirs = np.flatnonzero(people.subject == "1"), np.flatnonzero(people.subject == "2")
    theirs = theirs[np.argsort(people.y[theirs], kind="stable")]
    X[theirs] = -2 * X[mine[np.argsort(people.y[mine], kind="stable")]]
    view = view_of(people.replace(X=X), cache)
    scores = {}
    for how in ("stop", "warn", "drop"):
        study = make_study({"csp": ("csp_lda", {})}, test_subjects=("1",), duplicates=how)
        if how == "stop":
            with pytest.raises(ValueError, match="40 trials are tested although"):
                make_plan(study, {"csp": view})
            continue
        with pytest.warns(UserWarning, match=f"duplicates: {how}"):
            plan = make_plan(study, {"csp": view})
        store = Store(tmp_path / how)
        execute(plan, store, cache)
        (outcome,) = outcomes(plan, store)
        scores[how] = float(np.mean(outcome.probabilities.argmax(axis=1) == outcome.y))
        assert outcome.target == ("copies" if how == "warn" else "none")
    assert "Copies of tested trials" in target_use("copies")
    assert scores["warn"] > 0.75 and scores["drop"] < 0.65, scores


def test_people_read_from_one_file_are_one_person(people, cache):
    view = viewed(people, cache, "cross_dataset")
    files = {"2": "1f", "3": "1f", "1": "2e", "4": "3d"}
    blocks = [replace(b, files=frozenset([files[b.subject], "all"])) for b in view.blocks]
    view = replace(view, blocks=tuple(blocks))
    with pytest.raises(ValueError, match="24 trials are tested although"):
        splits(view, Evaluate(protocol="cross_dataset"))
    with pytest.warns(UserWarning, match="left out of training"):
        found = splits(view, Evaluate(protocol="cross_dataset", duplicates="drop"))
    assert [set(view.subject[s.train]) for s in found] == [{"4"}, {"1"}]
    assert [set(view.subject[s.test]) for s in found] == [{"1", "2"}, {"4"}]


def continuous(make_trials, step: int, n: int = 40) -> Trials:
    """Return trials of 2 s that begin every `step` samples of one recording."""
    raw = make_trials(n_trials=1, n_times=step * n + 256, contrast=0).X[0]
    trials = make_trials(n_trials=n)
    cut = np.stack([raw[:, i * step : i * step + 256] for i in range(n)])
    return trials.replace(X=cut)


def test_overlapping_trials_are_on_one_side(make_trials, cache):
    view = view_of(continuous(make_trials, 100), cache)
    with pytest.warns(
        UserWarning, match=r"trials last 2 s, longer .*: 40 of 40 share .* In 5 of 5"
    ):
        found = splits(view, Evaluate(protocol="within_session"))
    for split in found:
        assert np.abs(split.train[:, None] - split.test).min() > 2  # 100, 200, not 300 samples
    assert sorted(np.concatenate([s.test for s in found]).tolist()) == list(range(40))
    for part in inner_splits(view, Evaluate(protocol="within_session"), found[1], found):
        assert np.abs(part.train[:, None] - part.test).min() > 2
    apart = view_of(continuous(make_trials, 256), cache)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = splits(apart, Evaluate(protocol="within_session"))
    assert all(len(s.train) + len(s.test) == 40 for s in found)


def test_labelled_trials_of_the_target_overlap_none_that_is_tested(make_trials, cache):
    one = continuous(make_trials, 100)
    view = view_of(concatenate([one, make_trials(subject="2", seed=9)]), cache)
    evaluate = Evaluate(protocol="cross_subject", test_subjects=("1",), calibrate=4)
    (split,) = splits(view, evaluate)
    taken = split.train[view.subject[split.train] == "1"]
    assert np.bincount(view.y[taken]).tolist() == [4, 4]
    assert np.abs(taken[:, None] - split.test).min() > 2 and len(split.test) > 20


def test_inner_splits_of_ensembles_are_apart_too(people, make_study, cache):
    trials, original, copy = planted(people, "cross_subject", "scaled")
    view = view_of(trials, cache)
    study = make_study(
        {"a": ("csp_lda", {}), "b": ("mdm", {})}, test_subjects=("4",), duplicates="drop"
    ).model_copy(update={"ensembles": {"meta": Ensemble(of=("a", "b"), rule="meta")}})
    for fit in make_plan(study, {"a": view, "b": view}).fits.values():
        sides = [bool({original, copy} & set(rows)) for rows in (fit.train, fit.predict)]
        assert sides != [True, True] or {original, copy} <= set(fit.train)
    with pytest.raises(ValueError, match="same stretch"):
        stopped = study.model_copy(update={"evaluate": Evaluate(test_subjects=("4",))})
        make_plan(stopped, {"a": view, "b": view})
