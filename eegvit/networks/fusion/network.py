"""Branches side by side, joined by a fuser, under one head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.auxiliary import Judged
from eegvit.networks.fusion.beside import unpacked
from eegvit.networks.fusion.branches import NetworkBranch
from eegvit.networks.fusion.maps import rows_and_columns
from eegvit.registry import lookup

FUSERS: dict[str, str] = {
    "concat": "eegvit.networks.fusion.fusers:Concat",
    "gated": "eegvit.networks.fusion.fusers:Gated",
    "attention": "eegvit.networks.fusion.attention:CrossAttention",
    "multiscale": "eegvit.networks.fusion.multiscale:Multiscale",
}


class FusedNetwork(nn.Module):
    """Branches that look at the same trial, joined under one head.

    Parameters
    ----------
    branches : sequence of nn.Module
        `NetworkBranch`es look at the signals; each of the others at features of its own.
    n_channels, n_times, n_classes : int
        Shape of the signals and number of logits.
    fuse : str
        A name in `FUSERS`.
    shapes : sequence of tuples of int
        Of a trial's features, for each branch that does not look at the signals. They come
        appended to the signals, see `eegvit.networks.fusion.beside`.
    auxiliary : float
        In training each branch is judged by a head of its own as well, and the mean of their
        losses counts by this weight. 0 leaves these heads out.
    dropout : float
        Of what the fuser makes.

    Examples
    --------
    >>> from eegvit.networks.eegnet import EEGNet
    >>> from eegvit.networks.fusion.branches import VectorBranch
    >>> network = FusedNetwork(
    ...     [VectorBranch((9, 4), 2), NetworkBranch(nn.Identity(), EEGNet(3, 250, 2))],
    ...     n_channels=3, n_times=250, n_classes=2, shapes=[(9, 4)],
    ... )
    >>> network(torch.randn(5, 3, 250 + 12)).shape
    torch.Size([5, 2])
    """  # fmt: skip

    def __init__(
        self,
        branches: Sequence[nn.Module],
        *,
        n_channels: int,
        n_times: int,
        n_classes: int,
        fuse: str = "concat",
        shapes: Sequence[tuple[int, ...]] = (),
        auxiliary: float = 0.0,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        if auxiliary < 0:
            raise ValueError(f"auxiliary={auxiliary!r}: it must be 0 or more")
        self.n_times, self.shapes, self.auxiliary = n_times, list(shapes), auxiliary
        self.branches = nn.ModuleList(branches)
        fuser = lookup(FUSERS, fuse)
        example = [torch.zeros(1, *shape) for shape in self.shapes]
        self.eval()
        with torch.no_grad():
            maps = self.maps(torch.zeros(1, n_channels, n_times), example)
            seen = self.grids(maps) if fuser.of_maps else self.vectors(maps)
            self.fuser = fuser(seen, dropout=dropout)
        self.train()
        self.head = nn.Linear(self.fuser.n_features, n_classes)
        if not auxiliary:
            self.drop_auxiliary()

    def forward(self, x: Tensor) -> Tensor | Judged:
        """Map signals and what is appended to them to logits (n, classes)."""
        maps = self.maps(x[..., : self.n_times], unpacked(x[..., self.n_times :], self.shapes))
        judged = self.training and self.auxiliary > 0
        vectors = self.vectors(maps) if judged or not self.fuser.of_maps else []
        logits = self.head(self.fuser(self.grids(maps) if self.fuser.of_maps else vectors))
        if not judged:
            return logits
        parts: list[Any] = list(self.branches)
        others = tuple(part.head(x) for part, x in zip(parts, vectors, strict=True))
        return Judged(logits, others, self.auxiliary)

    def maps(self, signals: Tensor, features: Sequence[Tensor]) -> list[list[Tensor]]:
        """Return the maps of each branch as it makes them, by depth."""
        own = iter(features)
        told = []
        for branch in self.branches:
            told.append(branch(signals if isinstance(branch, NetworkBranch) else next(own)))
        return told

    def grids(self, maps: Sequence[Sequence[Tensor]]) -> list[list[Tensor]]:
        """Return the maps of each branch as rows of places and columns of time."""
        parts: list[Any] = list(self.branches)
        return [
            [rows_and_columns(x, part.over_time) for x in own]
            for part, own in zip(parts, maps, strict=True)
        ]

    def vectors(self, maps: Sequence[Sequence[Tensor]]) -> list[Tensor]:
        """Return what the head of each branch sees (n, features)."""
        parts: list[Any] = list(self.branches)
        return [part.vector(own) for part, own in zip(parts, maps, strict=True)]

    def drop_auxiliary(self) -> None:
        """Take the heads of the branches away: only the fused head counts at inference."""
        self.auxiliary = 0.0
        for branch in self.branches:
            branch.head = nn.Identity()
