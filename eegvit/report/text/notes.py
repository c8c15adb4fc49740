"""How the figures of a page are to be read, in sentences."""

from __future__ import annotations

from eegvit.report import words
from eegvit.results.metrics import N_BINS, SMALLEST_PROBABILITY
from eegvit.results.results import Results
from eegvit.results.statistics.flips import N_EXACT
from eegvit.results.statistics.intervals import FEWEST, N_DRAWS


def notes(results: Results) -> list[str]:
    """Return what every score, interval, bound and test on the page means."""
    metric = words.METRIC_NAMES[results.study.evaluate.metric].lower()
    n = results.n_subjects
    said = [
        f"A subject's score is the {metric} over all its test trials, sessions pooled, for each"
        " seed; then the mean over seeds. scores.csv has a row per session as well.",
        "The score of a model is the mean over subjects; SD is over subjects. A model that lacks"
        " a fit has no mean and no rank.",
        "The 95 % interval is a bootstrap over subjects, its percentiles widened for small"
        f" numbers of them; fewer than {FEWEST} people give none. It is about new people of the"
        " same kind, not about new trials.",
        "SD over seeds is that of the mean over subjects; a dash means that the model does not"
        " depend on the seed, or that there is one seed only. People and seeds are two sources of"
        ' spread: the interval "with seeds" draws people and, apart from them, seeds; scores of'
        " several seeds are never counted as several people.",
        _chance(results),
        f"p is two-sided: signs of the paired differences are flipped over subjects"
        f" ({patterns(n)}), and corrected by Holm's rule: {_against(results)}{_smallest(n)}",
        "Ranks are given with their 95 % interval: people are drawn again, and the rows ranked"
        " anew. Rows that share a letter cannot be told apart at 5 % after correction; that is no"
        " proof that they are equal.",
        "ROC-AUC is that of the second class against the first, with more classes the mean of"
        " each against the rest; classes absent from a subject's trials are left out, and a"
        " subject with one class only has none.",
        f"Log loss is in nats, with probabilities clipped at {SMALLEST_PROBABILITY:g}."
        " The Brier score is the squared error summed over classes, from 0 to 2."
        f" Calibration error is the expected one over {N_BINS} bins of equal width of the"
        " probability of the predicted class.",
        "predictions.npz has the probabilities of every test trial, model and seed, so that"
        " everything here can be computed again.",
    ]
    return said


def _chance(results: Results) -> str:
    metric = results.study.evaluate.metric
    if metric in ("log_loss", "brier"):
        name = words.METRIC_NAMES[metric].lower()
        return f"Chance is the {name} of the class frequencies themselves; it has no bound."
    meaning = {
        "accuracy": "Chance is the share of the most frequent class; its bound is binomial over"
        " the number of test trials",
        "roc_auc": "Chance is 0.5; its bound follows from the Mann-Whitney variance",
    }.get(metric, "Chance is guessing by the class frequencies; its bound is drawn from that")
    return (
        f"{meaning}, one-sided at 95 %, for each subject and for the mean over subjects. A score"
        " within it may be luck."
    )


def _against(results: Results) -> str:
    if results.against:
        return f"against {results.study.reference}, chosen beforehand, for all other rows."
    return "of all pairs of the group, so that picking the best from the same scores costs nothing."


def patterns(n_subjects: int) -> str:
    """Return how many patterns of signs are tried."""
    return "every pattern" if n_subjects <= N_EXACT else f"{N_DRAWS:,} drawn patterns"


def _smallest(n_subjects: int) -> str:
    if not 2 <= n_subjects <= N_EXACT:
        return ""
    smallest = words.p_value(2.0 ** (1 - n_subjects))
    shown = smallest if smallest.startswith("<") else f"{smallest}"
    return f" With {n_subjects} subjects the smallest possible p before correction is {shown}."
