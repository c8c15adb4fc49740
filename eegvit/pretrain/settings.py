"""What pretraining aims at, and how it is carried out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from eegvit.registry import suggest
from eegvit.train.recipe import Recipe

Positives = Literal["view", "neighbour", "label"]
Target = Literal["signal", "log_power"]


def _is_number(value: object, default: int | float) -> bool:
    kinds = int if isinstance(default, int) else (int, float)
    return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What the network is trained for without labels: a contrast, a reconstruction, or both.

    Parameters
    ----------
    contrast : float
        Weight of the contrastive loss; 0 leaves it out.
    positives : {"view", "neighbour", "label"}
        What a trial is to be like: another view of itself; also a trial near in time in the
        same recording; also the trials of its class, where labels are known.
    near : int
        How far apart in a recording neighbours are at most, in trials or windows.
    temperature : float
        Of the contrast; lower looks at the hardest negatives only.
    same_recording : float
        Weight of negatives of a trial's own recording: below 1 spares what is alike anyway,
        above 1 leaves nothing to be gained by knowing the recording, 0 drops them.
    align_people : float
        Weight of differences between people in mean and covariance of embeddings.
    queue : int
        Embeddings of earlier batches that serve as negatives, but for those that would be a
        trial's positives.
    momentum : float
        Share of itself that a slow copy of the network keeps in each step; the copy embeds
        what anchors are compared with. 0 has no copy.
    projection : int
        Width of the embedding that is contrasted.
    reconstruct : float
        Weight of the reconstruction loss; 0 leaves it out.
    target : {"signal", "log_power"}
        What is reconstructed of each patch: its samples, or the logarithm of its power in
        bands, standardised.
    mask : float
        Share of the patches (an electrode in a stretch of time) that are hidden and
        reconstructed; 0 hides none and reconstructs all.
    patches : int
        Stretches of time that a trial is cut into.
    bands : int
        Bands of "log_power", each wider than the one below.

    Examples
    --------
    >>> objective({"name": "masked", "mask": 0.3}).mask
    0.3
    """

    contrast: float = 1.0
    positives: Positives = "view"
    near: int = 2
    temperature: float = 0.2
    same_recording: float = 1.0
    align_people: float = 0.0
    queue: int = 0
    momentum: float = 0.0
    projection: int = 64
    reconstruct: float = 0.0
    target: Target = "log_power"
    mask: float = 0.4
    patches: int = 8
    bands: int = 8

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, int | float) and not _is_number(value, field.default):
                kind = "a number" if isinstance(field.default, float) else "a whole number"
                raise ValueError(f"{field.name}={value!r}: it must be {kind}")
        if not self.contrast and not self.reconstruct:
            raise ValueError("an objective needs contrast or reconstruct above 0")
        if not self.temperature > 0:
            raise ValueError(f"temperature={self.temperature!r}: it must be positive")
        for name in ("mask", "momentum"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: it must be in [0, 1)")
        for name in ("contrast", "same_recording", "align_people", "queue", "reconstruct"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}={getattr(self, name)!r}: it must be 0 or more")
        for name in ("near", "projection", "patches", "bands"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: it must be 1 or more")
        for name, known in (("positives", get_args(Positives)), ("target", get_args(Target))):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}={getattr(self, name)!r}: it is one of {', '.join(known)}")


OBJECTIVES: dict[str, Objective] = {
    "contrastive": Objective(),
    "momentum": Objective(momentum=0.99, queue=1024),
    "temporal": Objective(positives="neighbour"),
    "cross_subject": Objective(same_recording=2.0, align_people=1.0),
    "supervised": Objective(positives="label"),
    "masked": Objective(contrast=0.0, reconstruct=1.0),
    "contrastive+masked": Objective(reconstruct=1.0),
}


def objective(given: str | Mapping[str, Any]) -> Objective:
    """Return the objective of a name, or of a mapping with a name and what it changes.

    Examples
    --------
    >>> objective("temporal").positives
    'neighbour'
    """
    settings = {"name": given} if isinstance(given, str) else dict(given)
    name = settings.pop("name", "contrastive")
    if name not in OBJECTIVES:
        raise ValueError(f"there is no objective '{name}'{suggest(name, OBJECTIVES)}")
    known = [field.name for field in fields(Objective)]
    for setting in settings:
        if setting not in known:
            raise ValueError(f"an objective has no '{setting}'{suggest(setting, known)}")
    return replace(OBJECTIVES[name], **settings)


@dataclass(frozen=True, kw_only=True)
class PretrainRecipe(Recipe):
    """How to pretrain a network; the parameters of training are those of `Recipe`.

    Parameters
    ----------
    objective : Objective
    views : tuple of (str, float)
        Names in `eegvit.preprocess.views.VIEWS` and their strengths.

    Examples
    --------
    >>> PretrainRecipe(epochs=5, views=(("crop", 0.3),)).objective.contrast
    1.0
    """

    objective: Objective = OBJECTIVES["contrastive"]
    views: tuple[tuple[str, float], ...] = ()
