"""Names of marks: beside them where there is room, else at the edge, by lines that never cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

LETTER, HEIGHT = 7.0, 14.0  # of text, at most
AWAY = 10.0  # from a mark to the name beside it
REACH = 7.0  # of a mark, from its middle

Point = tuple[float, float]
Line = tuple[Point, Point]


@dataclass(frozen=True)
class Box:
    """A rectangle of a drawing, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Say whether two rectangles have more than an edge in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def within(self, other: Box) -> bool:
        """Say whether it lies in another."""
        return (
            other.left <= self.left
            and self.right <= other.right
            and other.top <= self.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True)
class Label:
    """Where a name stands.

    Parameters
    ----------
    box : Box
        What it covers.
    to_right : bool
        Whether it stands to the right of its mark.
    leader : tuple of (x, y), or None
        Both ends of the line from its mark to it; None where it stands beside it.
    """

    box: Box
    to_right: bool
    leader: Line | None = None


def place_labels(
    marks: Sequence[Point], names: Sequence[str], inside: Box, taken: Sequence[Box] = ()
) -> list[Label]:
    """Return a place for each name.

    Names without room beside their mark stand in a column at the right edge, which has to be
    `HEIGHT` high for each. The lines to them are as short as they can be in all, which keeps
    any two from crossing: swapping the ends of two that cross would make them shorter.

    Parameters
    ----------
    marks : sequence of (x, y)
        Middles of the marks.
    names : sequence of str
        What stands beside each.
    inside : Box
        Where names stand beside marks; the column is right of it.
    taken : sequence of Box
        What names keep off, beside marks and other names.

    Examples
    --------
    >>> one, two = place_labels([(50, 50), (60, 50)], ["one", "two"], Box(0, 0, 300, 100))
    >>> one.to_right, two.to_right, two.leader
    (False, True, None)
    """
    beside = _beside(marks, names, inside, taken)
    while True:
        rest = [i for i in range(len(marks)) if i not in beside]
        column = _column([marks[i] for i in rest], [names[i] for i in rest], inside)
        leaders = [label.leader for label in column if label.leader is not None]
        crossed = [i for i in beside if any(_through(one, beside[i].box) for one in leaders)]
        if not crossed:
            placed = beside | dict(zip(rest, column, strict=True))
            return [placed[i] for i in range(len(marks))]
        for i in crossed:
            del beside[i]


def _beside(
    marks: Sequence[Point], names: Sequence[str], inside: Box, taken: Sequence[Box]
) -> dict[int, Label]:
    """Return the names that have room to the right or left of their mark, by its number."""
    spots = [Box(x - REACH, y - REACH, x + REACH, y + REACH) for x, y in marks]
    placed: dict[int, Label] = {}
    for number, ((x, y), name) in enumerate(zip(marks, names, strict=True)):
        known = [*spots[:number], *spots[number + 1 :], *taken, *(p.box for p in placed.values())]
        for to_right in (True, False):
            near = x + AWAY if to_right else x - AWAY - LETTER * len(name)
            box = Box(near, y - HEIGHT / 2, near + LETTER * len(name), y + HEIGHT / 2)
            if box.within(inside) and not any(box.meets(other) for other in known):
                placed[number] = Label(box, to_right)
                break
    return placed


def _column(marks: Sequence[Point], names: Sequence[str], inside: Box) -> list[Label]:
    """Return places at the right edge, and the shortest lines to them."""
    if not marks:
        return []
    n_places = max(len(marks), int((inside.bottom - inside.top) / HEIGHT))
    middles = inside.top + HEIGHT * (np.arange(n_places) + 0.5)
    across = inside.right - np.array([x for x, _ in marks])
    down = middles - np.array([y for _, y in marks])[:, None]  # (marks, places)
    _, chosen = linear_sum_assignment(np.hypot(across[:, None], down))
    labels = []
    for mark, name, middle in zip(marks, names, middles[chosen].tolist(), strict=True):
        left = inside.right + 4
        box = Box(left, middle - HEIGHT / 2, left + LETTER * len(name), middle + HEIGHT / 2)
        labels.append(Label(box, True, (mark, (inside.right, middle))))
    return labels


def _through(line: Line, box: Box) -> bool:
    """Say whether a line that begins outside a rectangle passes through it."""
    ends = [((box.left, box.top), (box.right, box.bottom))]
    ends += [((box.left, box.bottom), (box.right, box.top))]
    return any(_cross(line, diagonal) for diagonal in ends)


def _cross(one: Line, other: Line) -> bool:
    """Say whether two lines cross."""

    def side(line: Line, point: Point) -> float:
        (ax, ay), (bx, by) = line
        return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)

    return (
        side(one, other[0]) * side(one, other[1]) < 0
        and side(other, one[0]) * side(other, one[1]) < 0
    )
