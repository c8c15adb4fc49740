"""How many bits a minute selections carry, after Wolpaw et al. 2002."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eegvit.config import Study, View
from eegvit.results.leaderboard import Tested, subject_scores


@dataclass(frozen=True)
class Rate:
    """What the selections of a model carry.

    Parameters
    ----------
    model : str
        A model or an ensemble.
    seconds : float
        Length of the window that a selection takes.
    bits : mapping
        Bits of a selection of each person, by the person's accuracy.
    """

    model: str
    seconds: float
    bits: Mapping[str, float]

    @property
    def per_minute(self) -> dict[str, float]:
        """Bits a minute of each person, with a window right after the other."""
        return {who: bits * 60 / self.seconds for who, bits in self.bits.items()}


def wolpaw_bits(accuracy: float, n_classes: int) -> float:
    """Return the bits of a selection among equally likely classes; 0 at chance and below [1]_.

    Parameters
    ----------
    accuracy : float
        How often the selection is right; errors are spread evenly over the other classes.
    n_classes : int
        Among how many it selects.

    Examples
    --------
    >>> wolpaw_bits(0.25, 4), wolpaw_bits(1.0, 4), round(wolpaw_bits(0.9, 4), 3)
    (0.0, 2.0, 1.373)

    References
    ----------
    .. [1] Wolpaw et al., Brain-computer interfaces for communication and control, Clinical
       Neurophysiology 113, 2002.
    """
    if n_classes < 2 or not 0 <= accuracy <= 1:
        raise ValueError(
            f"an accuracy of {accuracy:g} among {n_classes} classes has no bits: it is a share"
            " from 0 to 1, and there are two classes or more"
        )
    if accuracy <= 1 / n_classes:
        return 0.0
    wrong = 1 - accuracy
    lost = wrong * math.log2(wrong / (n_classes - 1)) if wrong else 0.0
    return math.log2(n_classes) + accuracy * math.log2(accuracy) + lost


def information_rates(study: Study, tested: Tested, n_classes: int) -> dict[str, Rate]:
    """Return what the selections of each model and ensemble carry.

    A person's accuracy is the mean over seeds; a person who lacks a fit is left out.

    Parameters
    ----------
    study : Study
        Says how long windows are.
    tested : mapping
        Predictions by model and seed.
    n_classes : int
        Among how many classes they select.
    """
    accuracies: dict[str, list[dict[str, float]]] = {}
    for (model, _), predictions in tested.items():
        own = subject_scores(predictions)
        accuracies.setdefault(model, []).append({who: s["accuracy"] for who, s in own.items()})
    found = {}
    for model, seeds in accuracies.items():
        shared = [who for who in seeds[0] if all(who in one for one in seeds)]
        means = {who: float(np.mean([one[who] for one in seeds])) for who in shared}
        bits = {who: wolpaw_bits(accuracy, n_classes) for who, accuracy in means.items()}
        found[model] = Rate(model, _seconds(study, model), bits)
    return found


def _seconds(study: Study, model: str) -> float:
    """Return the length of a model's window; of an ensemble, that of its slowest member."""
    if model in study.ensembles:
        return max(_seconds(study, member) for member in study.ensembles[model].of)
    own = study.models[model].view or View()
    start, stop = study.data[0].override(study.view).override(own).window
    return stop - start
