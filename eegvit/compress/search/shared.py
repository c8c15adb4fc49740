"""Which weights of a large EfficientViT a smaller one shares: those of its first units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.efficientvit.families.cascaded import LocalMixer, Merging
from eegvit.networks.efficientvit.families.cascaded_attention import CascadedAttention
from eegvit.networks.efficientvit.maps.electrode_map import ElectrodeMap
from eegvit.networks.efficientvit.maps.scalp_map import ScalpMap
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.efficientvit.rows import N_SUMS

Index = tuple[Tensor | slice, ...]  # what a tensor is indexed with
Shared = dict[str, Index]  # of each parameter; those that are not named are shared whole
Found = Iterator[tuple[str, Index]]


def shared(whole: EfficientViT, part: EfficientViT) -> Shared:
    """Return where the parameters of a part are in those of the whole.

    Planes are taken group by group: each head keeps the first planes of its own.

    Parameters
    ----------
    whole, part : EfficientViT
        Of the cascaded family, with the same heads; the part is no wider or deeper anywhere.

    Examples
    --------
    >>> small = {"widths": (8,), "depths": (1,), "heads": (2,), "key_dim": 2}
    >>> large = EfficientViT(3, 250, 2, sfreq=125.0, preset=small | {"widths": (16,)})
    >>> part = EfficientViT(3, 250, 2, sfreq=125.0, preset=small)
    >>> shared(large, part)["layout.project.norm.bias"][0].tolist()
    [0, 1, 2, 3, 8, 9, 10, 11]
    """
    stages: Any = whole.stages
    smaller: Any = part.stages
    sizes = zip(stages.widths, smaller.widths, stages.heads, strict=True)
    planes = [of_groups(large, small, heads) for large, small, heads in sizes]
    found = dict(_of_layout(part.layout, planes[0]))
    for stage, own in enumerate(planes):
        pairs = zip(stages.stages[stage], smaller.stages[stage], strict=False)
        for number, (large, small) in enumerate(pairs):
            path = f"stages.stages.{stage}.{number}"
            if isinstance(small, LocalMixer):
                first = stage > 0 and number == 0
                found |= dict(_of_mixer(path, small, planes[stage - 1] if first else own))
            elif isinstance(small, Merging):
                found |= dict(_of_merging(path, small, planes[stage - 1], own))
            else:
                parts = large.inner[0], small.inner[0]
                found |= dict(_of_attention(f"{path}.inner.0", *parts, own))
    found |= dict(_of_head(whole, part, planes if part.multi_scale else planes[-1:]))
    return found


def of_groups(large: int, small: int, n_groups: int) -> Tensor:
    """Return the first planes of each group.

    Examples
    --------
    >>> of_groups(8, 4, 2).tolist()
    [0, 1, 4, 5]
    """
    start = torch.arange(n_groups)[:, None] * (large // n_groups)
    return (start + torch.arange(small // n_groups)).flatten()


def at(rows: Tensor, columns: Tensor) -> Index:
    """Return the index of some rows and columns of a tensor.

    Examples
    --------
    >>> torch.arange(6).view(2, 3)[at(torch.tensor([1]), torch.tensor([2, 0]))].tolist()
    [[5, 3]]
    """
    return rows[:, None], columns


def _norm(path: str, planes: Tensor) -> Found:
    yield f"{path}.weight", (planes,)
    yield f"{path}.bias", (planes,)


def _conv(path: str, out: Tensor, into: Tensor | None = None) -> Found:
    """Yield a convolution and its norm; of a depthwise one nothing is `into`."""
    yield f"{path}.conv.weight", (out,) if into is None else at(out, into)
    yield from _norm(f"{path}.norm", out)


def _of_layout(layout: nn.Module, planes: Tensor) -> Found:
    if isinstance(layout, ScalpMap):
        yield from _conv("layout.project", planes)
        yield "layout.place", (planes,)
    elif isinstance(layout, ElectrodeMap):
        middle = torch.arange(layout.project.conv.in_channels)
        for name in ("time.weight", "space.weight", "place"):
            yield f"layout.filters.{name}", (middle,)
        yield from _norm("layout.filters.norm", middle)
        yield from _conv("layout.project", planes, middle)
    else:
        front: Any = layout.front
        filters = planes[:: front.depth] // front.depth
        yield "layout.front.temporal", (filters,)
        yield from _norm("layout.front.norm", filters)
        yield "layout.front.spatial", (planes,)
        yield from _norm("layout.norm", planes)


def _of_mixer(path: str, part: LocalMixer, planes: Tensor) -> Found:
    if hasattr(part, "interaction"):
        yield from _conv(f"{path}.interaction.inner.0", planes)
    if hasattr(part, "feed"):
        feed: Any = part.feed
        hidden = torch.arange(feed.inner[0][0].conv.out_channels)
        yield from _conv(f"{path}.feed.inner.0.0", hidden, planes)
        yield from _conv(f"{path}.feed.inner.0.2", planes, hidden)


def _of_merging(path: str, part: Merging, before: Tensor, after: Tensor) -> Found:
    layers: list[Any] = list(part)
    hidden = torch.arange(layers[0].conv.out_channels)
    squeezed = torch.arange(layers[4].squeeze.out_channels)
    yield from _conv(f"{path}.0", hidden, before)
    yield from _conv(f"{path}.2", hidden)
    yield f"{path}.4.squeeze.weight", at(squeezed, hidden)
    yield f"{path}.4.squeeze.bias", (squeezed,)
    yield f"{path}.4.excite.weight", at(hidden, squeezed)
    yield f"{path}.4.excite.bias", (hidden,)
    yield from _conv(f"{path}.5", after, hidden)


def _of_attention(path: str, whole: Any, part: Any, planes: Tensor) -> Found:
    cascaded = isinstance(part, CascadedAttention)
    rows, columns, start, given = [], [], 0, 0
    for head, (key, value) in enumerate(zip(part.key_dims, part.value_dims, strict=True)):
        of_keys, of_values = whole.key_dims[head], whole.value_dims[head]
        keys, values = torch.arange(key), torch.arange(value)
        own = torch.cat([keys, of_keys + keys, 2 * of_keys + values])
        if cascaded:
            group = torch.arange(part.qkv[head].conv.in_channels)
            yield from _conv(f"{path}.qkv.{head}", own, group)
            yield from _conv(f"{path}.query.{head}", keys)
        rows.append(start + own)
        columns.append(given + values)
        start, given = start + 2 * of_keys + of_values, given + of_values
    if not cascaded:
        yield from _conv(f"{path}.qkv", torch.cat(rows), planes)
    project = f"{path}.project.1" if cascaded else f"{path}.project"
    yield from _conv(project, planes, torch.cat(columns))


def _of_head(whole: EfficientViT, part: EfficientViT, seen: Sequence[Tensor]) -> Found:
    n_sums = N_SUMS if part.rows else 1
    widths = whole.stages.widths if part.multi_scale else whole.stages.widths[-1:]
    features, start = [], 0
    size = n_sums * part.segments  # features of a plane, side by side
    for number, (planes, width) in enumerate(zip(seen, widths, strict=True)):
        if part.rows:
            for name, _ in part.rows[number].named_parameters():
                yield f"rows.{number}.{name}", (planes,)
        features.append((start + planes[:, None] * size + torch.arange(size)).flatten())
        start += width * size
    yield from _norm("head.norm", torch.cat(features))
    yield "head.linear.weight", (slice(None), torch.cat(features))
