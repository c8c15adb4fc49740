"""All pairs of a leaderboard: who is told apart, in which order the rows ever come."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from eegvit.config import Card, Evaluate, Model, Study
from eegvit.results.families import Family, against, families
from eegvit.results.leaderboard import BoardRow, make_board
from eegvit.results.results import tabulate
from eegvit.results.statistics.flips import sign_flip
from eegvit.results.statistics.power import detectable

CARD = Card(name="made", source="arrays", classes=("a", "b"), window=(0, 1))


def board_of(scores: Mapping[str, np.ndarray], metric: str = "accuracy") -> list[BoardRow]:
    """Return rows that have these scores (people, seeds), ranked."""
    study = Study(
        name="made",
        data=(CARD,),
        models={name: Model(branch="chance") for name in scores},
        evaluate=Evaluate(metric=metric),
    )
    empty = make_board(study, [], {})
    rows = []
    sign = 1 if metric == "log_loss" else -1
    order = sorted(scores, key=lambda name: sign * scores[name].mean())
    for rank, name in enumerate(order, 1):
        row = next(r for r in empty if r.model == name)
        table = scores[name].reshape(len(scores[name]), -1)
        people = [str(i) for i in range(len(table))]
        known = {
            "rank": rank,
            "status": "ok",
            "n_seeds": table.shape[1],
            "subjects": dict(zip(people, table.mean(axis=1).tolist(), strict=True)),
            "by_seed": {
                k: dict(zip(people, table[:, k].tolist(), strict=True))
                for k in range(table.shape[1])
            },
        }
        rows.append(BoardRow(**{**vars(row), **known}))
    return rows


def family_of(scores: Mapping[str, np.ndarray], metric: str = "accuracy") -> Family:
    (found,) = families(board_of(scores, metric), metric)
    return found


@pytest.mark.parametrize("order", [("good", "poor"), ("poor", "good")])
@pytest.mark.parametrize("metric", ["accuracy", "log_loss"])
def test_a_winner_on_24_of_25_people_is_the_winner_in_both_orders(
    order: tuple[str, str], metric: str
) -> None:
    people = np.random.default_rng(0).uniform(0.5, 0.8, 25)
    gain = np.r_[np.full(24, 0.03), -0.01] * (-1 if metric == "log_loss" else 1)
    scores = {"poor": people, "good": people + gain}
    found = family_of({name: scores[name] for name in order}, metric)
    (pair,) = found.pairs
    assert (pair.first, pair.other) == ("good", "poor")
    assert (pair.wins, pair.ties, pair.losses) == (24, 0, 1)
    assert pair.p == 4 / 2**25 and pair.p_holm < 0.05
    assert found.standings["good"].letters == "a" and found.standings["poor"].letters == "b"
    assert (found.standings["good"].low, found.standings["good"].high) == (1, 1)
    assert abs(pair.effect) == pytest.approx(abs(gain.mean()) / gain.std(ddof=1))


def test_two_models_that_differ_by_noise_are_joined() -> None:
    rng = np.random.default_rng(1)
    people = rng.uniform(0.5, 0.8, 20)
    scores = {
        "one": people + rng.normal(0, 0.02, 20),
        "two": people + rng.normal(0, 0.02, 20),
        "far": people - 0.2,
    }
    found = family_of(scores)
    letters = {name: found.standings[name].letters for name in scores}
    assert letters["one"] == letters["two"] == "a" and letters["far"] == "b"
    assert found.standings["one"].high == found.standings["two"].high == 2
    assert found.friedman is not None and found.friedman.p < 0.001
    first, second, third = found.models
    assert third == "far" and found.against_first(first) is None
    assert [found.against_first(name) for name in (second, third)] == list(found.pairs[:2])


def test_noise_is_joined_in_nearly_all_studies() -> None:
    rng = np.random.default_rng(2)
    apart = 0
    for _ in range(100):
        found = family_of({name: rng.normal(0.7, 0.05, 8) for name in "abcd"})
        apart += len({s.letters for s in found.standings.values()}) > 1
    assert apart <= 10  # Holm keeps it at five of a hundred


def test_people_who_are_equal_are_ties_whatever_rounding_does() -> None:
    found = family_of({"one": np.array([0.1 + 0.2, 0.5, 0.9]), "two": np.array([0.3, 0.5, 0.1])})
    (pair,) = found.pairs
    assert (pair.wins, pair.ties, pair.losses) == (1, 2, 0)


def test_seeds_widen_a_pair_and_are_not_counted_as_people() -> None:
    rng = np.random.default_rng(3)
    people = rng.uniform(0.5, 0.8, (10, 1))
    seeds = np.array([[-0.05, 0.0, 0.05]])
    scores = {"net": people + 0.02 + seeds, "csp": np.repeat(people, 3, axis=1)}
    (pair,) = family_of(scores).pairs
    assert pair.n_subjects == 10 and pair.p == sign_flip([0.02] * 10) == 2 / 2**10
    assert pair.both_high - pair.both_low > 0.05 > pair.high - pair.low
    (alone,) = family_of({name: table[:, :1] for name, table in scores.items()}).pairs
    assert np.isnan(alone.both_low)


def test_a_reference_is_compared_with_all_rows_by_one_family() -> None:
    people = np.random.default_rng(4).uniform(0.5, 0.8, 9)
    board = board_of({"a": people + 0.1, "b": people + 0.02, "c": people})
    found = against(board, "b", "accuracy")
    assert [(p.first, p.other) for p in found] == [("a", "b"), ("c", "b")]
    assert [round(p.difference, 6) for p in found] == [0.08, -0.02]
    assert all(p.p == 2 / 2**9 and p.p_holm == 4 / 2**9 for p in found)
    assert (found[1].wins, found[1].losses) == (0, 9)
    assert against(board, None, "accuracy") == against(board, "gone", "accuracy") == ()


def test_one_row_and_no_rows_have_no_pairs() -> None:
    found = family_of({"alone": np.array([0.5, 0.6, 0.7, 0.8, 0.9])})
    assert found.pairs == () and found.friedman is None
    assert found.standings["alone"].letters == "a" and np.isnan(found.detectable)
    study = Study(name="made", data=(CARD,), models={"m": Model(branch="chance")})
    (empty,) = tabulate(study, ("a", "b"), []).families
    assert empty.models == () and empty.standings == {}


def test_what_could_have_been_found_follows_from_the_middle_spread() -> None:
    rng = np.random.default_rng(0)
    tables = {name: rng.uniform(0.4, 0.9, 12) for name in "abc"}
    found = family_of(tables)
    spread = float(np.median([pair.sd for pair in found.pairs]))
    assert found.detectable == detectable(spread, 12) > 0.05
