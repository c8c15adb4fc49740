"""What a fitted model costs to use: multiply-accumulates, and time for one trial and for 64."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

BATCH = 64
REPEATS = 5
LONGEST = 1.0  # seconds after which no repeat is begun


def costs(model: Any, predict: Callable[[NDArray[Any]], Any], X: NDArray[Any]) -> dict[str, Any]:
    """Return what it costs to predict, from the signals to the probabilities.

    Parameters
    ----------
    model : estimator
        Its method `count_macs`, if it has one, tells the multiply-accumulates of a trial.
    predict : callable
        Everything that is done to trials (n, channels, times).
    X : array
        Trials, repeated where there are fewer than 64.

    Returns
    -------
    dict
        "macs" of one trial or None, and the wall seconds "seconds_1" and "seconds_64" of one
        trial and of 64 at once, the best of a few repeats. "spiking", what its method
        `spiking_activity` says of the trials, if it has one; "units", what pruning left of it.

    Examples
    --------
    >>> told = costs(object(), lambda X: X.mean(), np.zeros((2, 3, 4)))
    >>> told["macs"], 0 < told["seconds_1"] < 1
    (None, True)
    """
    batch = np.asarray(X[np.arange(BATCH) % len(X)])
    count = getattr(model, "count_macs", None)
    activity = getattr(model, "spiking_activity", None)
    spiking = activity(batch) if activity is not None else {}
    units = getattr(model, "units_", None)
    return {
        **({"spiking": spiking} if spiking else {}),
        **({"units": units} if units else {}),
        "macs": None if count is None else int(count()),
        "seconds_1": _best(lambda: predict(batch[:1])),
        f"seconds_{BATCH}": _best(lambda: predict(batch)),
    }


def _best(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    last = time.perf_counter()
    best = last - began
    for _ in range(REPEATS):
        if last - began > LONGEST:
            break
        run()
        now = time.perf_counter()
        best, last = min(best, now - last), now
    return best
