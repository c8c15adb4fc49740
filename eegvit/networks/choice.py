"""Which of several exact forms of a computation is the fastest here: measured once, remembered."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import torch
from torch import Tensor

from eegvit.sealed import read_mapping, recall, write_sealed

REPEATS = 3
CLEARLY = 0.8  # of the first form's time: less gain than that is not worth another rounding
SMALL = 2**15  # numbers in the input, below which nothing is to be won

_known: dict[str, str] = {}


def fastest(question: str, x: Tensor, forms: Mapping[str, Callable[[], Tensor]]) -> str:
    """Return the name of the form to compute: the first, unless another is clearly faster.

    The forms give the same up to rounding, so that one answer must hold for good, or a
    training that is repeated or resumed would not be the same: the first answer is written
    to a file beside the cache, for each question, shape, device and version of torch.

    Parameters
    ----------
    question : str
        What the forms compute, with every size that matters but those of x.
    x : Tensor
        The input, for its shape (trials rounded to a power of two), kind and device.
    forms : mapping of name to callable
        Each computes its form once, without lasting effect. Where gradients are on, the
        time to compute them counts.

    Examples
    --------
    >>> x = torch.ones(2, 3)
    >>> fastest("twice", x, {"product": lambda: 2 * x, "sum": lambda: x + x})
    'product'
    """
    first = next(iter(forms))
    if x.numel() < SMALL:
        return first
    shape = (1 << (len(x) - 1).bit_length(), *x.shape[1:])
    key = f"{question} {shape} {x.dtype} {torch.is_grad_enabled()} {_place(x)}"
    if key not in _known:
        _known.update(_remembered())
    if _known.get(key) not in forms:
        seconds = {name: _seconds(form, x) for name, form in forms.items()}
        best = min(seconds, key=lambda name: seconds[name])
        _known[key] = best if seconds[best] < CLEARLY * seconds[first] else first
        _remember(key, forms)
    return _known[key]


def traced(x: Tensor) -> bool:
    """Tell whether x stands for tensors to come: in torch.compile, torch.export or vmap.

    Examples
    --------
    >>> traced(torch.ones(2)), torch.vmap(lambda x: x + traced(x))(torch.ones(2)).tolist()
    (False, [2.0, 2.0])
    """
    return torch.compiler.is_compiling() or torch._C._functorch.is_functorch_wrapped_tensor(x)


def _place(x: Tensor) -> str:
    if x.device.type == "cuda":
        return f"{torch.cuda.get_device_name(x.device)} torch {torch.__version__}"
    kind = torch.backends.cpu.get_cpu_capability() if x.device.type == "cpu" else x.device.type
    return f"{kind} {torch.get_num_threads()} torch {torch.__version__}"


def _seconds(form: Callable[[], Tensor], x: Tensor) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        _wait(x)
        start = time.perf_counter()
        result = form()
        if result.requires_grad:
            result.sum().backward()
        _wait(x)
        best = min(best, time.perf_counter() - start)
    return best


def _wait(x: Tensor) -> None:
    if x.device.type == "cuda":
        torch.cuda.synchronize(x.device)


def _file() -> Path:
    root = os.environ.get("EEGVIT_CACHE") or Path.home() / ".cache" / "eegvit"
    return Path(root) / "forms.json"


def _remembered() -> dict[str, str]:
    return recall(_file(), read_mapping) or {}


def _remember(key: str, forms: Collection[str]) -> None:
    """Write an answer down, unless another process was first: then take its answer."""
    told = _remembered()
    if told.get(key) in forms:
        _known[key] = told[key]
        return
    with contextlib.suppress(OSError):  # a place that cannot be written to is measured again
        write_sealed(_file(), json.dumps({**told, key: _known[key]}, indent=1).encode("utf-8"))
