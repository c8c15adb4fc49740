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


def compare(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    repeats: int,
    names: tuple[str, str] = ("ours", "theirs"),
) -> float:
    """Run both alternately, print the median milliseconds of each and the ratio."""
    runs = dict(zip(names, (ours, theirs), strict=True))
    for run in runs.values():
        run()  # warm up
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name} {1e3 * median:.1f} ms (median of {repeats})")
    ratio = medians[names[1]] / medians[names[0]]
    print(f"ratio {ratio:.1f}x")
    return ratio
