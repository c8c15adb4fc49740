"""Cross-attention: every branch looks at the places of the others."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.fusion.fusers import WIDTH
from eegvit.networks.fusion.maps import OverRows, resampled

HEADS = 4
SEGMENTS = 4  # stretches of time of each branch, whose means are seen at last
MOST = 64  # places of a branch, rows times columns; more are averaged in neighbourhoods


class CrossAttention(nn.Module):
    """Every branch looks at the places of the others, and adds what it finds to its own.

    A place is a row at a stretch of time. What is seen at last are stretches of time, the rows
    of each brought together by learned weights.

    Parameters
    ----------
    maps : sequence of lists of Tensor
        Those of a trial or more, for their shapes: of each branch, by depth. The last depth
        is used.
    dropout : float
        Share of the fused features set to zero in training.

    Examples
    --------
    >>> maps = [[torch.randn(5, 16, 1, 15)], [torch.randn(5, 24, 11, 31)]]
    >>> fuser = CrossAttention(maps)
    >>> fuser(maps).shape
    torch.Size([5, 256])
    """

    of_maps = True

    def __init__(self, maps: Sequence[Sequence[Tensor]], dropout: float = 0.25) -> None:
        super().__init__()
        self.dropout = dropout
        lasts = [own[-1] for own in maps]
        self.sizes = [most(x.shape[2], x.shape[3]) for x in lasts]
        n_places = [n_rows * n_columns for n_rows, n_columns in self.sizes]
        self.norm = nn.ModuleList(nn.BatchNorm1d(x.shape[1]) for x in lasts)
        self.project = nn.ModuleList(nn.Linear(x.shape[1], WIDTH) for x in lasts)
        self.position = nn.ParameterList(0.1 * torch.randn(n, WIDTH) for n in n_places)
        self.query = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.key = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.value = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.out = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lasts)
        self.last_norm = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in lasts)
        self.over_rows = nn.ModuleList(OverRows(WIDTH, n_rows) for n_rows, _ in self.sizes)
        self.n_features = WIDTH * sum(min(SEGMENTS, n_columns) for _, n_columns in self.sizes)

    def forward(self, maps: Sequence[Sequence[Tensor]]) -> Tensor:
        """Map the maps (n, width, rows, columns) of the branches to (n, n_features)."""
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
            on_map = x.transpose(1, 2).unflatten(2, self.sizes[i])
            in_time = self.over_rows[i](on_map)[:, :, None]  # (n, WIDTH, 1, columns)
            seen.append(resampled(in_time, 1, min(SEGMENTS, in_time.shape[3])).flatten(1))
        return F.dropout(torch.cat(seen, 1), self.dropout, self.training)

    def tokens(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the places of each branch in the same coordinates (n, places, WIDTH)."""
        told = []
        for x, size, norm, project, place in zip(
            maps, self.sizes, self.norm, self.project, self.position, strict=True
        ):
            told.append(project(norm(resampled(x, *size).flatten(2)).transpose(1, 2)) + place)
        return told


def most(n_rows: int, n_columns: int) -> tuple[int, int]:
    """Return how many rows and columns of a map are looked at: time is made coarser first.

    Examples
    --------
    >>> most(1, 125), most(11, 8), most(100, 8)
    ((1, 64), (11, 5), (64, 1))
    """
    n_rows = min(MOST, n_rows)
    return n_rows, min(n_columns, MOST // n_rows)


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
