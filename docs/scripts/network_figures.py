"""A figure of each model on its page: the stages that a trial passes through."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eegvit.branches.base import ClassicalClassifier
from eegvit.config import load_yaml

NETWORKS: dict[str, Any] = load_yaml(Path(__file__).with_name("stages_of_networks.yaml"))
WITHOUT = ("chance", "pipeline")  # which have no stages of their own
WIDTH, BOX, GAP = 560, 34, 16
STEP = '<path d="M{x} {y}v14m-4 -5l4 5l4 -5" fill="none" stroke="currentColor"/>'


class Stage(NamedTuple):
    """A stage: what happens, and beside it what leaves it or how much it learns."""

    what: str
    beside: str


def figure(name: str, model: Any, shape: tuple[int, int]) -> str:
    """Return the figure of a branch, or nothing where it is made of others.

    Parameters
    ----------
    name : str
        The branch.
    model : estimator
        With its defaults.
    shape : (int, int)
        Channels and samples of a trial.
    """
    if name in NETWORKS:
        found, caption = of_network(name, network_of(model, shape)), "learned numbers of each"
    elif isinstance(model, ClassicalClassifier) and name not in WITHOUT:
        found, caption = of_pipeline(model, shape), "what leaves each"
    else:
        return ""
    trial = Stage("a trial", f"{shape[0]} channels x {shape[1]} samples")
    drawn = drawing([trial, *found], name)
    return f"<figure>{drawn}<figcaption>The stages, and {caption}.</figcaption></figure>"


def network_of(model: Any, shape: tuple[int, int]) -> Any:
    """Return the network that a model's `fit` leaves, of trials of four classes."""
    trial = np.zeros((1, *shape), np.float32)
    model.check_X(trial, reset=True)
    model.classes_ = np.arange(4)
    return model.unfitted(trial)[1]


def of_network(name: str, network: Any) -> list[Stage]:
    """Return the stages of a network, and how many numbers each learns."""
    found = []
    for stage in NETWORKS[name]:
        size = sum(p.numel() for own, p in network.named_parameters() if belongs(own, stage))
        found.append(Stage(stage["what"], f"{size:,}" if size else ""))
    return found


def belongs(parameter: str, stage: dict[str, Any]) -> bool:
    """Say whether a parameter is of a stage."""
    return any(parameter == own or parameter.startswith(f"{own}.") for own in stage["learns"])


def of_pipeline(model: Any, shape: tuple[int, int]) -> list[Stage]:
    """Return the steps of a classical model, fitted on noise to see what leaves them."""
    import numpy as np

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((40, *shape)).astype(np.float32), np.arange(40) % 4
    steps = model.pipeline().steps
    found = []
    for name, step in steps[:-1]:
        X = np.asarray(step.fit(X, y).transform(X))
        found.append(Stage(f"{name}: {type(step).__name__}", " x ".join(map(str, X.shape[1:]))))
    name, last = steps[-1]
    return [*found, Stage(f"{name}: {type(last).__name__}", "a probability of each class")]


def drawing(stages: list[Stage], name: str) -> str:
    """Return stages below each other as SVG, in the colours of the page."""
    parts = []
    for number, stage in enumerate(stages):
        y = 2 + number * (BOX + GAP)
        parts.append(
            f'<rect x="2" y="{y}" width="{WIDTH - 4}" height="{BOX}" rx="5" fill="none"'
            ' stroke="currentColor" stroke-opacity="0.4"/>'
            f'<text x="14" y="{y + 22}" fill="currentColor">{escape(stage.what)}</text>'
            f'<text x="{WIDTH - 14}" y="{y + 22}" text-anchor="end" fill="currentColor"'
            f' fill-opacity="0.75">{escape(stage.beside)}</text>'
        )
        if number:
            parts.append(STEP.format(x=WIDTH // 2, y=y - GAP))
    height = len(stages) * (BOX + GAP) - GAP + 4
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img"'
        f' aria-label="Stages of {escape(name)}" font-size="13" style="max-width: 100%;'
        f' height: auto">{"".join(parts)}</svg>'
    )
