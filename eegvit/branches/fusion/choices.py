"""What a fused model may be asked for."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Literal, get_args

from eegvit.registry import suggest

if TYPE_CHECKING:
    from eegvit.branches.fusion.classifier import FusionClassifier

Wiring = Literal["parallel", "series"]
Fuse = Literal["concat", "gated", "attention", "multiscale"]
Classical = Literal["mlp", "cnn"]
Start = Literal["scratch", "frozen", "finetuned"]
CHOICES = {"wiring": Wiring, "fuse": Fuse, "classical": Classical, "start": Start}
SIDE_BY_SIDE = ("fuse", "classical", "auxiliary", "dropout")  # mean nothing in series


def check_choices(model: FusionClassifier) -> None:
    """Raise an error if a parameter has no such value, or means nothing beside the others."""
    for name, kind in CHOICES.items():
        given = getattr(model, name)
        if given not in get_args(kind):
            raise ValueError(f"{name}={given!r}{suggest(given, get_args(kind))}")
    if model.auxiliary < 0:
        raise ValueError(f"auxiliary={model.auxiliary!r}: it must be 0 or more")
    if len(model.branches) == 1 and (model.fuse != "concat" or model.auxiliary):
        raise ValueError("one branch is joined with nothing: leave fuse and auxiliary out")
    if model.wiring == "series":
        defaults = {field.name: field.default for field in fields(model)}
        for name in SIDE_BY_SIDE:
            if getattr(model, name) != defaults[name]:
                raise ValueError(f"{name} is for branches side by side: wiring='parallel'")
