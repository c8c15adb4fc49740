"""Heads of attention that need not be equally wide."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Dims = int | Sequence[int]  # of all heads, or of each


def dims_of(given: Dims, n_heads: int) -> list[int]:
    """Return the width of each head.

    Examples
    --------
    >>> dims_of(4, 2), dims_of((4, 3), 2)
    ([4, 4], [4, 3])
    """
    dims = [given] * n_heads if isinstance(given, int) else list(given)
    if len(dims) != n_heads or min(dims, default=0) < 1:
        raise ValueError(f"widths {given!r} of {n_heads} heads: one number, or one for each head")
    return dims


def products(q: Tensor, k: Tensor, dims: Sequence[int]) -> Tensor:
    """Return the products of queries and keys, each over the root of its head's width.

    Parameters
    ----------
    q, k : Tensor, shape (n, planes of all heads, tokens)
    dims : sequence of int
        Planes of each head.

    Returns
    -------
    Tensor, shape (n, heads, queries, keys)

    Examples
    --------
    >>> products(torch.ones(1, 5, 2), torch.ones(1, 5, 3), (4, 1))[0, :, 0, 0].tolist()
    [2.0, 1.0]
    """
    if len(set(dims)) == 1:
        q, k = q.unflatten(1, (len(dims), -1)), k.unflatten(1, (len(dims), -1))
        return q.mT @ k * dims[0] ** -0.5
    own = zip(q.split(list(dims), 1), k.split(list(dims), 1), dims, strict=True)
    return torch.stack([a.mT @ b * dim**-0.5 for a, b, dim in own], 1)


def mixtures(weights: Tensor, v: Tensor, dims: Sequence[int]) -> Tensor:
    """Return the values of all heads, mixed by the weights of each.

    Parameters
    ----------
    weights : Tensor, shape (n, heads, queries, keys)
    v : Tensor, shape (n, planes of all heads, keys)
    dims : sequence of int
        Planes of each head.

    Returns
    -------
    Tensor, shape (n, planes of all heads, queries)

    Examples
    --------
    >>> mixtures(torch.full((1, 2, 1, 4), 0.25), torch.ones(1, 3, 4), (2, 1)).flatten().tolist()
    [1.0, 1.0, 1.0]
    """
    if len(set(dims)) == 1:
        return (v.unflatten(1, (len(dims), -1)) @ weights.mT).flatten(1, 2)
    own = zip(v.split(list(dims), 1), weights.unbind(1), strict=True)
    return torch.cat([values @ weight.mT for values, weight in own], 1)
