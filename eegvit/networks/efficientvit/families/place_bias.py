"""Where a query's place on the scalp is from a key's, and how long between them, as a bias."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

CENTRES = np.array([0.0, 0.4, 0.8, 1.2, 1.6, 2.0])  # radians apart
WIDTH = 0.3  # of the bump around each centre


class PlaceBias(nn.Module):
    """A learned bias for each head: of distance and direction on the scalp, and of time apart.

    That of places is a sum over what `relations` says of the two, so that it means the same
    for any electrodes.

    Parameters
    ----------
    n_heads : int
    places : array (rows, 3)
        Unit vector of each row.
    reach : int
        Columns told apart; those further off share the last one's bias.
    mirrored : bool
        Whether the bias of two places is that of their mirror images.

    Examples
    --------
    >>> PlaceBias(2, np.eye(3), 4)(3, 5).shape
    torch.Size([2, 15, 15])
    """

    relations: Tensor

    def __init__(
        self, n_heads: int, places: NDArray[np.floating], reach: int, mirrored: bool = False
    ) -> None:
        super().__init__()
        known = torch.from_numpy(relations(places, mirrored=mirrored)).float()
        self.register_buffer("relations", known, persistent=False)  # (known, rows, rows)
        self.place = nn.Parameter(torch.zeros(n_heads, len(known)))
        self.time_bias = nn.Parameter(torch.zeros(n_heads, reach))

    def forward(self, rows: int, columns: int) -> Tensor:
        """Give (heads, queries, keys)."""
        n_heads, reach = self.time_bias.shape
        space = torch.tensordot(self.place, self.relations, 1)  # (heads, rows, rows)
        column = torch.arange(columns, device=space.device)
        apart = (column[:, None] - column).abs().clamp_max(reach - 1)
        time = self.time_bias[:, apart]  # (heads, columns, columns)
        bias = space[:, :, None, :, None] + time[:, None, :, None, :]
        return bias.reshape(n_heads, rows * columns, rows * columns)


def relations(places: NDArray[np.floating], *, mirrored: bool = False) -> NDArray[np.float64]:
    """Return what is known of each pair, (known, queries, keys).

    How near the angle between them is to each of `CENTRES`, how far the key is to the right of
    the query, in front of it and above it, and whether both are on the same side of the head.
    Where mirror images are to be alike, how much further from the midline it is, not to the right.

    Examples
    --------
    >>> left, right = [-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]
    >>> relations(np.array([left, right]))[-4:, 0].tolist()
    [[0.0, 2.0], [0.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    """
    angles = np.arccos(np.clip(places @ places.T, -1.0, 1.0))
    near = np.exp(-(((angles - CENTRES[:, None, None]) / WIDTH) ** 2) / 2)
    seen = np.abs(places) * [1, 0, 0] + places * [0, 1, 1] if mirrored else places
    toward = (seen[None] - seen[:, None]).transpose(2, 0, 1)
    side = np.sign(np.where(np.abs(places[:, 0]) < 0.05, 0.0, places[:, 0]))
    return np.concatenate([near, toward, (side[:, None] == side)[None]])
