"""From cards to views: reading once, overrides of a model, several data sets."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from eegvit import registry
from eegvit.config import Align, Card, Evaluate, Model, Study, View
from eegvit.execute.local import Workers
from eegvit.plan.splits.protocols import splits
from eegvit.sealed import read_mapping, write_sealed
from eegvit.views.arrays import view_of
from eegvit.views.handle import Handle
from eegvit.views.reading import make_views
from eegvit.views.view import stage_seconds


@pytest.fixture
def tiny(monkeypatch):
    """Register a source of two small people; return a function that makes its cards."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.delitem(sys.modules, "steps", raising=False)
    monkeypatch.setitem(registry.SOURCES, "tiny", "steps:TinySource")

    def card(name="one", classes=("a", "b"), **settings):
        settings = {"window": (0.0, 2.0)} | settings
        return Card(name=name, source="tiny", classes=classes, **settings)

    return card


def _study(cards, models, align="none", protocol="cross_subject"):
    return Study(
        name="s",
        data=cards,
        align=Align(method=align),
        evaluate=Evaluate(protocol=protocol),
        models=models,
    )


CSP = Model(branch="csp_lda")


def test_models_with_one_view_share_it_and_others_see_the_same_trials(tiny, cache):
    short = CSP.model_copy(update={"view": View(window=(0.0, 1.0))})
    raw = CSP.model_copy(update={"align": Align(method="none")})
    models = {"a": CSP, "b": CSP, "short": short, "raw": raw}
    views = make_views(_study((tiny(),), models, "euclidean"), cache)
    assert views["a"] is views["b"]
    assert len({id(view) for view in views.values()}) == 3
    assert views["short"].blocks[0].trials.n_times == 32
    assert all(np.array_equal(v.ids, views["a"].ids) for v in views.values())
    assert views["a"].ids[0] == "1/1/0/0" and len(views["a"].blocks) == 4


def test_everything_is_read_once(tiny, cache, monkeypatch):
    from eegvit import data

    study = _study((tiny(),), {"a": CSP}, "euclidean")
    before = make_views(study, cache)["a"]
    monkeypatch.setattr(sys.modules["steps"].TinySource, "read", None)
    again = make_views(study, cache)["a"]
    assert [b.key for b in before.blocks] == [b.key for b in again.blocks]
    assert data.source(study.data[0]).read is None


def test_views_tell_what_they_cost_when_they_were_made(tiny, cache):
    raw = CSP.model_copy(update={"align": Align(method="none")})
    study = _study((tiny(),), {"a": CSP, "b": CSP, "raw": raw}, "euclidean")
    views = make_views(study, cache)
    first = stage_seconds(views.values())
    assert list(first) == ["read", "filter", "align"]
    assert first["read"] > 0 and first["align"] > 0 and first["filter"] == 0  # TinySource has none
    assert stage_seconds(make_views(study, cache).values()) == first  # from the cache
    entries = [read_mapping(p) for p in cache.root.glob("entries/*/*/entry.json")]
    once = sum(seconds for entry in entries for seconds in entry["seconds"].values())
    assert sum(first.values()) == pytest.approx(once)  # what views share is counted once
    assert stage_seconds([views["raw"]])["align"] == 0


def test_entries_that_tell_no_seconds_are_unknown(tiny, cache):
    study = _study((tiny(),), {"a": CSP}, "euclidean")
    make_views(study, cache)
    path = next(
        p
        for p in cache.root.glob("entries/*/*/entry.json")
        if "align" in read_mapping(p)["seconds"]
    )
    write_sealed(path, json.dumps(read_mapping(path) | {"seconds": {}}).encode())
    seconds = stage_seconds(make_views(study, cache).values())
    assert np.isnan(seconds["align"]) and seconds["read"] > 0
    assert np.isnan(list(stage_seconds([]).values())).all()


def test_trials_in_memory_were_read_by_somebody_else(people, cache):
    seconds = stage_seconds([view_of(people, cache, Align(method="euclidean"))])
    assert np.isnan(seconds["read"]) and np.isnan(seconds["filter"]) and seconds["align"] > 0


def test_other_artifacts_for_one_model_are_refused(tiny, cache):
    dropping = CSP.model_copy(update={"view": View(artifacts="drop")})
    with pytest.raises(ValueError, match="model 'b' sets view.artifacts to 'drop'"):
        make_views(_study((tiny(),), {"a": CSP, "b": dropping}), cache)


def test_every_unreadable_person_is_named(tiny, cache):
    card = tiny(subjects=("1", "broken"))
    with pytest.raises(ValueError, match=r"could not be read\n  one broken: the file is cut"):
        make_views(_study((card,), {"a": CSP}), cache)


def test_data_sets_meet_in_their_common_channels_and_classes(tiny, cache):
    cards = (
        tiny("one", ("a", "b", "c")),
        tiny("two", ("b", "a"), options={"seed": 9, "extra": "Pz"}),
    )
    study = _study(cards, {"a": CSP}, "euclidean", "cross_dataset")
    view = make_views(study, cache)["a"]
    assert view.classes == ("a", "b") and view.ch_names == ("C3", "C4")
    assert set(view.subject) == {"one:1", "one:2", "two:1", "two:2"}
    unaligned = make_views(_study(cards, {"a": CSP}, "none", "cross_dataset"), cache)["a"]
    first, last = unaligned.blocks[0].trials, unaligned.blocks[-1].trials
    assert first.index.tolist() == [0, 1, 3, 4, 6, 7, 9, 10]
    assert first.labels.tolist() == ["a", "b"] * 4 and last.labels.tolist() == ["b", "a"] * 6
    source = sys.modules["steps"].TinySource(cards[1], seed=9, extra="Pz")
    assert np.array_equal(last.X, source.read("2")[1].X[:, [2, 1]])
    found = splits(view, study.evaluate)
    assert [set(view.data[s.test]) for s in found] == [{"one"}, {"two"}]
    explicit = Evaluate(protocol="cross_dataset", train_data=("two",), test_data=("one",))
    (split,) = splits(view, explicit)
    assert set(view.data[split.train]) == {"two"}
    with pytest.raises(ValueError, match="1 classes in common"):
        cards = (cards[0], tiny("two", ("c", "d")))
        make_views(_study(cards, {"a": CSP}, protocol="cross_dataset"), cache)


def test_people_are_read_in_workers(data_dir, cache):
    card = Card(
        name="real",
        source="files",
        options={
            "root": str(data_dir / "bci_iv_2b"),
            "pattern": "sub-{subject}_ses-{session}_epo.fif",
        },
        classes=("left_hand", "right_hand"),
        channels=("C3", "Cz", "C4"),
        window=(0.5, 2.5),
        subjects=("02",),
    )
    with Workers(jobs=1) as workers:
        view = make_views(_study((card,), {"a": CSP}, "euclidean"), cache, workers)["a"]
    assert len(view.blocks) == 5 and len(view) == 600 and view.ch_names == ("C3", "Cz", "C4")


@pytest.mark.parametrize("mode", ["r", "c"])
def test_a_mapped_file_is_used_in_place_unless_memory_differs_from_it(
    mode, people, cache, tmp_path
):
    np.save(tmp_path / "X.npy", people.X)
    X = np.load(tmp_path / "X.npy", mmap_mode=mode)
    if mode == "c":
        X[0] *= 2  # copy on write: the file does not know
    view = view_of(people.replace(X=X), cache)
    in_place = [Handle.of(block.trials.X).path == str(tmp_path / "X.npy") for block in view.blocks]
    assert in_place == [mode == "r"] * 3
    seen = np.concatenate([Handle.of(block.trials.X).open() for block in view.blocks])
    np.testing.assert_array_equal(seen, X)
    copied = view_of(people.replace(X=np.array(X)), cache)
    assert view.block_keys.tolist() == copied.block_keys.tolist()


def test_people_and_sessions_may_take_turns(people, cache):
    order = np.arange(len(people)).reshape(3, 24).T.ravel()  # one trial of each in turn
    session = np.where(people.index % 2, "1", "0")
    mixed = people.replace(session=session)[order]
    view, expected = (view_of(trials, cache) for trials in (mixed, people.replace(session=session)))
    assert len(view.blocks) == 6
    places = {name: i for i, name in enumerate(expected.ids.tolist())}
    found = view.take(np.arange(len(view)))
    rows = np.array([places[name] for name in view.ids.tolist()])
    np.testing.assert_array_equal(found.X, expected.take(np.arange(len(view))).X[rows])
