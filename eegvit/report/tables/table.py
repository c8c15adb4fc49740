"""A table of the page as values; its markup is the template `table.html`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eegvit.report.render import render


@dataclass(frozen=True)
class Column:
    """The head of a column.

    Parameters
    ----------
    title : str or Markup
        What stands at its head.
    name : str
        By which the page sorts and chooses it; empty where it does neither.
    about : str
        What it means, shown when the pointer rests on it.
    small : str
        A second line.
    left : bool
        Whether it holds text, not numbers.
    first : str
        Order of the first click.
    """

    title: str | Markup
    name: str = ""
    about: str = ""
    small: str = ""
    left: bool = False
    first: str = "ascending"


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table.

    Parameters
    ----------
    text : object
        Escaped unless it is Markup.
    small : tuple of str
        Lines below it.
    faint : str
        What follows on the same line.
    kind : str
        Class of the style sheet.
    value : number, str or None
        By which it is sorted; None comes last.
    share : float or None
        From 0 to 1: how strongly it is coloured.
    hue : int or None
        Number of the colour of a mark before it.
    title : str
        Shown when the pointer rests on it.
    head : bool
        Whether it heads its row.
    spans : tuple of str
        Names of the columns that it covers, where these are several.
    """

    text: object = ""
    small: tuple[str, ...] = ()
    faint: str = ""
    kind: str = ""
    value: float | str | None = None
    share: float | None = None
    hue: int | None = None
    title: str = ""
    head: bool = False
    spans: tuple[str, ...] = ()

    @property
    def sorted_by(self) -> str:
        """Return the value as text; empty where it is not known."""
        if self.value is None or (isinstance(self.value, float) and math.isnan(self.value)):
            return ""
        return f"{self.value:.6g}" if isinstance(self.value, float) else str(self.value)


@dataclass(frozen=True)
class Row:
    """Cells beside each other; a row of a model bears its name."""

    cells: tuple[Cell, ...]
    kind: str = ""
    model: str = ""
    text: str = ""


@dataclass(frozen=True)
class Body:
    """Rows that belong together, with a heading if they have one."""

    rows: tuple[Row, ...]
    title: str = ""
    about: str = ""
    name: str = ""


@dataclass(frozen=True)
class Table:
    """A table; `str` of it is its markup.

    Examples
    --------
    >>> table = Table("two", (Column("name", left=True), Column("%")), "small")
    >>> row = named("<a>", Cell("12", ("of 20",)))
    >>> "&lt;a&gt;" in str(table.of([row]))
    True
    """

    about: str  # for readers who cannot see it
    columns: tuple[Column, ...]
    kind: str = ""
    bodies: tuple[Body, ...] = ()
    above: tuple[tuple[str, int], ...] = ()  # headings over several columns, and how many

    def of(self, rows: Sequence[Row]) -> Table:
        """Return the table with these rows and no groups."""
        return Table(self.about, self.columns, self.kind, (Body(tuple(rows)),), self.above)

    def placed(self, row: Row) -> list[tuple[str, Cell]]:
        """Return the cells of a row, each with the name of its column."""
        names, cells = [column.name for column in self.columns], []
        at = 0
        for cell in row.cells:
            cells.append((names[at], cell))
            at += max(1, len(cell.spans))
        return cells

    def __html__(self) -> Markup:
        """Return its markup: what a template takes."""
        return render("table.html", table=self)

    def __str__(self) -> str:
        return str(self.__html__())


def named(name: object, *cells: Cell, small: str = "", hue: int | None = None) -> Row:
    """Return a row headed by a name."""
    below = (small,) if small else ()
    return Row((Cell(name, below, kind="name", hue=hue, head=True), *cells))
