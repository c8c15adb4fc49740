"""Where torch computes, and its random state there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


def choose_device(name: str) -> str:
    """Return the device that a name stands for; "auto" is the fastest that is there.

    Examples
    --------
    >>> choose_device("cpu")
    'cpu'
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return next((device for device, usable in there.items() if usable), "cpu")
    if not there.get(name, True):
        raise ValueError(f"device='{name}': there is none here; device='auto' takes what there is")
    return name


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch, and give the caller's random state back in the end.

    Examples
    --------
    >>> with seeded(0, "cpu"):
    ...     first = torch.rand(1)
    >>> with seeded(0, "cpu"):
    ...     print(torch.equal(torch.rand(1), first))
    True
    """
    before = random_states(device)
    torch.default_generator.manual_seed(seed)
    if device.startswith("cuda"):
        torch.cuda.manual_seed(seed)
    elif device == "mps":
        torch.mps.manual_seed(seed)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            yield
    finally:
        set_random_states(device, before)


def random_states(device: str) -> list[Tensor]:
    """Return torch's random state on the CPU and on the device."""
    states = [torch.get_rng_state()]
    if device.startswith("cuda"):
        states.append(torch.cuda.get_rng_state(device))
    elif device == "mps":
        states.append(torch.mps.get_rng_state())
    return states


def set_random_states(device: str, states: list[Tensor]) -> None:
    """Set what `random_states` returned."""
    torch.set_rng_state(states[0])
    if device.startswith("cuda"):
        torch.cuda.set_rng_state(states[1], device)
    elif device == "mps":
        torch.mps.set_rng_state(states[1])
