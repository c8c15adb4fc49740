"""AdamW for several fits is torch's for each."""

from __future__ import annotations

import torch

from eegvit.train.adamw import StackedAdamW


def test_it_is_torchs() -> None:
    torch.manual_seed(0)
    start = torch.randn(3, 5, dtype=torch.float64)
    decay = torch.tensor([0.3, 0.3, 0.0, 0.0, 0.3], dtype=torch.float64)
    alone = [row.clone().requires_grad_() for row in start]
    optimisers = []
    for row in alone:
        # torch decays a tensor as a whole
        parts = [row[:2].detach(), row[2:4].detach(), row[4:].detach()]
        groups = [
            {"params": [parts[0], parts[2]], "weight_decay": 0.3},
            {"params": [parts[1]], "weight_decay": 0.0},
        ]
        optimisers.append((torch.optim.AdamW(groups), parts))
    together = StackedAdamW(start.clone())
    counts = [0, 0, 0]
    for turn in range(6):
        members = [[0, 1, 2], [0, 2], [1]][turn % 3]
        gradient = torch.randn(len(members), 5, dtype=torch.float64)
        rates = [0.1 * (i + 1) / (turn + 1) for i in members]
        for i, rate, each in zip(members, rates, gradient, strict=True):
            counts[i] += 1
            optimiser, parts = optimisers[i]
            for group in optimiser.param_groups:
                group["lr"] = rate
            for part, values in zip(parts, (each[:2], each[2:4], each[4:]), strict=True):
                part.grad = values.clone()
            optimiser.step()
        together.step(torch.tensor(members), gradient, decay, rates, [counts[i] for i in members])
    expected = torch.stack([torch.cat(parts) for _, parts in optimisers])
    torch.testing.assert_close(together.weights, expected, rtol=1e-10, atol=1e-12)
