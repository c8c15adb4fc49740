"""The examples as pages, run as the site is made: text, code, what it printed, its pictures."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import matplotlib.pyplot as plt

NEEDS_DATA = "EEGVIT_TEST_DATA"


def pages(examples: Path) -> Iterator[tuple[str, str | bytes]]:
    """Yield (path in the site, content) of each example's page and pictures."""
    before = dict(os.environ)
    if NEEDS_DATA in before:
        os.environ[NEEDS_DATA] = str(Path(before[NEEDS_DATA]).resolve())
    for file in sorted(examples.glob("*.py")):
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            os.environ["EEGVIT_CACHE"] = folder
            yield from _page(file)
    os.environ.clear()
    os.environ.update(before)


def _page(file: Path) -> Iterator[tuple[str, str | bytes]]:
    text = file.read_text(encoding="utf-8")
    lacks = NEEDS_DATA in text and not Path(os.environ.get(NEEDS_DATA, "missing")).is_dir()
    parts, known, number = [], {"__name__": file.stem}, 0
    for cell in jupytext.reads(text, "py:percent").cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        if lacks:
            continue
        printed, pictures = run(cell.source, known)
        if printed.strip():
            parts.append(f"```text\n{printed.rstrip()}\n```")
        for picture in pictures:
            number += 1
            yield f"examples/{file.stem}_{number}.png", picture
            parts.append(f"![]({file.stem}_{number}.png)")
    if lacks:
        parts.insert(1, f"*Not run here: it needs recordings, in the folder of `{NEEDS_DATA}`.*")
    parts.append(f"From `examples/{file.name}`, which opens as a notebook with jupytext.")
    yield f"examples/{file.stem}.md", "\n\n".join(parts) + "\n"


def run(source: str, known: dict[str, Any]) -> tuple[str, list[bytes]]:
    """Run a cell; return what it printed and the pictures that it drew."""
    tree, last = ast.parse(source), None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(tree, "<cell>", "exec"), known)
        value = None if last is None else eval(compile(last, "<cell>", "eval"), known)
    pictures = []
    for figure in map(plt.figure, plt.get_fignums()):
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=110, bbox_inches="tight")
        pictures.append(drawn.getvalue())
    plt.close("all")
    if isinstance(value, Path) and value.suffix == ".png":
        pictures.append(value.read_bytes())
    elif value is not None and not pictures:
        print(value, file=said)
    return said.getvalue(), pictures
