"""The norm's means are geometric means of people, and gradients pass through them."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from pyriemann.geometry.mean import mean_riemann
from torch import Tensor

from eegvit.networks.spd.eigenvalues import exp, log
from eegvit.networks.spd.person_norm import PersonNorm, moved, seen_from

SIZE = 4


def covariances(n: int, seed: int = 0, samples: int = 40) -> Tensor:
    """Return covariances of noise that is mixed in the same way."""
    rng = np.random.default_rng(seed)
    X = np.eye(SIZE) @ rng.standard_normal((n, SIZE, samples)) * np.arange(1, SIZE + 1)[:, None]
    return torch.from_numpy(X @ X.swapaxes(1, 2) / samples)


@pytest.fixture
def two_people() -> tuple[Tensor, Tensor]:
    """Return matrices of two people, one and the same but for how they are mixed; alternating."""
    C = covariances(30)
    mixing = torch.from_numpy(np.random.default_rng(5).standard_normal((SIZE, SIZE)))
    both = torch.stack([C, mixing @ C @ mixing.T], 1).flatten(0, 1)
    return both, torch.arange(60) % 2


def trained(norm: PersonNorm, C: Tensor, people: Tensor, n: int = 60) -> PersonNorm:
    for _ in range(n):
        norm(C, people)
    return norm


def test_means_and_spreads_become_those_of_each_person(two_people: tuple[Tensor, Tensor]) -> None:
    C, people = two_people
    norm = trained(PersonNorm(SIZE, n_people=2, momentum=0.5).double(), C, people)
    for person in (0, 1):
        own = C[people == person]
        expected = torch.from_numpy(mean_riemann(own.numpy(), tol=1e-12))
        torch.testing.assert_close(exp(norm.log_means[person]), expected, rtol=1e-7, atol=1e-7)
        values = torch.linalg.eigvalsh(seen_from(own, expected))
        torch.testing.assert_close(norm.spreads[person], values.log().square().sum(1).mean())
    of_both = torch.from_numpy(mean_riemann(exp(norm.log_means).numpy(), tol=1e-12))
    torch.testing.assert_close(exp(norm.log_mean), of_both, rtol=1e-5, atol=1e-5)


def test_people_look_alike_however_they_are_mixed(two_people: tuple[Tensor, Tensor]) -> None:
    C, people = two_people
    logs = trained(PersonNorm(SIZE, 2, momentum=0.5).double(), C, people)(C, people)
    first, second = logs[people == 0], logs[people == 1]
    torch.testing.assert_close(first.mean(0), torch.zeros(SIZE, SIZE).double(), atol=1e-7, rtol=0)
    torch.testing.assert_close(first.flatten(1).norm(dim=1), second.flatten(1).norm(dim=1))
    together = PersonNorm(SIZE, momentum=0.5).double()
    mixed = trained(together, C, torch.zeros_like(people))(C)
    apart = (mixed[people == 0].mean(0) - mixed[people == 1].mean(0)).norm()
    assert apart > 1  # with one mean for both they do not


def test_a_person_who_is_not_in_a_batch_stays(two_people: tuple[Tensor, Tensor]) -> None:
    C, people = two_people
    norm = trained(PersonNorm(SIZE, 3).double(), C, people, n=2)
    before = copy.deepcopy(norm)
    norm(C[people == 1], people[people == 1])
    for name in ("log_means", "spreads", "n_batches"):
        now, then = getattr(norm, name), getattr(before, name)
        assert torch.equal(now[[0, 2]], then[[0, 2]]) and not torch.equal(now[1], then[1])


def test_gradients_pass_through_the_means(two_people: tuple[Tensor, Tensor]) -> None:
    C, people = (part[:10] for part in two_people)
    norm = trained(PersonNorm(SIZE, 2, momentum=0.7).double(), C * 1.1, people, n=2)

    def fresh(C: Tensor) -> Tensor:
        return copy.deepcopy(norm)((C + C.mT) / 2, people)

    assert torch.autograd.gradcheck(fresh, C.clone().requires_grad_())
    same = copy.deepcopy(norm)
    C = C.clone().requires_grad_()
    (of_scale,) = torch.autograd.grad(same(C, people).square().sum(), same.scale)
    assert of_scale != 0


def test_prediction_sees_from_one_mean_and_changes_nothing(
    two_people: tuple[Tensor, Tensor],
) -> None:
    C, people = two_people
    norm = trained(PersonNorm(SIZE, 2).double(), C, people, n=3).eval()
    before = copy.deepcopy(norm.state_dict())
    told = norm(C, people)
    torch.testing.assert_close(told[:5], norm(C[:5]))
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
    norm.settle(exp(norm.log_means[1]), torch.tensor(2.0))
    torch.testing.assert_close(norm.log_mean, before["log_means"][1])
    assert len(norm.log_means) == 1
    assert not torch.equal(norm(C), told)


def test_a_step_moves_along_the_geodesic() -> None:
    first, second = covariances(2)
    halfway = moved(first, log(seen_from(second, first)) / 2)
    expected = mean_riemann(torch.stack([first, second]).numpy(), tol=1e-12)
    np.testing.assert_allclose(halfway.numpy(), expected, rtol=1e-6)
