"""What a study of so many people could have shown."""

from __future__ import annotations

import numpy as np
from scipy import optimize, stats

FOUND = 0.8  # share of studies that find the difference
AT = 0.05


def detectable(spread: float, n_people: int, at: float = AT) -> float:
    """Return the smallest mean difference that 80 % of such studies would find.

    Parameters
    ----------
    spread : float
        Standard deviation over people of the paired differences.
    n_people : int
    at : float
        Level of the two-sided test.

    Returns
    -------
    float
        By the power of the paired t-test, which that of sign flips is close to; nan where so few
        people can show nothing: no pattern of their signs is as rare as the level.

    Examples
    --------
    >>> round(detectable(0.05, 20), 4), detectable(0.05, 5)
    (0.033, nan)
    """
    if n_people < 2 or np.isnan(spread) or 2.0 ** (1 - n_people) > at:
        return float("nan")
    degrees = n_people - 1
    limit = stats.t.ppf(1 - at / 2, degrees)

    def missed(shift: float) -> float:
        return float(stats.nct.sf(limit, degrees, shift)) - FOUND  # beyond it the right way

    shift = optimize.brentq(missed, 0.0, 2 * limit + 10)
    return float(shift * spread / np.sqrt(n_people))
