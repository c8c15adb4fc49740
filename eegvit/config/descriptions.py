"""What the docstrings say of keys: the texts of a JSON Schema, of `eegvit show`, of the site."""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Iterator
from typing import NamedTuple, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

HEAD = re.compile(r"([\w*, ]+?)(?: : (.*?)(?:, optional|, default=.*)?)?$")  # name : type
REFERENCE = re.compile(r" \[\d+\]_")


class Key(NamedTuple):
    """What is known of a key: what it holds, its default as a file would say it, its meaning."""

    kind: str
    default: str
    text: str


def parameter_texts(cls: type) -> dict[str, str]:
    """Return what the numpydoc docstrings of a class and its bases say of each parameter.

    Examples
    --------
    >>> class Branch:
    ...     '''A branch.
    ...
    ...     Parameters
    ...     ----------
    ...     first, second : int
    ...         Filters of the stage,
    ...         in pairs.
    ...     '''
    >>> parameter_texts(Branch)["second"]
    'Filters of the stage, in pairs.'
    """
    return {name: text for name, (_, text) in _documented(cls).items()}


def keys_of(model: type[BaseModel], cls: type | None = None) -> dict[str, Key]:
    """Return what is known of each key of a mapping.

    Parameters
    ----------
    model : type of BaseModel
        The mapping.
    cls : type or None
        The class whose docstring says of its parameters, if the model was made from a class.

    Examples
    --------
    >>> from eegvit.config import Evaluate
    >>> keys_of(Evaluate)["draws"]
    Key(kind='int', default='5', text='How often few labels are drawn, of each amount.')
    """
    documented = _documented(cls or model)
    return {
        name: Key(
            documented.get(name, ("", ""))[0] or _annotation(field),
            _default(field),
            field.description or documented.get(name, ("", ""))[1],
        )
        for name, field in model.model_fields.items()
    }


def summary(cls: type) -> str:
    """Return a docstring's text before its first section, references left out.

    Examples
    --------
    >>> summary(dict).partition(" ")[0]
    'dict()'
    """
    text = inspect.cleandoc(vars(cls).get("__doc__") or "")
    return REFERENCE.sub("", re.split(r"\n\n\w+\n-{3,}", text)[0])


@functools.cache
def _documented(cls: type) -> dict[str, tuple[str, str]]:
    """Return (kind, text) of each parameter that a class or one of its bases documents."""
    found: dict[str, tuple[str, str]] = {}
    for base in reversed(cls.__mro__):
        for names, kind, text in _entries(vars(base).get("__doc__") or ""):
            found |= dict.fromkeys(names, (kind, text))
    return found


def _entries(docstring: str) -> Iterator[tuple[list[str], str, str]]:
    """Yield (names, kind, text) of the section of parameters."""
    parts = re.split(r"^Parameters\n-+\n", inspect.cleandoc(docstring), flags=re.MULTILINE)
    if len(parts) < 2:
        return
    section = re.split(r"\n\w[\w ]*\n-{3,}\n", parts[1])[0]
    for entry in re.split(r"\n(?=\S)", section):
        head, _, body = entry.partition("\n")
        named = HEAD.fullmatch(head)
        if named and body:
            text = REFERENCE.sub("", " ".join(body.split()))
            yield named[1].replace("*", "").split(", "), named[2] or "", text


def _annotation(field: FieldInfo) -> str:
    if get_args(field.annotation):
        return str(field.annotation).replace("typing.", "").replace("collections.abc.", "")
    return getattr(field.annotation, "__name__", str(field.annotation))


def _default(field: FieldInfo) -> str:
    """Return a default as YAML would say it; "" where there is none."""
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_defaults=True)
    return json.dumps(value, ensure_ascii=False, default=str)
