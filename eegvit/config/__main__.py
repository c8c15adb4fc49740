"""python -m eegvit.config schema: a JSON Schema of study files for editors."""

from __future__ import annotations

import json
import sys
from typing import Any

from eegvit import registry
from eegvit.config.models import Model, Study
from eegvit.config.signature import signature_model


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
    branches = []
    for name in registry.BRANCHES:
        schema = schema_of(signature_model(registry.lookup(registry.BRANCHES, name)))
        schema["properties"] = {
            "branch": {"const": name}, **common, **schema.get("properties", {})
        }  # fmt: skip
        schema["required"] = ["branch", *schema.get("required", [])]
        branches.append(schema)
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


if __name__ == "__main__":
    if sys.argv[1:] != ["schema"]:
        sys.exit("usage: python -m eegvit.config schema")
    print(json.dumps(json_schema(), indent=2))
