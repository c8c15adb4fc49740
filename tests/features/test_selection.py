"""Selection by mutual information, with pairs kept together."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.features.selection import PairSelection, mutual_information


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def by_hand(x: np.ndarray, codes: np.ndarray, n_bins: int) -> float:
    """Return the mutual information of one feature by counting in loops."""
    edges = [np.quantile(x, i / n_bins) for i in range(1, n_bins)]
    bins = [sum(value >= edge for edge in edges) for value in x]
    n, total = len(x), 0.0
    for b in range(n_bins):
        for c in set(codes.tolist()):
            joint = sum(bins[i] == b and codes[i] == c for i in range(n)) / n
            if joint > 0:
                p_bin = sum(one == b for one in bins) / n
                p_class = sum(one == c for one in codes) / n
                total += joint * np.log(joint / (p_bin * p_class))
    return total


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("n_bins", [3, 12])
def test_mutual_information_is_what_counting_gives(rng, n_classes, n_bins) -> None:
    codes = rng.integers(n_classes, size=70)
    X = rng.standard_normal((70, 5))
    X[:, 1] += codes
    X[:, 2] = np.round(X[:, 2])  # ties
    X[:, 3] = 1.0
    expected = [by_hand(x, codes, n_bins) for x in X.T]
    np.testing.assert_allclose(mutual_information(X, codes, n_bins), expected, atol=1e-12)
    assert mutual_information(X, codes, n_bins)[3] == 0


def test_the_order_and_scale_of_trials_do_not_matter(rng) -> None:
    codes = rng.integers(2, size=50)
    X = rng.standard_normal((50, 3))
    order = rng.permutation(50)
    told = mutual_information(X, codes)
    np.testing.assert_allclose(mutual_information(X[order], codes[order]), told)
    np.testing.assert_allclose(mutual_information(np.exp(X), codes), told)


def planted(rng, where, n_sets=1, n_classes=2):
    """Return features (n, 9 bands, sets, 4), telling at (band, set, component) only."""
    y = np.arange(120) % n_classes
    X = rng.standard_normal((120, 9, n_sets, 4))
    for band, s, component in where:
        target = (y == s) if n_sets > 1 else y
        X[:, band, s, component] += 3.0 * target
    return X, y


def test_planted_features_are_found_with_their_pairs(rng) -> None:
    X, y = planted(rng, [(5, 0, 3), (2, 0, 1)])
    selection = PairSelection(n_selected=2).fit(X, y)
    chosen = {tuple(map(int, at)) for at in np.argwhere(selection.chosen_)}
    assert chosen == {(5, 0, 3), (5, 0, 0), (2, 0, 1), (2, 0, 2)}
    np.testing.assert_array_equal(selection.transform(X), X[:, selection.chosen_])


def test_both_of_a_pair_count_once(rng) -> None:
    X, y = planted(rng, [(4, 0, 0), (4, 0, 3)])
    chosen = PairSelection(n_selected=2).fit(X, y).chosen_
    assert {tuple(map(int, at)) for at in np.argwhere(chosen)} == {(4, 0, 0), (4, 0, 3)}


def test_each_set_chooses_for_its_own_class(rng) -> None:
    where = [(1, 0, 0), (3, 1, 1), (7, 2, 3)]
    X, y = planted(rng, where, n_sets=3, n_classes=3)
    chosen = PairSelection(n_selected=1).fit(X, y).chosen_
    expected = {(b, s, c) for b, s, c in where} | {(b, s, 3 - c) for b, s, c in where}
    assert {tuple(map(int, at)) for at in np.argwhere(chosen)} == expected


def test_what_tells_only_other_classes_apart_is_not_chosen(rng) -> None:
    X, y = planted(rng, [], n_sets=3, n_classes=3)
    X[:, 1, 0, 0] += 1.2 * (y == 0)
    X[:, 6, 0, 1] += 9.0 * np.where(y == 0, rng.integers(1, 3, len(y)), y)
    chosen = PairSelection(n_selected=1).fit(X, y).chosen_
    assert {tuple(map(int, at)) for at in np.argwhere(chosen[:, 0])} == {(1, 0), (1, 3)}


@pytest.mark.parametrize("n_selected", [1, 4, 9])
def test_chosen_features_are_always_whole_pairs(rng, n_selected) -> None:
    X, y = planted(rng, [])
    chosen = PairSelection(n_selected=n_selected).fit(X, y).chosen_
    np.testing.assert_array_equal(chosen, chosen[..., ::-1])
    assert n_selected <= chosen.sum() <= 2 * n_selected


def test_none_keeps_all(rng) -> None:
    X, y = planted(rng, [])
    assert PairSelection(n_selected=None).fit(X, y).transform(X).shape == (120, 36)
