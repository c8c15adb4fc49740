"""A page for each model: when to use it, its parameters, its paper, what it costs."""

from __future__ import annotations

import inspect
import re
from typing import Any

import network_figures
from key_tables import in_cell

from eegvit import registry
from eegvit.config.descriptions import keys_of, summary
from eegvit.config.signature import FILLED_BY_STUDY, signature_model
from eegvit.data.simulation.recordings import CHANNELS

SHAPE = (len(CHANNELS), 500)  # channels and samples of the trial that costs are counted for
RATE = 125.0
WITHOUT_PARAMETERS = "    options:\n      show_docstring_parameters: false"


def index_page() -> str:
    """Return the page that lists the models."""
    rows = ["| branch | what | |", "| - | - | - |"]
    for name in registry.BRANCHES:
        cls = registry.lookup(registry.BRANCHES, name)
        line = summary(cls).splitlines()[0]
        when = notes(cls).split(". ")[0].split(": ")[0].rstrip(".")
        rows.append(f"| [`{name}`]({name}.md) | {line} | {when}. |")
    text = "A model of a study is a branch with its parameters; in Python each is a classifier."
    return "\n\n".join(["# The models", text, "\n".join(rows)]) + "\n"


def model_page(name: str) -> str:
    """Return the page of a branch."""
    cls = registry.lookup(registry.BRANCHES, name)
    parts = [f"# `{name}`", "## When to use it", notes(cls), "## In a study", yaml_of(name)]
    if drawn := network_figures.figure(name, with_defaults(cls), SHAPE):
        parts += ["## What it is made of", drawn]
    if cost := cost_of(cls):
        parts += ["## What it costs", cost]
    parts += ["## Parameters", parameters(cls, all_of_them=False)]
    own = set(inspect.signature(cls).parameters) - set(FILLED_BY_STUDY)
    if "epochs" in own:
        parts.append("It is trained by [the parameters of all networks](training.md) too.")
    parts += ["## In Python", f"::: {cls.__module__}.{cls.__name__}\n{WITHOUT_PARAMETERS}"]
    return "\n\n".join(parts) + "\n"


def training_page() -> str:
    """Return the page of the parameters that all networks share."""
    text = "Every network takes these beside its own, in a study and in Python."
    cls = registry.resolve(registry.NEURAL)
    return f"# Training\n\n{text}\n\n{summary(cls)}\n\n{parameters(cls, all_of_them=True)}\n"


def parameters(cls: type, *, all_of_them: bool) -> str:
    """Return the parameters of a class as a table; those of training stand on their own page."""
    shared = () if all_of_them else inspect.signature(registry.resolve(registry.NEURAL)).parameters
    rows = ["| parameter | holds | default | meaning |", "| - | - | - | - |"]
    for name, key in keys_of(signature_model(cls), cls).items():
        if name not in shared:
            cells = (f"`{name}`", in_cell(key.kind), f"`{key.default}`", in_cell(key.text))
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) if len(rows) > 2 else "It has none of its own."


def notes(cls: type) -> str:
    """Return the section of a docstring that says when to use the class."""
    found = re.search(r"\nNotes\n-----\n(.*?)\n\n\w+\n---", inspect.getdoc(cls) or "", re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def yaml_of(name: str) -> str:
    """Return a study's line for a branch."""
    line = {
        "fusion": "{branch: [fbcsp, eegnet], fuse: gated}",
        "braindecode": "{branch: braindecode, model: ATCNet}",
        "pipeline": "{branch: pipeline, steps: [{from: pyriemann.classification.MDM}]}",
    }.get(name, f"{{branch: {name}}}")
    if name == "pipeline":
        line = (
            "\n    branch: pipeline\n    steps:\n"
            "      - {from: pyriemann.estimation.Covariances, parameters: {estimator: oas}}\n"
            "      - {from: pyriemann.classification.MDM}"
        )
    return f"```yaml\nmodels:\n  mine: {line}\n```\n\n`eegvit show {name}` prints all of this."


def with_defaults(cls: type) -> Any:
    """Return a branch as it is in a study that sets none of its parameters."""
    known = inspect.signature(cls).parameters
    given = {"sfreq": RATE, "ch_names": CHANNELS}
    return cls(**{key: value for key, value in given.items() if key in known})


def cost_of(cls: type) -> str:
    """Return what a network of the usual parameters costs, counted as the page is made."""
    if not hasattr(cls, "network") or hasattr(cls, "members") or getattr(cls, "needs", ()):
        return ""
    import torch

    from eegvit.networks.macs import count

    network = network_figures.network_of(with_defaults(cls), SHAPE)
    size = sum(p.numel() for p in network.parameters())
    macs = count(network, torch.zeros(1, *SHAPE))
    return (
        f"With its defaults, for a trial of {SHAPE[0]} channels x {SHAPE[1]} samples and 4 classes:"
        f" {size:,} parameters and {macs / 1e6:.1f} million multiply-accumulates for a prediction."
        " The page of a study has the figures of its own models."
    )
