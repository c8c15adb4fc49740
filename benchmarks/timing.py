"""Time two ways of doing the same thing, in turn, so that both meet the same machine."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

THREADS = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


def one_thread() -> None:
    """Keep numerical libraries to one thread; call before they are imported."""
    os.environ.update(THREADS)


def compare(ours: Callable[[], object], theirs: Callable[[], object], repeats: int) -> float:
    """Run both alternately, print the median milliseconds of each and the ratio."""
    for run in (ours, theirs):
        run()  # warm up
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(repeats):
        for name, run in (("ours", ours), ("theirs", theirs)):
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name} {1e3 * median:.1f} ms (median of {repeats})")
    ratio = medians["theirs"] / medians["ours"]
    print(f"ratio {ratio:.1f}x")
    return ratio
