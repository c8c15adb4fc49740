"""Leaky integrate-and-fire, forward and backward, 64 x 40 x 1000, one thread: against snntorch.

Also against a loop over the steps written by hand in torch with as few operations as the
equations need, and for each reset with the gradient that goes through it.

python benchmarks/lif.py
python benchmarks/lif.py --batch 4 --features 3 --times 50 --repeats 1
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Callable
from typing import Any

from timing import compare, one_thread

one_thread()

import snntorch  # noqa: E402
import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from eegvit.networks.spiking.lif import integrate_and_fire  # noqa: E402

TOLERANCE = 1e-5
Neurons = Callable[[Tensor, Tensor, Tensor], Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    current = 0.1 + 0.5 * torch.randn(options.times, options.batch, options.features)
    leak = 0.65 + 0.3 * torch.rand(options.features)
    threshold = 0.5 + torch.rand(options.features)
    weights = torch.randn_like(current)
    inputs = [value.requires_grad_() for value in (current, leak, threshold)]
    for reset, detach, name, theirs in (
        ("soft", False, "by hand", by_hand("soft", False)),
        ("hard", False, "by hand", by_hand("hard", False)),
        ("soft", True, "by hand", by_hand("soft", True)),
        ("hard", True, "snntorch, steps unbound", by_snntorch("hard", unbound=True)),
        ("soft", True, "snntorch, steps unbound", by_snntorch("soft", unbound=True)),
        ("hard", True, "snntorch", by_snntorch("hard")),
        ("soft", True, "snntorch", by_snntorch("soft")),
    ):
        way = "around the reset" if detach else "through the reset"
        print(f"{reset} reset, gradient {way}, against {name}")
        ours = own(reset, detach)
        check(step(ours, inputs, weights), step(theirs, inputs, weights))
        compare(
            lambda run=ours: step(run, inputs, weights),
            lambda run=theirs: step(run, inputs, weights),
            options.repeats,
        )


def step(neurons: Neurons, inputs: list[Tensor], weights: Tensor) -> list[Tensor]:
    """Forward and backward: spikes, and the gradients of current, leak and threshold."""
    spikes = neurons(*inputs)
    return [spikes.detach(), *torch.autograd.grad(spikes, inputs, weights)]


def check(ours: list[Tensor], theirs: list[Tensor]) -> None:
    """Refuse spikes that are not the same, or gradients that differ."""
    assert torch.equal(ours[0], theirs[0]), "the spikes differ"
    worst = max(
        float((a - b).abs().max() / b.abs().max())
        for a, b in zip(ours[1:], theirs[1:], strict=True)
    )
    assert worst < TOLERANCE, f"gradients differ by {worst} of the largest"
    print(
        f"{float(ours[0].mean()):.1%} spikes, all the same;"
        f" gradients differ by at most {worst:.0e} of the largest"
    )


def own(reset: Any, detach_reset: bool) -> Neurons:
    """Return the package's."""
    settings = {"reset": reset, "surrogate": "arctan", "detach_reset": detach_reset}
    return lambda *inputs: integrate_and_fire(*inputs, **settings)[0]


def by_snntorch(reset: str, unbound: bool = False) -> Neurons:
    """Return the loop of snntorch's manual, which takes x[step] of the current."""

    def run(current: Tensor, leak: Tensor, threshold: Tensor) -> Tensor:
        mechanism = {"soft": "subtract", "hard": "zero"}[reset]
        neurons = snntorch.Leaky(beta=leak, threshold=threshold, reset_mechanism=mechanism)
        membrane = torch.zeros_like(current[0])
        steps = current.unbind() if unbound else current
        spikes = []
        for now in range(len(current)):
            fired, membrane = neurons(steps[now], membrane)
            spikes.append(fired)
        return torch.stack(spikes)

    return run


class Fire(torch.autograd.Function):
    """A step with the slope of an arctan."""

    @staticmethod
    def forward(ctx: Any, distance: Tensor) -> Tensor:
        ctx.save_for_backward(distance)
        return (distance > 0).float()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        return grad / (1 + (math.pi * ctx.saved_tensors[0]).square())


def by_hand(reset: str, detach_reset: bool) -> Neurons:
    """Return a loop over all steps."""

    def run(current: Tensor, leak: Tensor, threshold: Tensor) -> Tensor:
        first, *rest = current.unbind()
        membrane, spikes = first, [Fire.apply(first - threshold)]
        for now in rest:
            cleared = spikes[-1].detach() if detach_reset else spikes[-1]
            if reset == "soft":
                membrane = leak * membrane + now - cleared * threshold
            else:
                membrane = leak * ((1 - cleared) * membrane) + now
            spikes.append(Fire.apply(membrane - threshold))
        return torch.stack(spikes)

    return run


if __name__ == "__main__":
    main()
