"""Recordings found in a folder by the pattern of their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from eegvit.config import Card
from eegvit.registry import suggest

_FIELDS = ("subject", "session", "run", "class")
_FIELD = r"\{(\w+)(?::(\d+))?\}"


@dataclass(frozen=True)
class RecordingFile:
    """A recording's file, and whose it is."""

    path: Path
    subject: str = "1"
    session: str = "0"
    run: str = "0"
    label: str | None = None  # what its name says of the class of all its trials


def find_files(root: Path, pattern: str) -> list[RecordingFile]:
    """Every file below a folder whose path fits a pattern, sorted by path."""
    names = re.compile(_expression(pattern))
    found = []
    for path in sorted(root.glob(re.sub(rf"({_FIELD}|\*)+", "*", pattern))):
        match = names.fullmatch(path.relative_to(root).as_posix())
        if match and (path.is_file() or path.suffix == ".mff"):
            fields = match.groupdict()
            label = fields.pop("class", None)
            if label is not None:  # recordings of two classes are two runs
                fields["run"] = "-".join([*([fields["run"]] if "run" in fields else []), label])
            found.append(RecordingFile(path, label=label, **fields))
    return found


def fill(pattern: str, file: RecordingFile) -> str:
    """Put a file's subject, session and run into a pattern.

    Examples
    --------
    >>> fill("A{subject:2}{session}.mat", RecordingFile(Path("a"), "03", "E"))
    'A03E.mat'
    """

    def value(field: re.Match[str]) -> str:
        name = _checked(field[1], pattern)
        return str(file.label if name == "class" else getattr(file, name))

    return re.sub(_FIELD, value, pattern)


def find_root(root: str, card: Card) -> Path:
    """Folder that a card names: `~` and `${NAME:-default}` replaced, the first that exists."""
    path = Path(expand(root)).expanduser()
    if path.is_absolute():
        return path
    folders = [Path.cwd()]
    if card.origin:
        folder = Path(card.origin).resolve().parent
        folders += [folder, folder.parent]
    return next((f / path for f in folders if (f / path).is_dir()), folders[0] / path)


def expand(text: str) -> str:
    """Replace $NAME, ${NAME} and ${NAME:-default} by the environment's.

    Examples
    --------
    >>> expand("${NO_SUCH_FOLDER:-../data}/set")
    '../data/set'
    """

    def value(match: re.Match[str]) -> str:
        return os.environ.get(match["name"]) or match["default"] or ""

    return os.path.expandvars(re.sub(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}", value, text))


def chosen_subjects(card: Card, found: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The card's subjects, if there are recordings of all of them, or all that were found."""
    if card.subjects is None:
        return found
    chosen = []
    for name in card.subjects:
        known = same_name(name, found)
        if known is None:
            raise ValueError(f"{where} has no subject '{name}'{suggest(name, found)}")
        chosen.append(known)
    return tuple(chosen)


def same_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that a name means: the same one, or the same number.

    Examples
    --------
    >>> same_name("1", ["01", "02"]), same_name("s1", ["s01"]), same_name("3", ["01", "02"])
    ('01', 's01', None)
    """
    names = list(known)
    if name in names:
        return name
    alike = [other for other in names if natural(other) == natural(name)]
    return alike[0] if len(alike) == 1 else None


@lru_cache(maxsize=2**16)  # the names of a study are sorted many times over
def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key that puts "10" after "9".

    Examples
    --------
    >>> sorted(["s10", "s2", "s1b"], key=natural)
    ['s1b', 's2', 's10']
    """
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


def _checked(field: str, pattern: str) -> str:
    if field not in _FIELDS:
        raise ValueError(f"'{pattern}': no field {{{field}}}{suggest(field, _FIELDS)}")
    return field


def _expression(pattern: str) -> str:
    """Regular expression of a pattern with {subject}, {session:2} and *."""
    parts: list[str] = []
    seen: set[str] = set()
    for piece in re.split(r"(\{\w+(?::\d+)?\}|\*)", pattern):
        field = re.fullmatch(_FIELD, piece)
        if field is None:
            parts.append("[^/]*" if piece == "*" else re.escape(piece))
            continue
        name = _checked(field[1], pattern)
        width = f"{{{field[2]}}}" if field[2] else "+?"
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>[^/]{width})")
        seen.add(name)
    return "".join(parts)
