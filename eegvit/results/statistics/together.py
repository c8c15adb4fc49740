"""Several studies taken together: combined tests, and a meta-analysis of differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from eegvit.results.statistics.intervals import LEVEL

NAN = float("nan")
LEAST = 1e-15  # of a p-value whose normal score is taken


def stouffer(p_values: Sequence[float], signs: Sequence[float], people: Sequence[int]) -> float:
    """Return the two-sided p of several studies, combined by Stouffer's rule.

    Parameters
    ----------
    p_values : sequence of float
        Two-sided p of each study.
    signs : sequence of float
        Which way each difference goes.
    people : sequence of int
        Of each study; it counts by their square root.

    Examples
    --------
    >>> round(stouffer([0.05, 0.05], [1, 1], [10, 10]), 4)
    0.0056
    """
    p, above = np.asarray(p_values, np.float64), np.asarray(signs, np.float64) > 0
    if not len(p) or np.isnan(p).any():
        return NAN
    one_sided = np.clip(np.where(above, p / 2, 1 - p / 2), LEAST, 1 - LEAST)
    weights = np.sqrt(np.asarray(people, np.float64))
    combined = float(stats.combine_pvalues(one_sided, method="stouffer", weights=weights).pvalue)
    return min(1.0, 2 * min(combined, 1 - combined))


@dataclass(frozen=True)
class Pooled:
    """Differences of several studies, pooled as if drawn from many such studies.

    Parameters
    ----------
    mean, low, high : float
        The mean over studies and its 95 % interval.
    next_low, next_high : float
        Where the difference of the next data set lies, 95 %; nan for fewer than three studies.
    heterogeneity : float
        I²: share of the spread between studies that is not chance.
    spread : float
        Standard deviation between studies beyond chance.
    p_heterogeneity : float
        That the studies have one difference, by Cochran's Q.
    """

    mean: float
    low: float
    high: float
    next_low: float
    next_high: float
    heterogeneity: float
    spread: float
    p_heterogeneity: float


def pool(differences: Sequence[float], errors: Sequence[float]) -> Pooled | None:
    """Return a meta-analysis with random effects; None for fewer than two studies.

    The spread between studies is DerSimonian and Laird's; the interval is Hartung and Knapp's,
    which holds for few studies [1]_, and never narrower than with one difference for all.

    Parameters
    ----------
    differences : sequence of float
        Of each study.
    errors : sequence of float
        Their standard errors; all above zero.

    References
    ----------
    .. [1] IntHout et al., The Hartung-Knapp-Sidik-Jonkman method for random effects
       meta-analysis, BMC Medical Research Methodology 14, 2014.

    Examples
    --------
    >>> found = pool([0.02, 0.03, 0.10], [0.01, 0.01, 0.01])
    >>> round(found.mean, 3), round(found.heterogeneity, 2)
    (0.05, 0.95)
    """
    values, variances = np.asarray(differences, np.float64), np.asarray(errors, np.float64) ** 2
    n = len(values)
    if n < 2 or not (variances > 0).all():
        return None
    fixed = 1 / variances
    common = float(np.average(values, weights=fixed))
    q = float((fixed * (values - common) ** 2).sum())
    between = max(0.0, (q - (n - 1)) / (fixed.sum() - (fixed**2).sum() / fixed.sum()))
    weights = 1 / (variances + between)
    mean = float(np.average(values, weights=weights))
    scatter = float((weights * (values - mean) ** 2).sum()) / (n - 1)
    error = np.sqrt(max(scatter, 1.0) / weights.sum())
    reach = stats.t.ppf((1 + LEVEL) / 2, n - 1) * error
    ahead = NAN
    if n > 2:
        ahead = stats.t.ppf((1 + LEVEL) / 2, n - 2) * np.sqrt(between + 1 / weights.sum())
    return Pooled(
        mean=mean,
        low=float(mean - reach),
        high=float(mean + reach),
        next_low=float(mean - ahead),
        next_high=float(mean + ahead),
        heterogeneity=max(0.0, 1 - (n - 1) / q) if q > 0 else 0.0,
        spread=float(np.sqrt(between)),
        p_heterogeneity=float(stats.chi2.sf(q, n - 1)),
    )
