"""Explain a model, a data set, a study, an ensemble rule, or a key of the study file."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from eegvit import registry
from eegvit.config import Card, Ensemble, Model, Study, find, shipped
from eegvit.config.around import adapt_model, distill_model, prune_model
from eegvit.config.descriptions import keys_of
from eegvit.config.pretraining import pretrain_model

PARTS: dict[str, type[BaseModel]] = {"data": Card, "models": Model, "ensembles": Ensemble}
WIDTH = 100  # characters of a line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("name", help="eegnet, bci_iv_2a, weighted, evaluate.seeds, ...")


def carry_out(options: argparse.Namespace) -> int:
    """Print what is known under the name."""
    ways: tuple[Callable[[str], str | None], ...] = (_model, _rule, _file, _key)
    found = [text for way in ways if (text := way(options.name)) is not None]
    if not found:
        from eegvit.ensemble.rules import RULES

        names = [
            *registry.known(registry.BRANCHES),
            *RULES,
            *shipped("pipelines"),
            *shipped("datasets"),
        ]
        names += list(Study.model_fields)
        raise ValueError(
            f"nothing is called '{options.name}'{registry.suggest(options.name, names)}"
        )
    print("\n\n".join(found))
    return 0


def _model(name: str) -> str | None:
    if name not in registry.known(registry.BRANCHES):
        return None
    cls = registry.lookup(registry.BRANCHES, name)
    head = f"model {name}: {cls.__module__}.{cls.__name__}"
    return (
        f"{head}\n\n{inspect.getdoc(cls)}\n\nIn a study:\n\n  models:\n    mine: {{branch: {name}}}"
    )


def _rule(name: str) -> str | None:
    from eegvit.ensemble.rules import RULES

    if name not in RULES:
        return None
    rule = RULES[name]
    learners = f"\n\nlearner: {', '.join(rule.learners)}" if rule.learners else ""
    said = inspect.getdoc(rule.combine)
    use = f"In a study:\n\n  ensembles:\n    mine: {{of: [one, other], rule: {name}}}"
    return f"ensemble rule {name}\n\n{said}{learners}\n\n{use}"


def _file(name: str) -> str | None:
    texts = []
    for folder, what in (("pipelines", "study"), ("datasets", "data set")):
        if name in shipped(folder):
            texts.append(f"{what} {name}\n\n{find(folder, name, None).read_text('utf-8').rstrip()}")
    return "\n\n".join(texts) or None


def _key(path: str) -> str | None:
    """Return what a key of the study file means: its type, its default, the keys in it."""
    holder: type[BaseModel] = Study
    *parents, last = path.split(".")
    for part in parents:
        inner = _inside(part, holder)
        if inner is None:
            return None
        holder = inner
    if last not in holder.model_fields:
        return None
    key = keys_of(holder)[last]
    default = f"default {key.default}" if key.default else "no default"
    lines = [f"key {path}: {key.kind}, {default}", "", *textwrap.wrap(key.text, WIDTH)]
    if inside := _inside(last, holder):
        lines += ["", *(_line(name, inner.text) for name, inner in keys_of(inside).items())]
    return "\n".join(lines)


def _line(name: str, text: str) -> str:
    return textwrap.fill(f"  {name}: {text}", WIDTH, subsequent_indent="      ")


def _inside(key: str, holder: type[BaseModel]) -> type[BaseModel] | None:
    """Return the mapping that a key holds, if it holds one."""
    if key == "pretrain":
        return pretrain_model()
    if key == "prune":
        return prune_model()
    if key == "distill":
        return distill_model()
    if key == "adapt":
        return adapt_model()
    field: FieldInfo | None = holder.model_fields.get(key)
    if key in PARTS or field is None:
        return PARTS.get(key)
    kinds: list[Any] = [field.annotation, *get_args(field.annotation)]
    return next((k for k in kinds if inspect.isclass(k) and issubclass(k, BaseModel)), None)
