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
        positive, weight = self.relations(facts, mine)
        queued = self.queue[: int(self.n_queued)].clone()
        positive = F.pad(positive, (0, len(queued)))
        weight = F.pad(weight, (0, len(queued)), value=1.0)
        among = torch.cat([candidates, queued])
        losses = contrast(z, among, positive, weight, self.objective.temperature)
        if self.training:
            self.remember(candidates[:n].detach())
        loss = losses.sum() / (2 * n)
        if self.objective.align_people:
            apart = spread_of_people(everyone, facts[:, 1])
            loss = loss + self.objective.align_people * apart / processes.size
        return loss

    def relations(self, facts: Tensor, mine: Tensor) -> tuple[Tensor, Tensor]:
        """Return which of 2n views are positives of some of them, and what the others weigh."""
        n = len(facts) // 2
        index = torch.arange(2 * n, device=facts.device)
        itself = mine[:, None] == index
        alike = facts[mine, None] == facts  # (own, 2n, 5): trial, person, recording, ., label
        positive = (mine[:, None] % n == index % n) | alike[..., 0]
        if self.objective.positives == "neighbour":
            apart = (facts[mine, None, 3] - facts[:, 3]).abs()
            positive |= alike[..., 2] & (apart <= self.objective.near)
        elif self.objective.positives == "label":
            positive |= alike[..., 4] & (facts[:, 4] >= 0)
        weight = torch.where(alike[..., 2] & ~positive, self.objective.same_recording, 1.0)
        return positive & ~itself, weight.masked_fill(itself, 0.0)

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
    def remember(self, z: Tensor) -> None:
        """Put embeddings at the front of the queue; what no longer fits is forgotten."""
        size = len(self.queue)
        if size:
            self.queue.copy_(torch.cat([z, self.queue])[:size])
            self.n_queued.add_(len(z)).clamp_(max=size)
