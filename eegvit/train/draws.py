"""Random numbers of several fits at once, each drawn from a state of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from eegvit.networks.device import random_states, set_random_states

RANDOM: set[Callable[..., Tensor]] = {
    torch.dropout,
    F.dropout,
    F.dropout1d,
    F.dropout2d,
    F.dropout3d,
    F.alpha_dropout,
    F.feature_alpha_dropout,
    torch.bernoulli,
}


class Layouts(TorchFunctionMode):
    """Note how the values that dropout gets lie in memory, on which depends what it draws.

    Examples
    --------
    >>> with Layouts() as layouts:
    ...     _ = F.dropout(torch.ones(2, 3).T)
    >>> layouts.strides
    [(1, 3)]
    """

    def __init__(self) -> None:
        super().__init__()
        self.strides: list[tuple[int, ...]] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch."""
        named = dict(kwargs or {})
        if draws(func, args, named):
            values = args[0] if args else named["input"]
            self.strides.append(torch.empty_like(values).stride())
        return func(*args, **named)


class OwnDraws(TorchFunctionMode):
    """Let dropout under `torch.func.vmap` draw for each fit what it would draw alone.

    `torch.bernoulli` likewise. Other random functions are left to `vmap`.

    Parameters
    ----------
    states : list
        A random state for each fit, as `random_states` returns it; they move on.
    strides : sequence
        Those that `Layouts` notes for one fit alone.
    device : str

    Attributes
    ----------
    zero : Tensor or None
        A zero of each fit, made under `vmap`: what is random becomes each fit's own by it.

    Examples
    --------
    >>> states = []
    >>> for seed in (3, 4):
    ...     _ = torch.manual_seed(seed)
    ...     states.append(random_states("cpu"))
    >>> with OwnDraws(states, [(1,)], "cpu"):
    ...     together = torch.func.vmap(F.dropout)(torch.ones(2, 5))
    >>> _ = torch.manual_seed(4)
    >>> torch.equal(together[1], F.dropout(torch.ones(5)))
    True
    """

    def __init__(
        self, states: list[list[Tensor]], strides: Sequence[tuple[int, ...]], device: str
    ) -> None:
        super().__init__()
        self.states, self.strides, self.device = states, iter(strides), device
        self.zero: Tensor | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch; a dropout is called for each fit by itself."""
        named = dict(kwargs or {})
        if func is torch.Tensor.contiguous:  # vmap knows no memory format but the usual one
            return func(args[0])
        if not draws(func, args, named):
            return func(*args, **named)
        x = args[0] if args else named.pop("input")
        if func is torch.bernoulli and self.zero is not None:
            x = x + self.zero.to(x)
        stride = next(self.strides)
        named.pop("inplace", None)

        def drop(fit: int, values: Tensor) -> Tensor:
            if values.stride() != stride:
                values = values.new_empty_strided(values.shape, stride).copy_(values)
            set_random_states(self.device, self.states[fit])
            dropped = func(values, *args[1:3], **named)
            self.states[fit] = random_states(self.device)
            return dropped

        return _FitByFit.apply(x, drop)


def draws(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> bool:
    """Say whether a call is of a dropout that drops anything."""
    share = arguments[1] if len(arguments) > 1 else named.get("p")
    return function in RANDOM and share != 0


class _FitByFit(torch.autograd.Function):
    """A function of each fit's values by themselves; under vmap only, which knows the fits."""

    @staticmethod
    def forward(x: Tensor, function: Callable[[int, Tensor], Tensor]) -> Tensor:
        raise RuntimeError("this network drops from what is the same in all fits")

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep nothing: what `vmap` calls has gradients of its own."""

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int, None], x: Tensor, function: Callable[[int, Tensor], Tensor]
    ) -> tuple[Tensor, int]:
        """Return the results for all fits, stacked."""
        values = x.unbind(in_dims[0])
        return torch.stack([function(fit, own) for fit, own in enumerate(values)]), 0
