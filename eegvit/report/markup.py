"""HTML and SVG built from values, escaped unless they are markup already."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

VOID = frozenset({"meta", "br", "hr", "link", "col"})


class Markup(str):
    """Text that is markup already and is not escaped again."""


def tag(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return an element; text and attributes are escaped.

    Underscores at the end of an attribute's name are dropped and inner ones become hyphens.
    An attribute that is None or False is left out, one that is True has no value.

    Examples
    --------
    >>> tag("a", "<b>", " & ", tag("em", "c"), href="x?a=1&b", class_="plain")
    '<a href="x?a=1&amp;b" class="plain">&lt;b&gt; &amp; <em>c</em></a>'
    """
    said = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Markup(f"<{name}{said}>")
    return Markup(f"<{name}{said}>{joined(children)}</{name}>")


def joined(children: Iterable[Any]) -> Markup:
    """Return children one after another; None is left out, lists are opened.

    Examples
    --------
    >>> joined(["a<", None, [Markup("<br>"), 1]])
    'a&lt;<br>1'
    """
    parts = []
    for child in children:
        if child is None:
            continue
        if isinstance(child, Markup):
            parts.append(str(child))
        elif isinstance(child, (list, tuple)):
            parts.append(str(joined(child)))
        else:
            parts.append(escape(_text(child)))
    return Markup("".join(parts))


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if key != "viewBox" else key


def _text(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
