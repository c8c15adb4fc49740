"""What a model uses of the people and sessions that it is tested on."""

from __future__ import annotations

from collections.abc import Collection

from eegvit.config import Align, Evaluate
from eegvit.data.folders import natural

MODES = {  # name in MOABB -> what may be used of the target
    "train": ("none",),
    "train_trialwise": ("none",),
    "train_and_target_unlabeled_full": ("none", "causal", "unlabelled"),
}


def of_target(evaluate: Evaluate) -> int | None:
    """Return how many labels a class of the target are given at most, where any are."""
    if evaluate.labels_from == "target" and evaluate.labels_per_class:
        return max(evaluate.labels_per_class)
    return evaluate.calibrate


def target(
    align: Align,
    evaluate: Evaluate,
    recentre: str = "none",
    saw_target: bool = False,
    copies: bool = False,
    own_sessions: bool = False,
    own: Collection[str] = (),
) -> str:
    """Return what a model uses of the people and sessions that it is tested on.

    Parameters
    ----------
    align : Align
        Its alignment.
    evaluate : Evaluate
        The protocol.
    recentre : str
        What its predictions are recentred over.
    saw_target : bool
        Whether it was pretrained on them.
    copies : bool
        Whether it trains on copies of what it is tested on.
    own_sessions : bool
        Whether it trains on other sessions of the people tested, and on nobody else.
    own : collection of str
        What the model itself uses of whom it predicts, as `uses_of_session` says.

    Examples
    --------
    >>> target(Align(method="euclidean", mode="causal"), Evaluate())
    'causal'
    >>> target(Align(method="none"), Evaluate(calibrate=5))
    'calibrated: 5'
    >>> target(Align(method="euclidean"), Evaluate(), "session")
    'unlabelled + class shares'
    >>> target(Align(method="none"), Evaluate(), "causal")
    'causal + class shares'
    >>> target(Align(method="none"), Evaluate(), own={"causal"})
    'causal'
    >>> target(Align(method="none"), Evaluate(), own={"unlabelled", "class shares"})
    'unlabelled + class shares'
    """
    kinds = ["own sessions"] if own_sessions else []
    calibrate = of_target(evaluate)
    if calibrate is not None:
        kinds.append(f"calibrated: {calibrate}")
    if align.method != "none":
        kinds.append("causal" if align.mode == "causal" else "unlabelled")
    live = recentre == "causal" or "causal" in own
    if live and not {"causal", "unlabelled"} & set(kinds):
        kinds.append("causal")
    whole = saw_target or recentre == "session" or "unlabelled" in own
    if whole and "unlabelled" not in kinds:
        kinds.append("unlabelled")
    if recentre != "none" or "class shares" in own:
        kinds.append("class shares")
    if copies:
        kinds.append("copies")
    return " + ".join(kinds) or "none"


def target_order(target: str) -> tuple[int, tuple[tuple[int, int, str], ...]]:
    """Return a sort key that puts what uses more of the target later.

    Examples
    --------
    >>> max("none", "unlabelled", "causal", key=target_order)
    'unlabelled'
    """
    order = ("none", "causal", "unlabelled")
    return (order.index(target), ()) if target in order else (len(order), natural(target))


def refuse_more(name: str, uses: str, mode: str | None) -> None:
    """Raise an error if a model uses more of the target than a mode of MOABB's allows.

    Examples
    --------
    >>> refuse_more("csp", "unlabelled", "train_and_target_unlabeled_full")
    >>> refuse_more("csp", "causal", "train")
    Traceback (most recent call last):
    ValueError: model 'csp' uses of the people tested: causal; evaluate.cs_mode 'train' allows none
    """
    if mode is None:
        return
    allowed = MODES[mode]
    if uses not in allowed:
        raise ValueError(
            f"model '{name}' uses of the people tested: {uses}; evaluate.cs_mode '{mode}' allows"
            f" {', '.join(allowed)}"
        )
