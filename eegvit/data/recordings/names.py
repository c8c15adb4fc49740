"""What the names of recordings have in common, and what in them says whose recording it is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\d+|[A-Za-z]+|[^A-Za-z\d]")
_HINTS = {
    "subject": "sub subj subject s p participant person patient vp",
    "session": "ses sess session day visit",
    "run": "run r block rec recording part",
    "class": "task cond condition class state label",
}
_ROLES = {word: role for role, words in _HINTS.items() for word in words.split()}


@dataclass(frozen=True)
class Field:
    """A part of names that differs: where it stands, what it says, what the word before it hints.

    Parameters
    ----------
    positions : tuple of int
        Tokens of a name that always say the same.
    values : tuple of str
        What it says in each name.
    hint : str, optional
        subject, session, run or class, if the word before it says so.
    """

    positions: tuple[int, ...]
    values: tuple[str, ...]
    hint: str | None

    @property
    def spoken(self) -> bool:
        """Whether it says words rather than numbers."""
        return not any(value.isdigit() for value in self.values)


@dataclass(frozen=True)
class Names:
    """Names of one shape, token by token, and the fields in which they differ."""

    paths: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...]
    fields: tuple[Field, ...]

    def pattern(self, roles: Mapping[Field, str]) -> str:
        """The pattern of the names, each field called by its role, or `*`.

        Examples
        --------
        >>> names = common_names(["S001/S001R04.edf", "S002/S002R04.edf", "S002/S002R06.edf"])
        >>> names.pattern(roles_of(names))
        'S{subject}/S{subject}R{run}.edf'
        """
        parts = list(self.tokens[0])
        varying = {position for field in self.fields for position in field.positions}
        for field in self.fields:
            role = roles.get(field)
            widths = {len(value) for value in field.values}
            for position in field.positions:
                crowded = {position - 1, position + 1} & varying and len(widths) == 1
                width = f":{widths.copy().pop()}" if crowded else ""
                parts[position] = f"{{{role}{width}}}" if role else "*"
        return "".join(parts)


def common_names(paths: Sequence[str]) -> Names:
    """The largest group of names that have one shape: letters, numbers and signs alternate alike.

    Examples
    --------
    >>> names = common_names(["s1_rest.edf", "s1_task.edf", "s2_rest.edf", "notes 2.edf"])
    >>> len(names.paths), [field.values for field in names.fields]
    (3, [('1', '1', '2'), ('rest', 'task', 'rest')])
    """
    shapes = {path: tuple(map(_kind, _TOKEN.findall(path))) for path in paths}
    usual = Counter(shapes.values()).most_common(1)[0][0]
    chosen = tuple(path for path in paths if shapes[path] == usual)
    tokens = tuple(tuple(_TOKEN.findall(path)) for path in chosen)
    found: dict[tuple[str, ...], list[int]] = {}
    for position, values in enumerate(zip(*tokens, strict=True)):
        if len(set(values)) > 1:
            found.setdefault(values, []).append(position)
    fields = [
        Field(tuple(positions), values, _hint(tokens[0], positions[0]))
        for values, positions in found.items()
    ]
    return Names(chosen, tokens, tuple(fields))


def roles_of(names: Names, *, class_in_name: bool = False) -> dict[Field, str]:
    """Say which field is the subject, the session and the run, and, if asked for, the class.

    Examples
    --------
    >>> names = common_names(["a_1_x.edf", "a_2_x.edf", "b_1_y.edf"])
    >>> list(roles_of(names).values())
    ['subject', 'session', 'run']
    """
    roles: dict[Field, str] = {}
    for field in names.fields:
        if field.hint in _HINTS and field.hint not in roles.values() and field.hint != "class":
            roles[field] = str(field.hint)
    free = [field for field in names.fields if field not in roles]
    if class_in_name:
        told = _telling_class(free, roles, names)
        roles[told] = "class"
        free = [field for field in free if field is not told]
    for role in ("subject", "session", "run"):
        if role not in roles.values() and free:
            roles[free.pop(0)] = role
    order = ("subject", "session", "run", "class")
    return dict(sorted(roles.items(), key=lambda item: order.index(item[1])))


def _telling_class(free: Sequence[Field], roles: Mapping[Field, str], names: Names) -> Field:
    """The field that names classes: few values, and more than one of them for most people."""
    people = next((field for field, role in roles.items() if role == "subject"), None)
    others = list(free) + [field for field, role in roles.items() if role in {"session", "run"}]
    if people is None and others:
        people, *others = others
    fit = []
    for field in others:
        kinds: dict[str, set[str]] = {}
        whose = people.values if people else ("",) * len(names.paths)
        for person, value in zip(whose, field.values, strict=True):
            kinds.setdefault(person, set()).add(value)
        n = len(set(field.values))
        whole = sum(len(seen) == n for seen in kinds.values())
        if 2 <= n <= 8 and whole >= 0.8 * len(kinds):
            fit.append(field)
    if not fit:
        raise ValueError("no part of the names tells two classes apart for every person")
    return min(fit, key=lambda field: (field.hint != "class", not field.spoken, field in roles))


def _hint(tokens: Sequence[str], position: int) -> str | None:
    """The role that the word before a token names, a sign between them allowed."""
    for before in reversed(tokens[max(0, position - 2) : position]):
        if before.isalpha():
            return _ROLES.get(before.lower())
        if before.isdigit() or before == "/":
            return None
    return None


def _kind(token: str) -> str:
    return "0" if token.isdigit() else "a" if token.isalpha() else token
