"""CPU seconds by stage: each second counted once, kept beside what it made."""

from __future__ import annotations

import json
import time

import mne
import numpy as np
import pytest

from eegvit.config import Card
from eegvit.data import read_subject, recipe_of
from eegvit.data.cache import Cache
from eegvit.data.epoching import runs
from eegvit.data.stages import measured, stage
from eegvit.sealed import read_sealed, write_sealed


def spend(seconds: float) -> None:
    """Keep the processor busy."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def test_a_stage_within_another_counts_for_itself_only() -> None:
    with measured("read") as seconds:
        spend(0.02)
        for _ in range(2):
            with stage("filter"):
                spend(0.03)
                with stage("align"):
                    spend(0.02)
        with stage("read"):
            spend(0.01)
    assert seconds == pytest.approx({"read": 0.03, "filter": 0.06, "align": 0.04}, abs=0.008)


def test_waiting_costs_nothing_and_errors_end_a_stage() -> None:
    with pytest.raises(ValueError, match="cut"), measured("read") as seconds:
        time.sleep(0.05)
        with stage("filter"):
            raise ValueError("the file is cut")
    assert sum(seconds.values()) < 0.02
    with stage("filter"):  # nobody measures
        spend(0.01)
    assert sum(seconds.values()) < 0.02


def test_the_cache_keeps_the_seconds_of_what_it_made(cache: Cache) -> None:
    def make() -> list[np.ndarray]:
        with stage("filter"):
            spend(0.02)
        return [np.zeros(3)]

    recipe = {"what": "x"}
    assert cache.seconds(recipe) == {}
    cache.arrays(recipe, make, "read")
    cache.arrays(recipe, make, "read")
    found = Cache(cache.root).seconds(recipe)
    assert found == pytest.approx({"read": 0.0, "filter": 0.02}, abs=0.008)
    (path,) = cache.root.glob("entries/*/*/entry.json")
    entry = json.loads(read_sealed(path))
    del entry["seconds"]
    write_sealed(path, json.dumps(entry).encode())  # as it was before seconds were kept
    assert cache.seconds(recipe) == {}
    assert cache.arrays(recipe, make)[0].shape == (3,)


def test_reading_and_filtering_are_told_apart(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card(
        name="two",
        source="simulated",
        classes=("left_hand", "right_hand"),
        channels=("C3", "Cz", "C4"),
        band=(4, 40),
        window=(0.5, 3.5),
        options={"n_subjects": 1, "n_sessions": 1, "n_trials": 8, "n_runs": 2},
    )

    def slowly(signals: np.ndarray, *_: object, **__: object) -> np.ndarray:
        spend(0.5)
        return signals

    def cut_slowly(*arguments: object) -> np.ndarray:
        spend(0.05)
        return segment(*arguments)

    segment = runs.segment
    monkeypatch.setattr(mne.filter, "filter_data", slowly)
    monkeypatch.setattr(runs, "segment", cut_slowly)
    before = time.process_time()
    read_subject(card, "1", cache)
    whole = time.process_time() - before
    spent = cache.seconds(recipe_of(card, "1"))
    assert spent.keys() == {"read", "filter"}
    assert spent["filter"] > 2 * 0.5 + 8 * 0.05 and spent["read"] > 0
    assert sum(spent.values()) <= whole
