"""Presets that were searched for: nobody whose labels chose one is tested with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eegvit.config import Model
from eegvit.views.view import DataView, Rows


def refuse_searched(name: str, model: Model, view: DataView, tested: Rows) -> None:
    """Refuse a model whose shape was chosen by labels of people who are tested.

    Parameters
    ----------
    name : str
        The model's.
    model : Model
    view : DataView
        Of the study's trials.
    tested : array of int64
        Rows of the view that are tested in some split.
    """
    seen = {who for preset in presets_of(model.parameters) for who in preset["people"]}
    both = sorted(seen.intersection([*view.people[tested].tolist(), *view.known_as]))
    if both:
        raise ValueError(
            f"model '{name}': its preset was searched for with labels of {', '.join(both)}, to be"
            " tested: leave them out (evaluate.test_subjects), or search with other people"
        )


def presets_of(parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield where the presets of a model, or of branches that it fuses, came from.

    Examples
    --------
    >>> searched = {"family": "cascaded", "searched": {"people": ("2b/1",)}}
    >>> list(presets_of({"branches": ["eegnet", {"preset": searched}]}))
    [{'people': ('2b/1',)}]
    """
    preset = parameters.get("preset")
    if isinstance(preset, Mapping) and preset.get("searched"):
        yield preset["searched"]
    for branch in parameters.get("branches") or ():
        if isinstance(branch, Mapping):
            yield from presets_of(branch)
