"""A study of few labels: its amounts in words, and a colour for each model."""

from __future__ import annotations

from eegvit.config.pretraining import controls
from eegvit.results.few_labels import Efficiency
from eegvit.results.results import Results

N_HUES = 8


def found(results: Results) -> Efficiency:
    """Return what a study of few labels found."""
    assert results.efficiency is not None
    return results.efficiency


def said_amount(results: Results, amount: float) -> str:
    """Return an amount of labels as a share or a number."""
    fraction = results.study.evaluate.label_fraction is not None
    return f"{100 * amount:g} %" if fraction else f"{amount:g} a class"


def hues_of(results: Results) -> dict[str, int]:
    """Return the number of each model's colour; a control has that of a model it controls."""
    models = results.study.models
    against = controls(models)
    hues: dict[str, int] = {}
    for name in models:
        if name not in against.values():
            hues[name] = len(hues) % N_HUES
    for name, control in against.items():
        hues.setdefault(control, hues[name])
    return {name: hues.get(name, len(hues) % N_HUES) for name in models}
