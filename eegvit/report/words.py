"""Numbers, protocols and target use in words, the same in every table and figure."""

from __future__ import annotations

import math

from eegvit.config import Align, Evaluate, Study
from eegvit.plan.splits.split import N_FOLDS

METRIC_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "kappa": "Cohen's kappa",
    "macro_f1": "Macro F1",
    "roc_auc": "ROC-AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "calibration_error": "Calibration error",
}
SHORT_NAMES = {
    "accuracy": "Acc.",
    "balanced_accuracy": "Bal. acc.",
    "kappa": "Kappa",
    "macro_f1": "F1",
    "roc_auc": "AUC",
    "log_loss": "Log loss",
    "brier": "Brier",
    "calibration_error": "Calib. err.",
}
IN_PERCENT = frozenset({"accuracy", "balanced_accuracy", "macro_f1", "calibration_error"})
NOTHING = "–"


def score(metric: str, value: float) -> str:
    """Return a score as it is shown everywhere.

    Examples
    --------
    >>> score("accuracy", 0.7345), score("kappa", 0.4689), score("kappa", float("nan"))
    ('73.5', '0.469', '–')
    """
    if math.isnan(value):
        return NOTHING
    # the added millionth of a millionth rounds halves up whatever their binary form
    return f"{100 * value + 1e-10:.1f}" if metric in IN_PERCENT else f"{value:.3f}"


def signed(metric: str, difference: float) -> str:
    """Return a difference of scores, with its sign.

    Examples
    --------
    >>> signed("accuracy", -0.0151), signed("kappa", 0.1), signed("kappa", float("nan"))
    ('−1.5', '+0.100', '–')
    """
    if math.isnan(difference):
        return NOTHING
    return ("−" if difference < 0 else "+") + score(metric, abs(difference))


def unit(metric: str) -> str:
    """Return the unit that follows a score: " %" or nothing."""
    return " %" if metric in IN_PERCENT else ""


def p_value(value: float) -> str:
    """Return a p-value.

    Examples
    --------
    >>> p_value(0.03125), p_value(0.00002), p_value(1.0)
    ('0.031', '< 0.001', '1.00')
    """
    if math.isnan(value):
        return NOTHING
    if value < 0.001:
        return "< 0.001"
    return "1.00" if value >= 0.9995 else f"{value:.3f}"


def count(value: int | None) -> str:
    """Return a count with thin groups of thousands.

    Examples
    --------
    >>> count(1634)
    '1,634'
    """
    return NOTHING if value is None else f"{value:,}"


def macs(value: float) -> str:
    """Return multiply-accumulates in millions.

    Examples
    --------
    >>> macs(11758112), macs(420_000), macs(math.nan)
    ('12M', '0.4M', '–')
    """
    if math.isnan(value):
        return NOTHING
    millions = value / 1e6
    return f"{millions:.1f}M" if millions < 9.95 else f"{millions:,.0f}M"


def latency(value: float) -> str:
    """Return the seconds of a prediction in milliseconds, two digits at least.

    Examples
    --------
    >>> latency(0.00034), latency(0.0123), latency(math.nan)
    ('0.34 ms', '12 ms', '–')
    """
    if math.isnan(value):
        return NOTHING
    milliseconds = 1000 * value
    if milliseconds < 0.995:
        return f"{milliseconds:.2f} ms"
    return f"{milliseconds:.1f} ms" if milliseconds < 9.95 else f"{milliseconds:,.0f} ms"


def seconds(value: float) -> str:
    """Return a duration with two significant digits or in larger units.

    Examples
    --------
    >>> seconds(0.0123), seconds(4.26), seconds(75), seconds(7300)
    ('12 ms', '4.3 s', '75 s', '2.0 h')
    """
    if math.isnan(value):
        return NOTHING
    if value < 0.9995:
        return f"{1000 * value:.0f} ms" if value >= 0.001 or not value else "< 1 ms"
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 199.5:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5970 else f"{value / 3600:.1f} h"


def number_of(n: int, thing: str, things: str = "") -> str:
    """Return a count and its noun.

    Examples
    --------
    >>> number_of(1, "class", "classes"), number_of(2, "fit")
    ('1 class', '2 fits')
    """
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def protocol(evaluate: Evaluate) -> str:
    """Return what is trained on and what is tested, in sentences.

    Examples
    --------
    >>> protocol(Evaluate())
    'Cross-subject: each subject is tested by models trained on all the other subjects.'
    """
    said = {
        "within_session": _within_session,
        "cross_session": _cross_session,
        "cross_subject": _cross_subject,
        "cross_dataset": _cross_dataset,
    }[evaluate.protocol](evaluate)
    if evaluate.calibrate:
        said += (
            f" The {evaluate.calibrate} earliest trials of each class of a target's first session"
            " are moved to training with their labels and are not tested."
        )
    if evaluate.amounts:
        said += f" {_labels(evaluate)}"
    return said


def _labels(evaluate: Evaluate) -> str:
    unit = " %" if evaluate.label_fraction else ""
    shown = [
        f"{amount * (100 if unit else 1):g}{unit}" for amount in sorted(evaluate.amounts or ())
    ]
    amounts, draws = ", ".join(shown), number_of(evaluate.draws, "draw")
    if evaluate.labels_from == "target":
        return (
            f"Labels: none of the training people; of each person tested {amounts} trials of each"
            f" class, drawn at random from the earliest {shown[-1]}, {draws} of each; what comes"
            " after these is tested."
        )
    of = "of the training trials" if unit else "training trials of each class"
    return f"Labels: {amounts} {of}, drawn at random, {draws} of each."


def alignment(align: Align) -> str:
    """Return how recordings are aligned, in a sentence.

    Examples
    --------
    >>> alignment(Align(method="none"))
    'Recordings are not aligned.'
    """
    if align.method == "none":
        return "Recordings are not aligned."
    how = "from its past trials only" if align.mode == "causal" else "over all its trials"
    return f"Each {align.domain} is aligned ({align.method}) {how}, without labels."


def target_use(target: str) -> str:
    """Return what a row has used of the recordings it is tested on."""
    if target == "none":
        return "Nothing of the tested recording was used: each test trial is classified alone."
    return " ".join(_use(part) for part in target.split(" + "))


def target_title(target: str) -> str:
    """Return the heading of a group of the leaderboard.

    Examples
    --------
    >>> target_title("calibrated: 5 + causal"), target_title("none")
    ('Target use: calibrated (5 trials a class) + causal', 'Target use: none')
    """
    parts = [
        f"calibrated ({part.partition(': ')[2]} trials a class)"
        if part.startswith("calibrated")
        else part
        for part in target.split(" + ")
    ]
    return f"Target use: {' + '.join(parts)}"


def _use(part: str) -> str:
    if part == "causal":
        return (
            "Each test trial is aligned, recentred or seen from a mean by itself and earlier trials"
            " of the recording, or its network updated by earlier ones, without labels; this can"
            " run live."
        )
    if part == "unlabelled":
        return (
            "All trials of the tested recording were used together, without labels, to align it or"
            " to find the mean that its trials are seen from; this needs the whole recording first."
        )
    if part == "class shares":
        return (
            "The classes of a tested recording are taken to occur as often as in the training"
            " trials, where predictions were recentred, or equally often, where a network was"
            " updated or a bias of it learned."
        )
    if part == "own sessions":
        return (
            "Trained, with labels, on the other sessions of the person tested and on nobody else:"
            " a bound on what these trials hold, not what a new person would get."
        )
    if part == "copies":
        return (
            "Copies of tested trials are among the training trials (`duplicates: warn`): these"
            " scores say too much."
        )
    k = part.partition(": ")[2]
    return f"The first {k} trials of each class of the tested recording trained with labels."


def preprocessing(study: Study) -> str:
    """Return band, window and rate of each data set."""
    said = []
    for card in study.data:
        card = card.override(study.view)
        parts = [f"{card.window[0]:g} to {card.window[1]:g} s from the cue"]
        if card.band is not None:
            low, high = ("open" if edge is None else f"{edge:g}" for edge in card.band)
            forwards = ", filtered forwards only" if card.phase == "causal" else ""
            parts.append(f"{low}–{high} Hz{forwards}")
        if card.resample:
            parts.append(f"resampled to {card.resample:g} Hz")
        if card.channels:
            parts.append(number_of(len(card.channels), "channel"))
        said.append((f"{card.name}: " if len(study.data) > 1 else "") + ", ".join(parts))
    return "; ".join(said)


def _within_session(evaluate: Evaluate) -> str:
    folds = f"{evaluate.n_folds or N_FOLDS} folds"
    return (
        f"Within session: each session of each subject is cut into {folds}, each a"
        " stretch of every class's trials in time order, tested by models trained on the others."
    )


def _cross_session(evaluate: Evaluate) -> str:
    train, test = evaluate.train_sessions, evaluate.test_sessions
    if train is None and test is None:
        return (
            "Cross-session: each session of a subject after the first is tested by models trained"
            " on the earlier ones."
        )
    return _sides("Cross-session", "session", train, test)[:-1] + ", subject by subject."


def _cross_subject(evaluate: Evaluate) -> str:
    train, test = evaluate.train_subjects, evaluate.test_subjects
    if train is not None or test is not None:
        return _sides("Cross-subject", "subject", train, test)
    if evaluate.n_folds:
        return (
            f"Cross-subject: subjects are put into {evaluate.n_folds} groups; each group is tested"
            " by models trained on the subjects of the others."
        )
    return "Cross-subject: each subject is tested by models trained on all the other subjects."


def _cross_dataset(evaluate: Evaluate) -> str:
    train, test = evaluate.train_data, evaluate.test_data
    if train is not None or test is not None:
        return _sides("Cross-data-set", "data set", train, test)
    return "Cross-data-set: each data set is tested by models trained on all the other data sets."


def _sides(
    name: str, thing: str, train: tuple[str, ...] | None, test: tuple[str, ...] | None
) -> str:
    def side(names: tuple[str, ...] | None) -> str:
        if not names:
            return f"the other {thing}s"
        return f"{thing}{'s' if len(names) > 1 else ''} {', '.join(names)}"

    return f"{name}: models are trained on {side(train)} and tested on {side(test)}."
