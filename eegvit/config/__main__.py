"""python -m eegvit.config schema: a JSON Schema of study files for editors."""

from __future__ import annotations

import json
import sys
from typing import Any

from eegvit import registry
from eegvit.config.branches import FUSED
from eegvit.config.models import Model, Study
from eegvit.config.pretraining import can_be_pretrained, pretrain_model
from eegvit.config.signature import signature_model

BY_PATH = {"type": "string", "pattern": r"^[\w.]+:\w+$"}  # package.module:Class
SEVERAL = {"$ref": "#/$defs/branches"}


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema of study files for editors."""
    definitions: dict[str, Any] = {}

    def schema_of(model: Any) -> dict[str, Any]:
        schema = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(schema.pop("$defs", {}))
        return dict(schema)

    study = schema_of(Study)
    properties = {k: v for k, v in study["properties"].items() if k not in ("path", "source_text")}
    common = {k: v for k, v in schema_of(Model)["properties"].items() if k in ("align", "view")}
    pretrained = {**common, "pretrain": schema_of(pretrain_model())}
    branches = []
    for name in registry.known(registry.BRANCHES):
        cls = registry.lookup(registry.BRANCHES, name)
        schema = schema_of(signature_model(cls))
        own = schema.get("properties", {})
        if name == FUSED:
            own["branches"] = SEVERAL
        required = ["branch", *schema.get("required", [])]
        member = {**schema, "properties": {"branch": {"const": name}, **own}, "required": required}
        definitions[f"branch_{name}"] = member
        beside = pretrained if can_be_pretrained(cls) else common
        branches.append({**member, "properties": {**member["properties"], **beside}})
    definitions["branches"] = _several(definitions[f"branch_{FUSED}"])
    fused = definitions["branches"]["items"]["anyOf"][-1]
    branches.append({**fused, "properties": {**fused["properties"], **common}})
    branches.append({"type": "object", "properties": {"branch": BY_PATH}, "required": ["branch"]})
    card = {"anyOf": [{"type": "string"}, {"type": "object"}]}
    properties["data"] = {"anyOf": [*card["anyOf"], {"type": "array", "items": card}]}
    properties["models"] = {
        "type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, *branches]}
    }  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "eegvit study",
        "type": "object", "additionalProperties": False, "required": ["name", "data", "models"],
        "properties": properties, "$defs": definitions,
    }  # fmt: skip


def _several(fusion: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list of branches: names, mappings, or mappings with such a list."""
    own = {key: value for key, value in fusion["properties"].items() if key != "branches"}
    known = registry.known(registry.BRANCHES)
    names = [{"enum": list(known)}]
    mappings = [{"$ref": f"#/$defs/branch_{name}"} for name in known]
    fused = {**fusion, "properties": {**own, "branch": SEVERAL}, "required": ["branch"]}
    return {"type": "array", "minItems": 2, "items": {"anyOf": [*names, *mappings, fused]}}


if __name__ == "__main__":
    if sys.argv[1:] != ["schema"]:
        sys.exit("usage: python -m eegvit.config schema")
    print(json.dumps(json_schema(), indent=2))
