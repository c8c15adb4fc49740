"""How much each judge counts, by what it says of people who were left out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from eegvit.networks.efficientvit.lines import PENALTY, Lines, said_of_left_out
from eegvit.networks.efficientvit.shares import LEAST_PEOPLE, N_PARTS, effects, parts_of, shares


def judged(n: int = 400, n_classes: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of a good, a poor and a useless judge, and the classes."""
    random = torch.Generator().manual_seed(0)
    y = torch.arange(n) % n_classes
    noise = torch.randn(3, n, n_classes, generator=random).double()
    return noise + torch.tensor([2.0, 0.5, 0.0])[:, None, None] * torch.eye(n_classes)[y], y


@pytest.mark.parametrize("n_classes", [2, 4])
def test_who_tells_more_counts_more_and_who_tells_nothing_next_to_nothing(n_classes: int) -> None:
    logits, y = judged(n_classes=n_classes)
    good, poor, useless = shares(logits, y).tolist()
    assert good > 2 * poor > 6 * useless >= 0
    assert good + poor + useless == pytest.approx(3)


def test_how_sure_a_judge_is_of_itself_changes_nothing() -> None:
    logits, y = judged()
    surer = logits * torch.tensor([1.0, 50.0, 0.02])[:, None, None] + 7
    torch.testing.assert_close(effects(surer, y), effects(logits, y))


def test_an_opinion_of_all_trials_alike_is_worth_nothing_whatever_the_classes_shares() -> None:
    y = torch.arange(300) % 6 // 5  # one in six
    logits = torch.tensor([[4.0, -4.0]]).repeat(300, 1)[None].double()
    assert effects(logits, y).abs() < 1e-9
    noise = torch.randn(1, 300, 2, generator=torch.Generator().manual_seed(0)) / 10
    assert effects(logits + noise, y).abs() < 0.1


def test_who_says_the_opposite_of_the_truth_counts_next_to_nothing() -> None:
    logits, y = judged()
    good, opposite = shares(torch.stack([logits[0], -logits[0]]), y).tolist()
    assert good > 1.99 and 0 < opposite < 0.01


def test_those_who_are_all_wrong_count_alike() -> None:
    logits, y = judged(30)
    torch.testing.assert_close(shares(-9 * torch.eye(3)[y].repeat(3, 1, 1), y), torch.ones(3))
    assert shares(-logits[:1], y).tolist() == [1.0]


def test_people_are_left_out_whole_and_few_are_not() -> None:
    people = torch.from_numpy(np.random.default_rng(0).permutation(np.repeat(np.arange(12), 5)))
    parts = parts_of(people)
    assert parts is not None and len(parts.unique()) == N_PARTS
    for person in range(12):
        assert len(parts[people == person].unique()) == 1
    assert parts_of(torch.arange(LEAST_PEOPLE - 1).repeat(9)) is None
    few = parts_of(torch.arange(LEAST_PEOPLE).repeat(9))
    assert few is not None and len(few.unique()) == LEAST_PEOPLE


@pytest.mark.parametrize("weight", [None, torch.tensor([1.0, 2.0, 0.5]).double()])
def test_what_is_said_of_people_is_learned_from_others(weight: torch.Tensor | None) -> None:
    random = np.random.default_rng(1)
    features, y = random.standard_normal((90, 4)), np.arange(90) % 3
    features[:, 0] += y
    parts = np.arange(90) // 30
    seen = torch.from_numpy(features), torch.from_numpy(y)
    said = said_of_left_out(*seen, torch.from_numpy(parts), 3, weight)
    for part in range(3):
        rest = parts != part
        counts = None if weight is None else weight.numpy()[y[rest]]
        C = 1 / (PENALTY * (rest.sum() if counts is None else counts.sum()))
        model = LogisticRegression(C=C, tol=1e-9, max_iter=1000)
        model.fit(features[rest], y[rest], sample_weight=counts)
        told = model.predict_proba(features[~rest])
        np.testing.assert_allclose(said[~rest].softmax(1), told, atol=1e-5)


def trials() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return trials of 6 people that differ in power, and nothing else."""
    random = torch.Generator().manual_seed(2)
    y, people = torch.arange(180) % 2, torch.arange(6).repeat_interleave(30)
    x = torch.randn(180, 4, 250, generator=random)
    x[:, 0] *= 1 + 0.3 * y[:, None]
    return x, y, people


def test_lines_share_by_what_they_say_of_people_left_out() -> None:
    x, y, people = trials()
    alike, lines = (Lines(4, 250, 2, sfreq=125.0) for _ in range(2))
    alike.settle([x], y)
    lines.settle(x.split(50), y, None, people)
    for one, other in zip(lines.judges, alike.judges, strict=True):
        torch.testing.assert_close(one.weight, other.weight, atol=1e-5, rtol=1e-3)
    assert torch.equal(alike.shares, torch.ones(3))
    covariance, course, spectrum = lines.shares.tolist()
    assert covariance > 1.2 and spectrum > 0.8 and course < 0.3

    few = Lines(4, 250, 2, sfreq=125.0)
    few.settle([x], y, None, people.clamp_max(2))
    assert torch.equal(few.shares, torch.ones(3))

    generator = torch.Generator().manual_seed(3)
    guess = Lines(4, 250, 2, sfreq=125.0)
    guess.settle([x], y[torch.randperm(180, generator=generator)], None, people)
    assert not torch.allclose(guess.shares, lines.shares, atol=0.2)


def test_lines_written_before_they_had_shares_count_alike() -> None:
    x, y, people = trials()
    lines, other = (Lines(4, 250, 2, sfreq=125.0) for _ in range(2))
    lines.settle([x], y, None, people)
    state = {name: value for name, value in lines.state_dict().items() if name != "shares"}
    other.load_state_dict(state)
    assert torch.equal(other.shares, torch.ones(3))
    assert torch.equal(other.judges[0].weight, lines.judges[0].weight)
    other.load_state_dict(lines.state_dict())
    assert torch.equal(other.shares, lines.shares)
