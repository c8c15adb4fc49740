"""Dropout of several fits draws what each would draw alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import vmap

from eegvit.networks.device import random_states, seeded
from eegvit.train.draws import Layouts, OwnDraws

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "dropout": lambda x: F.dropout(x, 0.3),
    "named": lambda x: F.dropout(input=x, p=0.3, inplace=True),
    "nothing": lambda x: F.dropout(x, 0.0) + F.dropout(x, 0.5, training=False),
    "twice": lambda x: F.dropout(2 * F.dropout(x, 0.3), 0.1),
    "channels": lambda x: F.dropout1d(x, 0.4),
    "alpha": lambda x: F.alpha_dropout(x, 0.2),
    "turned": lambda x: F.dropout(x.transpose(1, 2), 0.3),
    "convolved": lambda x: F.dropout(F.conv1d(x, torch.ones(5, 4, 3)), 0.3),
    "module": nn.Dropout(0.6, inplace=True),
    "builtin": lambda x: torch.dropout(x, 0.3, True),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_draws_are_those_of_one_alone(name: str) -> None:
    function = FUNCTIONS[name]
    x = torch.randn(3, 6, 4, 7)
    states, expected, after = [], [], []
    for i in range(3):
        with seeded(10 + i, "cpu"):
            states.append(random_states("cpu"))
            expected.append(function(x[i].clone()))
            after.append(random_states("cpu"))
    with seeded(0, "cpu"), Layouts() as layouts:
        function(x[0].clone())
    given = x.clone().requires_grad_()
    with seeded(0, "cpu"), OwnDraws(states, layouts.strides, "cpu"):
        found = vmap(function, randomness="error")(given * 1)
    torch.testing.assert_close(found, torch.stack(expected))
    assert all(torch.equal(own[0], its[0]) for own, its in zip(states, after, strict=True))
    assert torch.autograd.grad(found.sum(), given)[0].abs().sum() > 0
