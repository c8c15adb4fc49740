"""Markup of the page: templates filled with values, every text escaped."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from eegvit.report import words

BREAKS = "_-+/,."  # characters of names after which a line may end


def render(template: str, **values: object) -> Markup:
    """Return a template of `eegvit/report/templates` filled with values.

    Examples
    --------
    >>> print(render("notes.html", notes=["<b> is inert"]))
    <ul class="notes">
      <li>&lt;b&gt; is inert</li>
    </ul>
    """
    return Markup(environment().get_template(template).render(**values))


@cache
def environment() -> Environment:
    """Return what all templates share: escaping, and an error where a value is missing."""
    made = Environment(
        loader=PackageLoader("eegvit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["breakable"] = breakable
    made.globals["words"] = words
    made.globals["asset"] = asset
    return made


def asset(name: str) -> Markup:
    """Return a style sheet or script that is to stand in the page as it is."""
    loader = environment().loader
    assert loader is not None
    return Markup(loader.get_source(environment(), name)[0])


def breakable(name: object) -> Markup:
    """Return a name that may continue on the next line after its hyphens and the like.

    Examples
    --------
    >>> print(breakable("csp+<lda>"))
    csp+<wbr>&lt;lda&gt;
    """
    if isinstance(name, Markup):
        return name
    said = Markup("")
    for character in str(name):
        said += escape(character)
        if character in BREAKS:
            said += Markup("<wbr>")
    return said
