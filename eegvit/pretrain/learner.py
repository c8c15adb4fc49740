"""A network with all that it is pretrained by: projection, slow copy, queue, decoder."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.pretrain.encoder import Encoder
from eegvit.pretrain.objectives import contrast, reconstruction, spread_of_people
from eegvit.pretrain.patches import Decoder, Truth, hide
from eegvit.pretrain.processes import Processes
from eegvit.pretrain.settings import Objective


@dataclass(frozen=True, eq=False)
class Drawn:
    """What is drawn for one step, the same in all processes.

    Parameters
    ----------
    trials : Tensor, shape (n, channels, times)
        The batch as it is, of which patches are hidden.
    first, second : Tensor, shape (n, channels, times)
        Two views of each trial.
    facts : Tensor of int64, shape (n, 2, 5)
        Trial, person, recording, position and label behind each view.
    masked : Tensor of bool, shape (n, channels, patches)
    """

    trials: Tensor
    first: Tensor
    second: Tensor
    facts: Tensor
    masked: Tensor


class Learner(nn.Module):
    """A network and what it is pretrained by.

    Parameters
    ----------
    network : nn.Module
        Maps trials (n, channels, times) to logits.
    objective : Objective
    truth : Truth or None
        What is to be reconstructed.
    example : Tensor, shape (n, channels, times)

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.Linear(4, 2))
    >>> learner = Learner(network, Objective(projection=3), None, torch.zeros(1, 2, 6))
    >>> learner.embed(torch.randn(5, 2, 6)).norm(dim=1).round(decimals=4)
    tensor([1., 1., 1., 1., 1.], grad_fn=<...>)
    """

    queue: Tensor
    queued_facts: Tensor
    n_queued: Tensor

    def __init__(
        self, network: nn.Module, objective: Objective, truth: Truth | None, example: Tensor
    ) -> None:
        super().__init__()
        self.objective = objective
        self.encoder = Encoder(network, example)
        self.projector: nn.Module = nn.Identity()
        self.slow: nn.ModuleList | None = None
        if objective.contrast:
            with torch.no_grad():
                width = self.encoder.eval()(example).shape[1]
            self.projector = nn.Sequential(
                nn.Linear(width, width), nn.ReLU(), nn.Linear(width, objective.projection)
            )
            if objective.momentum:
                self.slow = copy.deepcopy(nn.ModuleList([self.encoder, self.projector]))
                self.slow.requires_grad_(False)
        self.register_buffer("queue", torch.zeros(objective.queue, objective.projection))
        self.register_buffer("queued_facts", torch.zeros(objective.queue, 5, dtype=torch.int64))
        self.register_buffer("n_queued", torch.zeros((), dtype=torch.int64))
        self.truth, self.decoder = truth, None
        if truth is not None:
            with torch.no_grad():
                shapes = [tuple(each.shape[1:]) for each in self.encoder.eval().maps(example)]
            self.decoder = Decoder(shapes, truth.shape)

    def embed(self, x: Tensor) -> Tensor:
        """Map trials to points (n, projection) of length 1."""
        return F.normalize(self.projector(self.encoder(x)), dim=1)

    def loss(self, drawn: Drawn, processes: Processes) -> Tensor:
        """Return this process's share of the loss of a batch."""
        loss = drawn.trials.new_zeros(())
        if self.objective.contrast:
            loss = loss + self.objective.contrast * self.contrast(drawn, processes)
        if self.objective.reconstruct:
            loss = loss + self.objective.reconstruct * self.reconstruct(drawn, processes)
        return loss

    def contrast(self, drawn: Drawn, processes: Processes) -> Tensor:
        """Return this process's share of the contrastive loss."""
        n, own = len(drawn.first), processes.own(len(drawn.first))
        views = torch.cat([drawn.first[own], drawn.second[own]])
        z = self.embed(views)
        with torch.no_grad():
            compared = None if self.slow is None else self.slow_embed(views)

        def whole(part: Tensor) -> Tensor:  # (2 own, d) -> (2n, d)
            return torch.cat([processes.gather(half, n) for half in part.chunk(2)])

        everyone = whole(z)
        candidates = everyone if compared is None else whole(compared)
        facts = torch.cat([drawn.facts[:, 0], drawn.facts[:, 1]])  # (2n, 5)
        mine = torch.arange(2 * n, device=z.device).view(2, n)[:, own].flatten()
        n_queued = int(self.n_queued)
        positive, weight = self.relations(facts, mine, self.queued_facts[:n_queued])
        among = torch.cat([candidates, self.queue[:n_queued]])  # a copy: the queue moves on
        losses = contrast(z, among, positive, weight, self.objective.temperature)
        if self.training:
            self.remember(candidates[:n].detach(), facts[:n])
        loss = losses.sum() / (2 * n)
        if self.objective.align_people:
            apart = spread_of_people(everyone, facts[:, 1])
            loss = loss + self.objective.align_people * apart / processes.size
        return loss

    def relations(self, facts: Tensor, mine: Tensor, queued: Tensor) -> tuple[Tensor, Tensor]:
        """Return which of 2n views and what is queued are positives of some of the views.

        And what the others weigh; what is queued and like a positive is neither.
        """
        n = len(facts) // 2
        candidates = torch.cat([facts, queued])
        index = torch.arange(len(candidates), device=facts.device)
        itself, in_batch = mine[:, None] == index, index < 2 * n
        alike = facts[mine, None] == candidates  # (own, ., 5): trial, person, recording, ., label
        positive = alike[..., 0] | (in_batch & (mine[:, None] % n == index % n))
        if self.objective.positives == "neighbour":
            apart = (facts[mine, None, 3] - candidates[:, 3]).abs()
            positive |= alike[..., 2] & (apart <= self.objective.near)
        elif self.objective.positives == "label":
            positive |= alike[..., 4] & (candidates[:, 4] >= 0)
        weight = torch.where(alike[..., 2] & ~positive, self.objective.same_recording, 1.0)
        left_out = itself | (positive & ~in_batch)
        return positive & ~left_out, weight.masked_fill(left_out, 0.0)

    def reconstruct(self, drawn: Drawn, processes: Processes) -> Tensor:
        """Return this process's share of the reconstruction loss."""
        assert self.truth is not None and self.decoder is not None
        own = processes.own(len(drawn.trials))
        signals, masked = drawn.trials[own], drawn.masked[own]
        standardised = self.truth.standardised(signals)
        shown = self.truth.restored(hide(standardised, masked))
        told = self.decoder(self.encoder.maps(shown))
        counted = masked if self.objective.mask else torch.ones_like(masked)
        losses = reconstruction(told, self.truth(standardised), counted)
        return losses.sum() / len(drawn.trials)

    @torch.no_grad()
    def slow_embed(self, x: Tensor) -> Tensor:
        """Map trials to points of length 1 by the slow copy."""
        assert self.slow is not None
        encoder, projector = self.slow
        return F.normalize(projector(encoder(x)), dim=1)

    @torch.no_grad()
    def follow(self) -> None:
        """Let the slow copy move a little towards the network."""
        if self.slow is not None:
            quick = [*self.encoder.parameters(), *self.projector.parameters()]
            for kept, new in zip(self.slow.parameters(), quick, strict=True):
                kept.lerp_(new, 1 - self.objective.momentum)

    @torch.no_grad()
    def remember(self, z: Tensor, facts: Tensor) -> None:
        """Put embeddings and their facts at the front of the queue; the oldest are forgotten."""
        size = len(self.queue)
        if size:
            self.queue.copy_(torch.cat([z, self.queue])[:size])
            self.queued_facts.copy_(torch.cat([facts, self.queued_facts])[:size])
            self.n_queued.add_(len(z)).clamp_(max=size)
