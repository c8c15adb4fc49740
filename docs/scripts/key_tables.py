"""The pages of keys: what each means, its default and an example, from the models themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from eegvit import registry
from eegvit.config import Align, Card, Ensemble, Evaluate, Expected, Study, View, Windows, load_yaml
from eegvit.config.around import adapt_model, distill_model, prune_model
from eegvit.config.cards.card import Speller
from eegvit.config.descriptions import keys_of, summary
from eegvit.config.models import Model
from eegvit.config.pretraining import pretrain_model
from eegvit.config.signature import FILLED_BY_LOADER, signature_model

EXAMPLES: dict[str, Any] = load_yaml(Path(__file__).with_name("examples_of_keys.yaml"))
STUDY_PARTS: dict[str, type[BaseModel]] = {
    "align": Align,
    "view": View,
    "evaluate": Evaluate,
    "models": Model,
    "models.pretrain": pretrain_model(),
    "models.prune": prune_model(),
    "models.distill": distill_model(),
    "models.adapt": adapt_model(),
    "ensembles": Ensemble,
}
CARD_PARTS: dict[str, type[BaseModel]] = {
    "windows": Windows,
    "speller": Speller,
    "expected": Expected,
}


def study_page() -> str:
    """Return the page of the keys of a study file."""
    parts = [
        "# Every key of a study file",
        "Made from the checked models themselves: `eegvit show evaluate.seeds` says the same, and"
        " editors do that know the schema of `python -m eegvit.config schema`.",
        table("study", Study),
    ]
    for path, model in STUDY_PARTS.items():
        parts += [
            f"## `{path}` {{ #{path.replace('.', '-')} }}",
            summary(model),
            table(path, model),
        ]
    parts.append(
        "Parameters of a branch stand beside `branch`: see [the models](../models/index.md)."
    )
    return "\n\n".join(parts) + "\n"


def card_page() -> str:
    """Return the page of the keys of a card, and of the options of each source."""
    parts = [
        "# Every key of a card",
        "A card describes a data set. It is a file, `datasets/NAME.yaml`, or stands in a study"
        " under `data`, where `card: NAME` beside other keys changes a card for that study.",
        table("card", Card),
    ]
    for path, model in CARD_PARTS.items():
        parts += [f"## `{path}`", summary(model), table(path, model)]
    for name in registry.SOURCES:
        cls = registry.lookup(registry.SOURCES, name)
        model = signature_model(cls)
        parts += [f"## Options of `{name}`", summary(cls)]
        parts.append(table(f"options.{name}", model, cls) if model.model_fields else "It has none.")
    return "\n\n".join(parts) + "\n"


def table(path: str, model: type[BaseModel], cls: type | None = None) -> str:
    """Return the keys of a mapping as a table."""
    rows = ["| key | holds | default | meaning | example |", "| - | - | - | - | - |"]
    for name, key in keys_of(model, cls).items():
        if name in FILLED_BY_LOADER or (model is Model and name == "parameters"):
            continue
        default = _code(key.default) if key.default else "(must be given)"
        if name not in EXAMPLES[path]:
            raise ValueError(f"examples_of_keys.yaml has no example of {path}.{name}: give one")
        example = _code(f"{name}: {written(EXAMPLES[path][name])}")
        cells = (f"`{name}`", in_cell(key.kind), default, in_cell(key.text), example)
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def written(value: Any) -> str:
    """Return a value in YAML's flow style, strings bare where they may be.

    Examples
    --------
    >>> written({"a": ["b", 1, None]}), written("a: b")
    ('{a: [b, 1, null]}', '"a: b"')
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    bare = isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w-]*", value)
    return value if bare else json.dumps(value, ensure_ascii=False)


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def in_cell(text: str) -> str:
    """Return text as a cell of a table takes it."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")
