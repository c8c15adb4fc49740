"""What fused models gain over their branches alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eegvit.branches.base import about
from eegvit.config import Model, Study
from eegvit.registry import branch_class
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.statistics.flips import holm, paired, sign_flip

NAN = float("nan")


@dataclass(frozen=True)
class FusionGain:
    """A fused model against the better of its branches, each alone in the same study.

    Parameters
    ----------
    model : str
        Its name in the study.
    alone : mapping
        Mean over subjects of each of its branches, by the name of the model that it is alone.
    otherwise : tuple of str
        Those of these that are trained otherwise: other epochs, augmentation and so on.
    better : str
        The one with the better mean.
    difference : float
        Mean over subjects, fused minus better branch.
    spread : float
        Standard deviation over seeds of such a difference: of the two means, added in squares.
    n_above, n_subjects : int
        Subjects for whom the fused model is better, and all.
    p, p_holm : float
        Of a two-sided paired test over subjects, alone and corrected for all fused models.
    """

    model: str
    alone: Mapping[str, float]
    otherwise: tuple[str, ...]
    better: str
    difference: float
    spread: float
    n_above: int
    n_subjects: int
    p: float
    p_holm: float


def fusion_gains(
    study: Study, board: Sequence[BoardRow], *, trained: bool = True
) -> list[FusionGain]:
    """Return the gain of each fused model whose branches are all in the study by themselves.

    Parameters
    ----------
    study : Study
    board : sequence of BoardRow
    trained : bool
        Say which branches are trained otherwise. It takes their classes, and defaults of today.
    """
    rows = {row.model: row for row in board if row.status == "ok"}
    sign = -1.0 if study.evaluate.metric in LOWER_IS_BETTER else 1.0
    found = []
    for name, model in study.models.items():
        names = branches_alone(study.models, model)
        if not names or name not in rows or not all(each in rows for each in names):
            continue
        better = max(names, key=lambda each: sign * rows[each].mean)
        found.append((rows[name], rows[better], {each: rows[each].mean for each in names}))
    differences = [paired(fused.subjects, better.subjects) for fused, better, _ in found]
    p_values = [sign_flip(d) if len(d) > 1 else NAN for d in differences]
    return [
        FusionGain(
            model=fused.model,
            alone=alone,
            otherwise=_otherwise(study.models, fused.model, alone) if trained else (),
            better=better.model,
            difference=float(np.mean(d)) if d else NAN,
            spread=_spread(fused, better),
            n_above=sum(sign * one > 0 for one in d),
            n_subjects=len(d),
            p=p,
            p_holm=p_holm,
        )
        for (fused, better, alone), d, p, p_holm in zip(
            found, differences, p_values, holm(p_values), strict=True
        )
    ]


def branches_alone(models: Mapping[str, Model], fused: Model) -> list[str]:
    """Return the names of models that are a fused model's branches; none if one is missing.

    Examples
    --------
    >>> branches = ["fbcsp", {"branch": "eegnet", "dropout": 0.5}]
    >>> models = {
    ...     "csp": Model(branch="fbcsp"),
    ...     "net": Model(branch="eegnet", parameters={"dropout": 0.5, "epochs": 3}),
    ...     "both": Model(branch="fusion", parameters={"branches": branches}),
    ... }
    >>> branches_alone(models, models["both"])
    ['csp', 'net']
    """
    if fused.branch != "fusion":
        return []
    found = []
    for branch in fused.parameters.get("branches", ()):
        member = {"branch": branch} if isinstance(branch, str) else branch
        same = [name for name, own in models.items() if not own.control and _is(own, member, fused)]
        if not same:
            return []
        found.append(same[0])
    return found


def _is(model: Model, branch: Mapping[str, Any], fused: Model) -> bool:
    """Say whether a model is a branch alone, on the same view."""
    given = {"branch": model.branch, **model.parameters}
    # The branch's own keys are compared one by one below.
    alike: dict[str, Any] = {"branch": "", "parameters": {}, "control": None}
    beside, wanted = (m.model_copy(update=alike) for m in (model, fused))
    return beside == wanted and all(given.get(key) == value for key, value in branch.items())


def _otherwise(models: Mapping[str, Model], fused: str, alone: Iterable[str]) -> tuple[str, ...]:
    known = (_training(models[fused]), None)
    return tuple(name for name in alone if _training(models[name]) not in known)


def _training(model: Model) -> object:
    """Return how a network is trained, None for what is no network."""
    return about(branch_class(model.branch)(**model.parameters)).training()


def _spread(fused: BoardRow, better: BoardRow) -> float:
    known = [row.seed_sd for row in (fused, better) if not math.isnan(row.seed_sd)]
    return math.hypot(*known) if known else NAN
