"""Units of linear attention at two scales."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import nn

from eegvit.networks.efficientvit.families.linear import LinearAttention, Within
from eegvit.networks.units.attentions import keep_width, starts
from eegvit.networks.units.unit import Place, Units, columns, leaving, rows


def of_linear(module: LinearAttention) -> Iterator[Units]:
    """Yield the units; a head is one of the first scale and that of the second which sees it."""
    near: Any = module.aggregate[0]
    mix: Any = taken_apart(module).parts
    n_heads = len(module.key_dims) // 2
    at_values = starts(module.value_dims)
    begin = starts(module.widths(first=True))[::3]
    heads: list[list[Place]] = []
    for head in range(n_heads):
        key, value, at = module.key_dims[head], module.value_dims[head], begin[head]
        to_query, to_key, to_value = mix[3 * head : 3 * head + 3]

        def given(unit: int, near: nn.Conv2d = near) -> list[Place]:
            return rows(module.qkv, [unit]) + rows(near, [unit])

        keys = [
            rows(module.qkv, [at + unit], carries=True)
            + rows(near, [at + unit])
            + given(at + key + unit)
            + columns(to_query, [unit])
            + columns(to_key, [unit], carries=True)  # of the key, what the second scale sees
            for unit in range(key)
        ]
        first = at + 2 * key
        values = [
            rows(module.qkv, [first + unit], carries=True)
            + rows(near, [first + unit])
            + columns(to_value, [unit])
            + columns(module.project, [at_values[head] + unit])
            for unit in range(value)
        ]
        yield Units(f"keys {head}", "keys", keys, keep_width(module.key_dims, head))
        yield Units(f"values {head}", "values", values, keep_width(module.value_dims, head))
        far = n_heads + head
        wide, start = module.value_dims[far], at_values[far]
        far_keys = [
            rows(to_query, [unit], carries=True) + rows(to_key, [unit])
            for unit in range(module.key_dims[far])
        ]
        far_values = [
            rows(to_value, [unit], carries=True) + columns(module.project, [start + unit])
            for unit in range(wide)
        ]
        yield Units(f"keys {far}", "keys", far_keys, keep_width(module.key_dims, far))
        yield Units(f"values {far}", "values", far_values, keep_width(module.value_dims, far))
        whole = rows(module.qkv, range(first, first + value), carries=True)
        whole += rows(module.qkv, range(at, first)) + rows(near, range(at, first + value))
        for one, width in ((to_query, key), (to_key, key), (to_value, value)):
            whole += leaving(columns(one, range(width)))
        whole += columns(module.project, range(at_values[head], at_values[head] + value))
        heads.append(whole + columns(module.project, range(start, start + wide)))
    yield Units("heads", "heads", heads, lambda kept: _keep_heads(module, kept))


def _keep_heads(module: LinearAttention, kept: Sequence[int]) -> None:
    n_heads = len(module.key_dims) // 2
    both = [*kept, *(n_heads + head for head in kept)]
    module.key_dims = [module.key_dims[head] for head in both]
    module.value_dims = [module.value_dims[head] for head in both]
    mix: Any = module.aggregate[1]
    mix.parts = nn.ModuleList(mix.parts[3 * head + part] for head in kept for part in range(3))


def taken_apart(module: LinearAttention) -> Within:
    """Make the convolution within groups of planes one of each group, and return it.

    Examples
    --------
    >>> attention, x = LinearAttention(16, dim=8), torch.randn(2, 16, 3, 5)
    >>> before = attention(x)
    >>> len(taken_apart(attention).parts), torch.allclose(attention(x), before, atol=1e-6)
    (6, True)
    """
    mix: Any = module.aggregate[1]
    if isinstance(mix, Within):
        return mix
    apart = Within(module.widths(first=True), module.widths(first=False)).to(mix.weight)
    with torch.no_grad():
        for part, weight in zip(apart.parts, mix.weight.chunk(mix.groups), strict=True):
            part.weight.copy_(weight)  # type: ignore[operator]
    module.aggregate[1] = apart
    return apart
