"""Units of attention: keys (with their queries), values, heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import nn

from eegvit.networks.efficientvit.families.cascaded_attention import (
    CascadedAttention,
    PlainAttention,
)
from eegvit.networks.efficientvit.families.former_attention import (
    DualPathDownsampling,
    TalkingAttention,
)
from eegvit.networks.efficientvit.families.multiscale import MultiscaleAttention, sizes
from eegvit.networks.efficientvit.families.offset_bias import OffsetBias
from eegvit.networks.spread import Spread
from eegvit.networks.units.unit import Place, Units, columns, leaving, rows


def starts(dims: Sequence[int]) -> list[int]:
    """Return where each of several parts begins.

    Examples
    --------
    >>> starts([4, 3, 2])
    [0, 4, 7]
    """
    return [sum(dims[:number]) for number in range(len(dims))]


def of_bias(bias: nn.Module, head: int, *, carries: bool = False) -> list[Place]:
    """Return the places of a head in biases: a row of each parameter, or of the flat table.

    Examples
    --------
    >>> [place.positions for place in of_bias(OffsetBias(2, (1, 3)), 1)]
    [(3, 4, 5)]
    """
    if isinstance(bias, OffsetBias):
        size = bias.shape[1] * bias.shape[2]
        return [Place(bias, "table", 0, tuple(range(head * size, (head + 1) * size)), carries)]
    return [Place(bias, name, 0, (head,), carries) for name, _ in bias.named_parameters()]


def keep_heads(module: Any, kept: Sequence[int], lists: Sequence[str]) -> None:
    """Leave some heads in an attention: in what it has of each, and in its biases."""
    for name in lists:
        each = getattr(module, name)
        left = [each[head] for head in kept]
        setattr(module, name, nn.ModuleList(left) if isinstance(each, nn.ModuleList) else left)
    bias = getattr(module, "bias", None)
    if isinstance(bias, OffsetBias):
        bias.shape = (len(kept), *bias.shape[1:])


def keep_width(dims: list[int], head: int) -> Callable[[Sequence[int]], None]:
    """Return what notes how wide a head is once some of its units are left."""

    def narrow(kept: Sequence[int]) -> None:
        dims[head] = len(kept)

    return narrow


def of_cascaded(module: CascadedAttention) -> Iterator[Units]:
    """Yield the units of cascaded group attention."""
    project: Any = module.project[1]
    heads: list[list[Place]] = []
    for head, start in enumerate(starts(module.value_dims)):
        qkv: Any = module.qkv[head]
        query: Any = module.query[head]
        n_keys, n_values = module.key_dims[head], module.value_dims[head]
        keys = [
            rows(qkv, [unit]) + rows(qkv, [n_keys + unit]) + rows(query, [unit], carries=True)
            for unit in range(n_keys)
        ]
        values = [
            rows(qkv, [2 * n_keys + unit], carries=True) + columns(project, [start + unit])
            for unit in range(n_values)
        ]
        narrow = keep_width(module.key_dims, head)
        yield Units(f"keys {head}", "keys", keys, narrow, scaled=True)
        yield Units(f"values {head}", "values", values, _spread(module, head))
        first = range(2 * n_keys, 2 * n_keys + n_values)
        goes = rows(qkv, first, carries=True) + rows(qkv, range(2 * n_keys))
        goes += rows(query, range(n_keys))
        stays = columns(project, range(start, start + n_values))
        heads.append([*leaving(goes), *stays, *of_bias(module.bias, head)])
    lists = ("qkv", "query", "spread", "groups", "key_dims", "value_dims")
    yield Units("heads", "heads", heads, lambda kept: keep_heads(module, kept, lists))


def _spread(module: CascadedAttention, head: int) -> Callable[[Sequence[int]], None]:
    def narrow(kept: Sequence[int]) -> None:
        module.value_dims[head] = len(kept)
        before, qkv = module.spread[head], module.qkv[head]
        if not isinstance(before, Spread):
            before = Spread(qkv.conv.in_channels, range(qkv.conv.in_channels))  # type: ignore
        module.spread[head] = before.narrowed(kept)

    return narrow


def of_plain(module: PlainAttention) -> Iterator[Units]:
    """Yield the units of plain attention, whose planes are those of one head after another."""
    dims = list(zip(module.key_dims, module.value_dims, strict=True))
    first = starts([2 * key + value for key, value in dims])
    heads: list[list[Place]] = []
    for head, start in enumerate(starts(module.value_dims)):
        (key, value), at = dims[head], first[head]
        yield Units(
            f"keys {head}",
            "keys",
            [
                rows(module.qkv, [at + unit], carries=True) + rows(module.qkv, [at + key + unit])
                for unit in range(key)
            ],
            keep_width(module.key_dims, head),
            scaled=True,
        )
        values = [
            rows(module.qkv, [at + 2 * key + unit], carries=True)
            + columns(module.project, [start + unit])
            for unit in range(value)
        ]
        yield Units(f"values {head}", "values", values, keep_width(module.value_dims, head))
        whole = rows(module.qkv, range(at, at + 2 * key))
        whole += [place for unit in values for place in unit]
        heads.append([*whole, *of_bias(module.bias, head)])
    lists = ("key_dims", "value_dims")
    yield Units("heads", "heads", heads, lambda kept: keep_heads(module, kept, lists))


def of_former(module: TalkingAttention | DualPathDownsampling) -> Iterator[Units]:
    """Yield the units of the attentions of EfficientFormerV2."""
    heads: list[list[Place]] = []
    at_keys, at_values = starts(module.key_dims), starts(module.value_dims)
    for head, (key, value) in enumerate(zip(module.key_dims, module.value_dims, strict=True)):
        keys = [
            rows(module.query, [at], carries=True) + rows(module.key, [at])
            for at in range(at_keys[head], at_keys[head] + key)
        ]
        values = [
            rows(module.value, [at])
            + rows(module.local, [at])
            + columns(module.project, [at], carries=True)
            for at in range(at_values[head], at_values[head] + value)
        ]
        yield Units(f"keys {head}", "keys", keys, keep_width(module.key_dims, head), scaled=True)
        yield Units(f"values {head}", "values", values, keep_width(module.value_dims, head))
        whole = [place for unit in [*keys, *values] for place in unit]
        if isinstance(module, TalkingAttention):
            before, after = module.talk_before, module.talk_after
            whole += rows(before, [head]) + columns(before, [head]) + rows(after, [head])
            whole += columns(after, [head], carries=True)
        heads.append([*whole, *of_bias(module.bias, head, carries=True)])
    lists = ("key_dims", "value_dims")
    yield Units("heads", "heads", heads, lambda kept: keep_heads(module, kept, lists))


def of_multiscale(module: MultiscaleAttention) -> Iterator[Units]:
    """Yield the units of attention at three scales."""
    dims = module.dims()
    at_rows = starts([sum(sizes(own)) for own in dims])
    at_columns = starts([sizes(own)[2] for own in dims])
    for number, own in enumerate(dims):
        group: Any = module.groups[number]
        n_keys = sizes(own)[0]
        at_keys, at_values = starts([key for key, _ in own]), starts([value for _, value in own])
        heads: list[list[Place]] = []
        for head, (key, value) in enumerate(own):
            first = at_rows[number] + at_keys[head]
            keys = [
                rows(module.qkv, [first + unit], carries=True)
                + rows(module.qkv, [first + n_keys + unit])
                for unit in range(key)
            ]
            first = at_rows[number] + 2 * n_keys + at_values[head]
            given = at_columns[number] + at_values[head]
            values = [
                rows(module.qkv, [first + unit], carries=True)
                + columns(module.project, [given + unit])
                for unit in range(value)
            ]
            name = f"group {number} keys {head}"
            yield Units(name, "keys", keys, _width(module, number, head, 0), scaled=True)
            name = f"group {number} values {head}"
            yield Units(name, "values", values, _width(module, number, head, 1))
            heads.append([place for unit in [*_uncarried(keys), *values] for place in unit])
            if hasattr(group, "bias"):
                heads[-1] += of_bias(group.bias, head)
        yield Units(f"group {number} heads", "heads", heads, _heads(module, number))


def _uncarried(units: Sequence[Sequence[Place]]) -> list[list[Place]]:
    return [
        [Place(place.module, place.name, place.dim, place.positions) for place in unit]
        for unit in units
    ]


def _own_dims(module: MultiscaleAttention) -> list[Any]:
    """Give each group of heads widths of its own."""
    groups: list[Any] = list(module.groups)
    for group, dims in zip(groups, module.dims(), strict=True):
        group.dims = list(dims)
    return groups


def _width(
    module: MultiscaleAttention, number: int, head: int, which: int
) -> Callable[[Sequence[int]], None]:
    def narrow(kept: Sequence[int]) -> None:
        dims = _own_dims(module)[number].dims
        pair = list(dims[head])
        pair[which] = len(kept)
        dims[head] = (pair[0], pair[1])

    return narrow


def _heads(module: MultiscaleAttention, number: int) -> Callable[[Sequence[int]], None]:
    def narrow(kept: Sequence[int]) -> None:
        group = _own_dims(module)[number]
        keep_heads(group, kept, ("dims",))
        group.n_heads = len(kept)

    return narrow
