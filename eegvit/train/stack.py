"""Several fits of one architecture, and a training step of any of them at once."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from eegvit.train.adamw import StackedAdamW
from eegvit.train.decay import decays
from eegvit.train.draws import Layouts, OwnDraws
from eegvit.train.loss import cross_entropy
from eegvit.train.run import Run

Tensors = dict[str, Tensor]


class Stack:
    """The state of several runs of one architecture, a row for each.

    Parameters
    ----------
    runs : sequence of Run
        What they hold is copied; `hand_back` copies it back.
    states : list
        The random state of each run, as `random_states` returns it; they move on.

    Examples
    --------
    >>> import numpy as np
    >>> from eegvit.networks.device import random_states
    >>> from eegvit.train.batches import Batches
    >>> from eegvit.train.recipe import Recipe
    >>> recipe, rows = Recipe(), np.arange(8)
    >>> batches = Batches(np.ones((8, 3), np.float32), rows % 2, recipe, "cpu")
    >>> runs = [Run(nn.Linear(3, 2), recipe, batches, rows, None, seed=i) for i in (0, 1)]
    >>> stack = Stack(runs, [random_states("cpu") for _ in runs])
    >>> stack.optimiser.weights.shape
    torch.Size([2, 8])
    >>> losses = stack.step([0, 1], torch.ones(2, 5, 3), torch.zeros(2, 5, dtype=torch.int64))
    >>> losses.shape, runs[0].n_steps_done
    (torch.Size([2]), 1)
    """

    def __init__(self, runs: Sequence[Run], states: list[list[Tensor]]) -> None:
        self.runs, self.states = runs, states
        self.recipe = runs[0].recipe
        learned = [learned_parameters(run.network) for run in runs]
        fixed = [fixed_tensors(run.network) for run in runs]
        self.shapes = {name: value.shape for name, value in learned[0].items()}
        for each in learned:
            if {name: value.shape for name, value in each.items()} != self.shapes:
                raise ValueError("the networks differ in architecture: train them one by one")
        self.fixed = {name: torch.stack([each[name] for each in fixed]) for name in fixed[0]}
        self.optimiser = StackedAdamW(torch.stack([flat(each.values()) for each in learned]))
        self.known_layouts: dict[torch.Size, list[tuple[int, ...]]] = {}
        self.decays: dict[tuple[bool, ...], Tensor] = {}
        moments = {"exp_avg": self.optimiser.mean, "exp_avg_sq": self.optimiser.square}
        for key, whole in moments.items():  # not zero in a training that is continued
            for row, (run, each) in enumerate(zip(runs, learned, strict=True)):
                known = run.optimiser.state
                whole[row] = flat(
                    known.get(value, {}).get(key, torch.zeros_like(value))
                    for value in each.values()
                )

    def step(self, members: list[int], X: Tensor, y: Tensor) -> Tensor:
        """Take a step of some runs, on a batch each, and return the losses before it.

        X is (members, n, channels, times), y is (members, n). The networks of the members
        must be the same in all that is not a tensor.
        """
        rows = torch.tensor(members, device=X.device)
        leaves = self.cut(self.optimiser.weights[rows])
        for leaf in leaves.values():
            leaf.requires_grad_()
        losses, fixed = self.losses(members, leaves, X, y)
        found = torch.autograd.grad(losses.sum(), list(leaves.values()), allow_unused=True)
        for name, value in fixed.items():
            self.fixed[name][rows] = value.detach()
        parts = [
            torch.zeros_like(leaf) if gradient is None else gradient
            for gradient, leaf in zip(found, leaves.values(), strict=True)
        ]
        used = tuple(gradient is not None for gradient in found)
        self.descend(rows, torch.cat([part.flatten(1) for part in parts], dim=1), self.decay(used))
        return losses.detach()

    def losses(
        self, members: list[int], leaves: Tensors, X: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Return the loss of each member, and its fixed tensors after the forward pass."""
        network = self.runs[members[0]].network.train()
        amp = self.recipe.amp and X.device.type == "cuda"
        smoothing = self.recipe.label_smoothing

        states = [self.states[i] for i in members]
        draws = OwnDraws(states, self.layouts(network, X[0]), self.runs[0].batches.device)

        def loss(
            learned: Tensors, fixed: Tensors, X: Tensor, y: Tensor, weight: Tensor | None
        ) -> tuple[Tensor, Tensors]:
            tensors = learned | fixed
            draws.zero = torch.zeros_like(X.flatten()[0])
            with draws, torch.autocast("cuda", torch.bfloat16, enabled=amp):
                told = functional_call(network, tensors, (X,))
            value = cross_entropy(told, y, weight, smoothing)
            return value, {name: tensors[name] for name in fixed}

        fixed = {name: whole[members] for name, whole in self.fixed.items()}
        own = [weight for i in members if (weight := self.runs[i].class_weight) is not None]
        weight = torch.stack(own) if own else None
        in_dims = (0, 0, 0, 0, None if weight is None else 0)
        told = vmap(loss, in_dims, randomness="error")(leaves, fixed, X, y, weight)
        for i, state in zip(members, states, strict=True):
            self.states[i] = state
        return told

    def layouts(self, network: nn.Module, X: Tensor) -> list[tuple[int, ...]]:
        """Return how the values that dropout gets lie in memory when a run is alone."""
        if X.shape not in self.known_layouts:
            with Layouts() as layouts:
                copy.deepcopy(network)(X)
            self.known_layouts[X.shape] = layouts.strides
        return self.known_layouts[X.shape]

    def descend(self, rows: Tensor, gradient: Tensor, decay: Tensor) -> None:
        """Change the weights of some runs, each by its schedule."""
        if self.recipe.clip_norm is not None:
            norm = gradient.norm(dim=1, keepdim=True)
            gradient = gradient * (self.recipe.clip_norm / (norm + 1e-6)).clamp_max(1)
        runs = [self.runs[i] for i in rows.tolist()]
        rates = [run.learning_rate for run in runs]
        for run in runs:
            run.n_steps_done += 1
        self.optimiser.step(rows, gradient, decay, rates, [run.n_steps_done for run in runs])

    def decay(self, used: tuple[bool, ...]) -> Tensor:
        """Return the decay of each number: as in a training alone, none of what is not used."""
        if used not in self.decays:
            parts = [
                torch.full((shape.numel(),), self.recipe.weight_decay)
                * (taken and decays(name, len(shape)))
                for taken, (name, shape) in zip(used, self.shapes.items(), strict=True)
            ]
            self.decays[used] = torch.cat(parts).to(self.optimiser.weights)
        return self.decays[used]

    def hand_back(self, row: int) -> None:
        """Give a run its weights and what its optimiser knows, as if it had been alone."""
        run = self.runs[row]
        learned = learned_parameters(run.network)
        optimiser = self.optimiser
        wholes = (optimiser.weights[row], optimiser.mean[row], optimiser.square[row])
        weights, mean, square = map(self.cut, wholes)
        with torch.no_grad():
            for name, value in learned.items():
                value.copy_(weights[name])
                run.optimiser.state[value] = {
                    "step": torch.tensor(float(run.n_steps_done)),
                    "exp_avg": mean[name].clone(),
                    "exp_avg_sq": square[name].clone(),
                }
            for name, tensor in fixed_tensors(run.network).items():
                tensor.copy_(self.fixed[name][row])

    def cut(self, weights: Tensor) -> Tensors:
        """Return weights, shape (..., numbers), by the names of the parameters."""
        sizes = [shape.numel() for shape in self.shapes.values()]
        parts = weights.split(sizes, dim=-1)
        return {
            name: part.reshape(*weights.shape[:-1], *shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


def learned_parameters(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return the parameters that training changes, by name."""
    return {name: p for name, p in network.named_parameters() if p.requires_grad}


def fixed_tensors(network: nn.Module) -> Tensors:
    """Return frozen parameters and buffers by name."""
    frozen = {name: p.detach() for name, p in network.named_parameters() if not p.requires_grad}
    return frozen | dict(network.named_buffers())


def flat(tensors: Iterable[Tensor]) -> Tensor:
    """Return the numbers of tensors in a row.

    Examples
    --------
    >>> flat([torch.zeros(2, 1), torch.ones(1)])
    tensor([0., 0., 1.])
    """
    return torch.cat([tensor.detach().flatten() for tensor in tensors])
