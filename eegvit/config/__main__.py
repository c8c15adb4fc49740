"""python -m eegvit.config schema: a JSON Schema of study files for editors."""

from __future__ import annotations

import json
import sys
from typing import Any

from eegvit import registry
from eegvit.config.around import adapt_model, can_be_pruned, distill_model, prune_model
from eegvit.config.branches import COMMON, FUSED, OF_PRESETS
from eegvit.config.cards.card import Card
from eegvit.config.descriptions import summary
from eegvit.config.models import Align, Model, Study
from eegvit.config.pretraining import pretrain_model
from eegvit.config.signature import FILLED_BY_LOADER, signature_model

Schema = dict[str, Any]

BY_PATH = {
    "type": "string",
    "pattern": r"^[\w.]+:\w+$",
    "description": "A class by its import path, package.module:Class.",
}
SEVERAL = {"$ref": "#/$defs/branches", "description": "Two branches or more, joined in one model."}
OTHERS = {"type": "object", "description": "Parameters of a source of another package."}


def json_schema() -> Schema:
    """Return a JSON Schema of study files for editors."""
    definitions: Schema = {}
    study = _of(Study, definitions)["properties"]
    models = _models(definitions)
    properties = {key: value for key, value in study.items() if key not in FILLED_BY_LOADER}
    card = {"anyOf": [{"type": "string"}, _card(definitions)]}
    cards = [*card["anyOf"], {"type": "array", "items": card}]
    properties["data"] = {"description": study["data"]["description"], "anyOf": cards}
    properties["models"] = {
        "description": study["models"]["description"],
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string"}, *models]},
    }
    found: Schema = _with_short_forms(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "eegvit study",
            "type": "object", "additionalProperties": False, "required": ["name", "data", "models"],
            "properties": properties, "$defs": definitions,
        }
    )  # fmt: skip
    return found


def _of(model: Any, definitions: Schema) -> Schema:
    """Return a model's own schema; those that it refers to join the definitions."""
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    return dict(schema)


def _models(definitions: Schema) -> list[Schema]:
    """Return the schema of each kind of model; its branch joins the definitions."""
    beside = {k: v for k, v in _of(Model, definitions)["properties"].items() if k in COMMON}
    inner = {
        "pretrain": pretrain_model(),
        "prune": prune_model(),
        "distill": distill_model(),
        "adapt": adapt_model(),
    }
    of_networks = {
        key: _of(model, definitions) | {"description": beside.pop(key)["description"]}
        for key, model in inner.items()
    }
    prune = {"prune": of_networks.pop("prune")}
    adapt = of_networks["adapt"]
    said = adapt.pop("description")
    of_networks["adapt"] = {"description": said, "anyOf": [{"type": "boolean"}, adapt]}
    found, neural = [], registry.resolve(registry.NEURAL)
    for name in registry.known(registry.BRANCHES):
        cls = registry.lookup(registry.BRANCHES, name)
        schema = _of(signature_model(cls), definitions)
        own = {"branch": {"const": name, "description": summary(cls)}, **schema["properties"]}
        if name == FUSED:
            own["branches"] = SEVERAL
        if name == OF_PRESETS:
            own["preset"]["anyOf"].append({"type": "string", "pattern": r"\.ya?ml$"})
        required = ["branch", *schema.get("required", [])]
        member = {**schema, "properties": own, "required": required}
        definitions[f"branch_{name}"] = member
        more = beside | of_networks if issubclass(cls, neural) else beside
        more = more | prune if can_be_pruned(cls) else more
        found.append({**member, "properties": own | more})
    definitions["branches"] = _several(definitions[f"branch_{FUSED}"])
    fused = definitions["branches"]["items"]["anyOf"][-1]
    found.append({**fused, "properties": fused["properties"] | beside | of_networks})
    by_path = {"type": "object", "properties": {"branch": BY_PATH}, "required": ["branch"]}
    return [*found, by_path]


def _several(fusion: Schema) -> Schema:
    """Return the schema of a list of branches: names, mappings, or mappings with such a list."""
    own = {key: value for key, value in fusion["properties"].items() if key != "branches"}
    known = registry.known(registry.BRANCHES)
    names = [{"enum": list(known)}]
    mappings = [{"$ref": f"#/$defs/branch_{name}"} for name in known]
    fused = {**fusion, "properties": {**own, "branch": SEVERAL}, "required": ["branch"]}
    return {"type": "array", "minItems": 1, "items": {"anyOf": [*names, *mappings, fused]}}


def _card(definitions: Schema) -> Schema:
    """Return the schema of a data set described in place, which may begin with a card."""
    schema = _of(Card, definitions)
    own = {key: value for key, value in schema["properties"].items() if key not in FILLED_BY_LOADER}
    options = []
    for name in registry.known(registry.SOURCES):
        source = _of(signature_model(registry.lookup(registry.SOURCES, name)), definitions)
        definitions[f"source_{name}"] = source
        options.append({"$ref": f"#/$defs/source_{name}"})
    own["options"] = {"description": own["options"]["description"], "anyOf": [*options, OTHERS]}
    base = {
        "type": "string",
        "description": "A card's name or file; the other keys change it.",
    }
    complete = [{"required": ["card"]}, {"required": ["name", "source", "classes"]}]
    return {
        "type": "object", "description": schema["description"], "additionalProperties": False,
        "properties": {"card": base, **own}, "anyOf": complete,
    }  # fmt: skip


def _with_short_forms(schema: Any) -> Any:
    """Return a schema that takes what files may say in short: numbers as names, align: NAME."""
    if isinstance(schema, list):
        return [_with_short_forms(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema == {"type": "string"}:
        return {"type": ["string", "number"]}
    if schema.get("$ref") == "#/$defs/Align":
        methods = Align.model_json_schema()["properties"]["method"]["enum"]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**rest, "anyOf": [{"$ref": schema["$ref"]}, {"enum": methods}]}
    return {key: _with_short_forms(value) for key, value in schema.items()}


if __name__ == "__main__":
    if sys.argv[1:] != ["schema"]:
        sys.exit("usage: python -m eegvit.config schema")
    print(json.dumps(json_schema(), indent=2))
