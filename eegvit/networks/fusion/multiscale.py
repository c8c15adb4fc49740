"""Maps of several depths of every branch, weighted by learned attention."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.fusion.fusers import WIDTH
from eegvit.networks.fusion.maps import OverRows, resampled

LENGTH = 16  # stretches of time that every map is brought to


class Multiscale(nn.Module):
    """All maps brought to one length and width; a trial decides how much of each it sees.

    What is added up are features at the same time. Rows are brought together by learned weights;
    a map without time is the same at every time.

    Parameters
    ----------
    maps : sequence of lists of Tensor
        Those of a trial or more, for their shapes: of each branch, by depth.
    dropout : float
        Share of the fused features set to zero in training.

    Examples
    --------
    >>> maps = [
    ...     [torch.randn(5, 16, 1, 125), torch.randn(5, 16, 1, 15)],
    ...     [torch.randn(5, 24, 11, 8)],
    ... ]
    >>> fuser = Multiscale(maps)
    >>> fuser(maps).shape, fuser.weights(fuser.aligned(maps)).shape
    (torch.Size([5, 512]), torch.Size([5, 3]))
    """

    of_maps = True

    def __init__(self, maps: Sequence[Sequence[Tensor]], dropout: float = 0.25) -> None:
        super().__init__()
        self.n_features, self.dropout = WIDTH * LENGTH, dropout
        every = [x for own in maps for x in own]
        self.norm = nn.ModuleList(nn.BatchNorm2d(x.shape[1]) for x in every)
        self.project = nn.ModuleList(nn.Linear(x.shape[1], WIDTH) for x in every)
        self.over_rows = nn.ModuleList(OverRows(WIDTH, x.shape[2]) for x in every)
        self.score = nn.ModuleList(nn.Linear(WIDTH, 1) for _ in every)

    def forward(self, maps: Sequence[Sequence[Tensor]]) -> Tensor:
        """Map the maps (n, width, rows, columns) of all branches and depths to (n, n_features)."""
        x = self.aligned(maps)
        weighted = torch.einsum("ns,nslw->nlw", self.weights(x), x)
        return F.dropout(weighted.flatten(1), self.dropout, self.training)

    def aligned(self, maps: Sequence[Sequence[Tensor]]) -> Tensor:
        """Return all maps with the same times and width (n, maps, LENGTH, WIDTH)."""
        every = [x for own in maps for x in own]
        told = []
        for x, norm, project, over_rows in zip(
            every, self.norm, self.project, self.over_rows, strict=True
        ):
            seen = resampled(norm(x), x.shape[2], LENGTH)
            seen = F.elu(project(seen.permute(0, 2, 3, 1)))  # (n, rows, LENGTH, WIDTH)
            told.append(over_rows(seen.permute(0, 3, 1, 2)).transpose(1, 2))
        return torch.stack(told, 1)

    def weights(self, x: Tensor) -> Tensor:
        """Return how much of each aligned map a trial sees (n, maps)."""
        means = x.mean(2).unbind(1)
        scores = [score(mean) for score, mean in zip(self.score, means, strict=True)]
        return torch.cat(scores, 1).softmax(1)
