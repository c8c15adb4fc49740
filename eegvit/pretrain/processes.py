"""Several processes that pretrain one network, each on its part of every batch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """This process among those that work together.

    Each computes its share of a loss over the whole batch: the shares add up to it, and so do
    their gradients.

    Examples
    --------
    >>> Processes(rank=1, size=2).own(5)
    slice(3, 5, None)
    """

    rank: int = 0
    size: int = 1

    def own(self, n: int) -> slice:
        """Return which of n trials are this process's."""
        edges = self._edges(n)
        return slice(edges[self.rank], edges[self.rank + 1])

    def gather(self, x: Tensor, n: int) -> Tensor:
        """Return the n rows of all processes; what is done to them reaches their gradients."""
        if self.size == 1:
            return x
        edges = self._edges(n)
        sizes = [stop - start for start, stop in zip(edges[:-1], edges[1:], strict=True)]
        gathered: Tensor = _Gather.apply(x, sizes, self.rank)
        return gathered

    def add(self, values: Tensor) -> Tensor:
        """Return the sum over all processes."""
        if self.size > 1:
            values = values.detach().clone()
            dist.all_reduce(values)
        return values

    def add_gradients(self, network: nn.Module) -> None:
        """Add up the gradients of all processes."""
        if self.size == 1:
            return
        learned = [p for p in network.parameters() if p.requires_grad and p.grad is not None]
        flat = self.add(torch.cat([p.grad.flatten() for p in learned if p.grad is not None]))
        for parameter, part in zip(learned, flat.split([p.numel() for p in learned]), strict=True):
            parameter.grad = part.view_as(parameter).clone()

    def average_statistics(self, network: nn.Module) -> None:
        """Let all processes have the mean of their batch norms' running statistics."""
        if self.size == 1:
            return
        for values in network.buffers():
            if values.is_floating_point():
                values.copy_(self.add(values) / self.size)

    def _edges(self, n: int) -> list[int]:
        return [-(-n * rank // self.size) for rank in range(self.size + 1)]


class _Gather(torch.autograd.Function):
    """All rows from each process's own; backwards, what all processes do to the own rows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, sizes: list[int], rank: int) -> Tensor:
        ctx.sizes, ctx.rank = sizes, rank
        longest = max(sizes)
        padded = x.new_zeros(longest, *x.shape[1:])
        padded[: len(x)] = x
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded.contiguous())
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        gradient = gradients[0].contiguous().clone()
        dist.all_reduce(gradient)
        return gradient.split(ctx.sizes)[ctx.rank], None, None


def here() -> Processes:
    """Return this process among those that were joined; alone if none were.

    Examples
    --------
    >>> here()
    Processes(rank=0, size=1)
    """
    if not (dist.is_available() and dist.is_initialized()):
        return Processes()
    return Processes(dist.get_rank(), dist.get_world_size())


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that torchrun started; without torchrun this process stays alone.

    Examples
    --------
    >>> with joined() as processes:
    ...     print(processes.size)
    1
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield Processes()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    dist.init_process_group("gloo")
    try:
        yield here()
    finally:
        dist.destroy_process_group()
