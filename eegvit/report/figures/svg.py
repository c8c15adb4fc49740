"""SVG built from values, escaped unless they are markup already."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from eegvit.report import words


def element(name: str, /, *children: object, **attributes: object) -> Markup:
    """Return an element; text and attributes are escaped.

    Underscores at the end of an attribute's name are dropped and inner ones become hyphens.
    An attribute that is None or empty is left out.

    Examples
    --------
    >>> print(element("text", "<b>", element("title", "c & d"), x=1.0, class_="mid"))
    <text x="1" class="mid">&lt;b&gt;<title>c &amp; d</title></text>
    """
    said = Markup("").join(
        Markup(' {}="{}"').format(_attribute(key), _text(value))
        for key, value in attributes.items()
        if value not in (None, "")
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, said, joined(children))


def joined(children: Iterable[object]) -> Markup:
    """Return children one after another; None is left out."""
    return Markup("").join(escape(_text(child)) for child in children if child is not None)


def drawing(width: float, height: float, *children: object, label: str, kind: str = "") -> Markup:
    """Return a drawing with a name for readers who cannot see it."""
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=label,
        class_=kind,
    )


def tick(metric: str, value: float) -> str:
    """Return what stands beside a tick of a score's axis.

    Examples
    --------
    >>> tick("accuracy", 0.7), tick("kappa", 0.7)
    ('70', '0.7')
    """
    return f"{100 * value:g}" if metric in words.IN_PERCENT else f"{value:g}"


def shortened(name: str, most: int = 26) -> str:
    """Return a name that fits beside a drawing.

    Examples
    --------
    >>> shortened("tangent-space", 8)
    'tangent…'
    """
    return name if len(name) <= most else name[: most - 1] + "…"


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _text(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value
