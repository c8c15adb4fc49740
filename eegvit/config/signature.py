"""From a class's signature to a checked schema, and from its complaints to plain sentences."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    create_model,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from eegvit.config.descriptions import keys_of, parameter_texts, summary
from eegvit.config.document import Document, KeyPath
from eegvit.registry import suggest

FILLED_BY_STUDY = {
    "random_state": "seeds come from evaluate.seeds",
    "sfreq": "the sampling rate comes from the data",
    "ch_names": "channel names come from the data",
    "card": "it is the card around it",
    "verbose": "a study shows its own progress",
}

FILLED_BY_LOADER = {"path", "source_text", "origin", "judged", "control"}


class Strict(BaseModel):
    """A frozen mapping that refuses unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        coerce_numbers_to_str=True,
        arbitrary_types_allowed=True,
        allow_inf_nan=False,
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Return the schema with what the docstring says of the mapping and of its keys."""
        schema = handler(core)
        inner = handler.resolve_ref_schema(schema)
        if said := summary(cls):
            inner["description"] = said
        for name, key in keys_of(cls).items():
            if key.text and name in inner.get("properties", {}):
                inner["properties"][name].setdefault("description", key.text)
        return schema


class Open(Strict):
    """A mapping with some known keys, for a class that takes any others."""

    model_config = ConfigDict(extra="allow")


@functools.cache
def signature_model(cls: type) -> type[BaseModel]:
    """Return a pydantic model of the parameters that a class takes by name.

    Examples
    --------
    >>> class Branch:
    ...     def __init__(self, *, n_filters: int = 8): ...
    >>> signature_model(Branch)(n_filters="16").n_filters
    16
    """
    hints = _hints(cls)
    texts = parameter_texts(cls)
    base: type[BaseModel] = Strict
    fields: dict[str, Any] = {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            base = Open
        named = parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        if named and name not in FILLED_BY_STUDY:
            default = ... if parameter.default is parameter.empty else parameter.default
            said = Field(default, description=texts.get(name))
            fields[name] = (hints.get(name, Any), said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a field may be called `copy`
        return create_model(cls.__name__, __base__=base, __doc__=summary(cls), **fields)


def _hints(cls: type) -> dict[str, Any]:
    init = vars(cls).get("__init__", cls)
    try:
        return get_type_hints(cls if dataclasses.is_dataclass(cls) else init)
    except (NameError, TypeError, AttributeError):  # names that exist for type checkers only
        return {}


def check_parameters(cls: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given parameters as the class's annotations want them."""
    checked = signature_model(cls).model_validate(dict(given))
    return {name: getattr(checked, name) for name in given}


def read_parameters(
    document: Document, cls: type, given: Mapping[str, Any], path: KeyPath, errors: list[str],
    extra: tuple[str, ...] = (),
) -> dict[str, Any]:  # fmt: skip
    """Return a class's parameters as its annotations want them, or add to the errors."""
    given = {str(key): value for key, value in given.items()}
    try:
        return check_parameters(cls, given)
    except ValidationError as error:
        for at, text in complaints(error, signature_model(cls)):
            if text.startswith("unknown key") and at:
                known = [*extra, *signature_model(cls).model_fields]
                text = f"unknown key '{at[-1]}'{suggest(str(at[-1]), known)}"
            errors.append(document.error((*path, *at), text))
        return {}


def complaints(
    error: ValidationError, model: type[BaseModel]
) -> list[tuple[tuple[str | int, ...], str]]:
    """Return (path, sentence) for each thing that pydantic found wrong."""
    found: dict[tuple[str | int, ...], list[str]] = {}
    for item in error.errors(include_url=False):
        path = tuple(p for p in item["loc"] if not _is_union_tag(p))
        sentence = _sentence(item, _keys_at(model, path[:-1]))
        if sentence not in found.setdefault(path, []):
            found[path].append(sentence)
    return [(path, " or ".join(sentences)) for path, sentences in found.items()]


def _sentence(item: Mapping[str, Any], known: Iterable[str]) -> str:
    kind, value = item["type"], item["input"]
    key = str(item["loc"][-1]) if item["loc"] else ""
    if kind == "extra_forbidden":
        if key in FILLED_BY_STUDY:
            return f"'{key}' is not set here: {FILLED_BY_STUDY[key]}"
        return f"unknown key '{key}'{suggest(key, known)}"
    if kind == "missing":
        return f"'{key}' is missing"
    if kind == "literal_error":
        choices = [c.strip(" '") for c in item["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{value!r} is not one of {', '.join(choices)}{_nearest(value, choices)}"
    if kind == "value_error":
        return str(item["ctx"]["error"])
    message = item["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return f"expected {message.split(', unable')[0]}, got {_shown(value)}"


def _nearest(value: Any, choices: list[str]) -> str:
    hint = suggest(str(value), choices)
    return hint if "did you mean" in hint else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_union_tag(part: str | int) -> bool:
    return isinstance(part, str) and (
        part in {"float", "int", "str", "bool", "none", "constrained-str"}
        or part.startswith(("tuple[", "list[", "dict[", "literal[", "function-", "lax-or", "is-"))
    )


def _keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    current: Any = model
    for part in path:
        field = getattr(current, "model_fields", {}).get(part)
        if field is None:
            return []
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        current = next((c for c in candidates if hasattr(c, "model_fields")), None)
    return [key for key in getattr(current, "model_fields", {}) if key not in FILLED_BY_LOADER]
