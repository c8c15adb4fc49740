"""Cross-attention: every branch looks at the places of the others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.fusion.fusers import WIDTH

HEADS = 4
SEGMENTS = 4  # of each branch's places, whose means are seen at last
MOST = 64  # places of a branch; more are averaged in neighbourhoods


class CrossAttention(nn.Module):
    """Every branch looks at the places of the others, and adds what it finds to its own.

    Parameters
    ----------
    maps : sequence of lists of Tensor
        Those of a trial or more, for their shapes: of each branch, by depth. The last depth
        is used.
    dropout : float
        Share of the fused features set to zero in training.

    Examples
    --------
    >>> maps = [[torch.randn(5, 16, 15)], [torch.randn(5, 24, 31)]]
    >>> fuser = CrossAttention(maps)
    >>> fuser(maps).shape
    torch.Size([5, 256])
    """

    of_maps = True

    def __init__(self, maps: Sequence[Sequence[Tensor]], dropout: float = 0.25) -> None:
        super().__init__()
        self.dropout = dropout
        lasts = [own[-1] for own in maps]
        n_places = [min(MOST, x.shape[2]) for x in lasts]
        self.norm = nn.ModuleList(nn.BatchNorm1d(x.shape[1]) for x in lasts)
        self.project = nn.ModuleList(nn.Linear(x.shape[1], WIDTH) for x in lasts)
        self.position = nn.ParameterList(0.1 * torch.randn(n, WIDTH) for n in n_places)
        self.query = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.key = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.value = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.out = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.last_norm = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in lasts)
        self.n_features = WIDTH * sum(min(SEGMENTS, n) for n in n_places)

    def forward(self, maps: Sequence[Sequence[Tensor]]) -> Tensor:
        """Map the maps (n, width, places) of the branches to (n, n_features)."""
        tokens = self.tokens([own[-1] for own in maps])
        queries, keys, values = (
            [heads(layer(x)) for layer, x in zip(layers, tokens, strict=True)]
            for layers in (self.query, self.key, self.value)
        )  # each (n, heads, places, WIDTH / HEADS)
        seen = []
        for i, (own, out, norm) in enumerate(zip(tokens, self.out, self.last_norm, strict=True)):
            others = [j for j in range(len(tokens)) if j != i]
            found = attend(
                queries[i],
                torch.cat([keys[j] for j in others], 2),
                torch.cat([values[j] for j in others], 2),
            )
            x = norm(own + out(found.transpose(1, 2).flatten(2)))  # (n, places, WIDTH)
            seen.append(resampled(x.transpose(1, 2), min(SEGMENTS, x.shape[1])).flatten(1))
        return F.dropout(torch.cat(seen, 1), self.dropout, self.training)

    def tokens(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the places of each branch in the same coordinates (n, places, WIDTH)."""
        told = []
        for x, norm, project, place in zip(
            maps, self.norm, self.project, self.position, strict=True
        ):
            told.append(project(norm(resampled(x, len(place))).transpose(1, 2)) + place)
        return told


def heads(x: Tensor) -> Tensor:
    """Cut (n, places, width) into heads (n, heads, places, width / heads)."""
    return x.unflatten(2, (HEADS, -1)).transpose(1, 2)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the values that each query finds, all (n, heads, places, dim).

    Examples
    --------
    >>> x = torch.randn(2, 4, 6, 8)
    >>> expected = F.scaled_dot_product_attention(x, x, x)
    >>> torch.allclose(attend(x, x, x), expected, atol=1e-6)
    True
    """
    scores = query @ key.transpose(2, 3) * query.shape[3] ** -0.5
    return scores.softmax(3) @ value


def resampled(x: Tensor, n_places: int) -> Tensor:
    """Bring a map (n, width, places) to a number of places: means of neighbours, or repeats.

    Examples
    --------
    >>> resampled(torch.tensor([[[1.0, 3.0, 5.0, 7.0]]]), 2).tolist()
    [[[2.0, 6.0]]]
    >>> resampled(torch.tensor([[[1.0, 3.0]]]), 4).tolist()
    [[[1.0, 1.0, 3.0, 3.0]]]
    """
    return x if x.shape[2] == n_places else F.adaptive_avg_pool1d(x, n_places)
