"""Every key says what it means: in the schema that editors show, and in `eegvit show`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eegvit import registry
from eegvit.command import main
from eegvit.config import load_yaml
from eegvit.config.__main__ import json_schema
from eegvit.config.descriptions import parameter_texts, summary
from eegvit.config.signature import FILLED_BY_STUDY

ROOT = Path(__file__).resolve().parents[2]
STUDIES = sorted((ROOT / "pipelines").glob("*.yaml"))


def keys(schema: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield (path, schema) of every key that a schema knows."""
    if isinstance(schema, list):
        for part in schema:
            yield from keys(part, path)
    if not isinstance(schema, dict):
        return
    for name, own in schema.get("properties", {}).items():
        yield ".".join((*path, name)), own
        yield from keys(own, (*path, name))
    for name, part in schema.get("$defs", {}).items():
        yield from keys(part, (name,))
    for word in ("anyOf", "items", "additionalProperties"):
        yield from keys(schema.get(word), path)


def test_every_key_of_the_schema_has_a_description() -> None:
    found = list(keys(json_schema()))
    assert len(found) > 600
    assert {
        *("evaluate", "Evaluate.seeds", "source_files.pattern", "data.windows"),
        *("models.pretrain", "models.pretrain.objective", "branch_snn.patience"),
    } <= {path for path, _ in found}
    assert [path for path, own in found if not own.get("description", "").strip()] == []


def test_descriptions_are_sentences() -> None:
    texts = {path: own["description"] for path, own in keys(json_schema())}
    assert [p for p, text in texts.items() if not text.endswith(".") or "\n\n\n" in text] == []
    assert [p for p, text in texts.items() if "]_" in text or "-----" in text] == []


@pytest.mark.parametrize("table", [registry.BRANCHES, registry.SOURCES], ids=["branch", "source"])
def test_every_parameter_is_documented_by_its_class(table: dict[str, str]) -> None:
    for name in table:
        cls = registry.lookup(table, name)
        told = parameter_texts(cls)
        taken = set(inspect.signature(cls).parameters) - set(FILLED_BY_STUDY)
        assert sorted(taken - set(told)) == [], name
        assert summary(cls).endswith("."), name


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_the_schema_takes_every_shipped_study(file: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(load_yaml(file), SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"card": "simulated", "windw": [0, 1]}},
        {"data": {"source": "files", "name": "mine"}},
        {"models": {"csp": {"branch": "csp_lda", "align": "euclid"}}},
        {"models": {"csp": {"branch": "csp_lda", "recentre": "subject"}}},
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(wrong: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    study = {"name": "small", "data": "simulated", "models": {"csp": {"branch": "csp_lda"}}}
    jsonschema.validate(study, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(study | wrong, SCHEMA)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("evaluate.seeds", "each is a fit of its own"),
        ("data.band", "Butterworth"),
        ("ensembles.learner", "What learns the weights"),
        ("models.pretrain.layer_decay", "a geometric line between"),
        ("recentre", "each class is predicted as often"),
    ],
)
def test_show_says_what_a_key_means(
    key: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", key]) == 0
    assert said in " ".join(capsys.readouterr().out.split())


SCHEMA = json_schema()
