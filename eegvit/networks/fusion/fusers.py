"""Vectors of several branches joined into one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 32  # of what the branches are brought to where they must be alike


class Concat(nn.Module):
    """One vector after the other, each feature normalised so that no branch is louder.

    Parameters
    ----------
    vectors : sequence of Tensor
        Those of a trial or more, for their shapes.

    Examples
    --------
    >>> vectors = [torch.randn(5, 3), torch.randn(5, 4)]
    >>> fuser = Concat(vectors)
    >>> fuser.n_features, fuser(vectors).shape
    (7, torch.Size([5, 7]))
    """

    of_maps = False

    def __init__(self, vectors: Sequence[Tensor], dropout: float = 0.0) -> None:
        super().__init__()
        self.n_features = sum(x.shape[1] for x in vectors)
        self.norm = nn.BatchNorm1d(self.n_features)

    def forward(self, vectors: Sequence[Tensor]) -> Tensor:
        """Map vectors (n, features) of the branches to (n, n_features)."""
        return self.norm(torch.cat(list(vectors), 1))


class Gated(nn.Module):
    """A sum of the branches in which all of them decide how much of each feature is whose [1]_.

    Parameters
    ----------
    vectors : sequence of Tensor
        Those of a trial or more, for their shapes.
    dropout : float
        Share of the sum set to zero in training.

    References
    ----------
    .. [1] Arevalo et al., Gated multimodal units for information fusion. ICLR workshop, 2017.

    Examples
    --------
    >>> vectors = [torch.randn(5, 3), torch.randn(5, 4)]
    >>> fuser = Gated(vectors)
    >>> fuser(vectors).shape, fuser.gates(fuser.projected(vectors)).sum(1).mean().round().item()
    (torch.Size([5, 32]), 1.0)
    """

    of_maps = False

    def __init__(self, vectors: Sequence[Tensor], dropout: float = 0.25) -> None:
        super().__init__()
        self.n_features, self.dropout = WIDTH, dropout
        self.project = nn.ModuleList(
            nn.Sequential(nn.BatchNorm1d(x.shape[1]), nn.Linear(x.shape[1], WIDTH)) for x in vectors
        )
        self.gate = nn.Linear(len(vectors) * WIDTH, len(vectors) * WIDTH)

    def forward(self, vectors: Sequence[Tensor]) -> Tensor:
        """Map vectors (n, features) of the branches to (n, n_features)."""
        seen = self.projected(vectors)
        fused = (self.gates(seen) * seen).sum(1)
        return F.dropout(fused, self.dropout, self.training)

    def projected(self, vectors: Sequence[Tensor]) -> Tensor:
        """Return each branch in the same coordinates (n, branches, width)."""
        pairs = zip(self.project, vectors, strict=True)
        return torch.stack([torch.tanh(project(x)) for project, x in pairs], 1)

    def gates(self, seen: Tensor) -> Tensor:
        """Return the share of each branch in each feature (n, branches, width)."""
        return self.gate(seen.flatten(1)).view_as(seen).softmax(1)
