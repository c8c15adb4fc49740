"""A YAML file whose every value knows its file and line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eegvit import registry
from eegvit.config.names import one_line, shown
from eegvit.config.reading import DEEPEST, KeyPath, NotPlain, read_text, read_values, written

PACKAGE = Path(__file__).resolve().parent.parent


class StudyErrors(ValueError):
    """Every mistake of a study file, a line each: file:line: path: what is wrong."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = sorted(map(one_line, lines), key=_place)
        super().__init__("\n".join(self.lines))


def _place(line: str) -> tuple[str, int]:
    file, _, rest = line.partition(":")
    number = rest.partition(":")[0]
    return file, int(number) if number.isdigit() else 0


def find(folder: str, name: str, near: Path | None) -> Path:
    """Return the file of a card or pipeline: a path, a neighbour, one of the checkout or wheel."""
    if name.endswith((".yaml", ".yml")):
        bases = [near.parent / name] if near else []
        for file in [*bases, Path(name)]:
            if _is_file(file):
                return file
        raise StudyErrors([f"{name}:1: no such file"])
    homes = _homes(folder)
    homes = [near.parent.parent / folder, *homes] if near else homes
    for home in homes:
        if _is_file(home / f"{name}.yaml"):
            return home / f"{name}.yaml"
    raise StudyErrors(
        [f"{near or name}:1: no '{name}' in {folder}/{registry.suggest(name, shipped(folder))}"]
    )


def shipped(folder: str) -> list[str]:
    """Return the names of the shipped studies ("pipelines") or cards ("datasets").

    Examples
    --------
    >>> "quickstart" in shipped("pipelines")
    True
    """
    files = (file for home in _homes(folder) for file in home.glob("*.yaml"))
    return sorted({file.stem for file in files} - {"template"})


def _homes(folder: str) -> list[Path]:
    """Return where shipped files are: in a checkout, in an installed package."""
    return [PACKAGE.parent / folder, PACKAGE / "shipped" / folder]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a folder that may not be read
        return False


class Document:
    """A YAML file's values, and the file and line of each."""

    def __init__(self, value: Any, places: dict[KeyPath, str], text: str, file: Path) -> None:
        self.value, self.places, self.text, self.file = value, places, text, file

    @classmethod
    def read(cls, file: Path) -> Document:
        """Return what a file says, or every place where it is no plain data."""
        try:
            return cls.of_text(read_text(file), file)
        except OSError as error:
            raise StudyErrors([f"{file}:1: cannot be read: {error.strerror}"]) from None
        except NotPlain as error:
            raise _told(error, file) from None

    @classmethod
    def of(cls, value: Any, file: Path) -> Document:
        """Return plain values as the file that would say them."""
        try:
            return cls.of_text(written(value), file)
        except NotPlain as error:
            raise _told(error, file) from None

    @classmethod
    def of_text(cls, text: str, file: Path) -> Document:
        """Return what text says, as if a file did."""
        value, lines = read_values(text)
        return cls(value, {path: f"{file}:{line}" for path, line in lines.items()}, text, file)

    def override(self, text: str) -> None:
        """Change a value as `--set KEY=VALUE` says."""
        name, equals, given = text.partition("=")
        name = name.strip()
        keys = name.split(".")
        if not equals or not all(keys) or len(keys) > DEEPEST:
            raise StudyErrors([f"--set {shown(text)}: expected key.path=value"])
        try:
            value, _ = read_values(given)
        except NotPlain as error:
            raise StudyErrors(
                f"--set {name}: {dotted((*keys, *path))}: {said}"
                for _, path, said in error.mistakes
            ) from None
        target = self.value
        for part in keys[:-1]:
            target = target.setdefault(_key(target, part), {})
            if isinstance(target, str) and keys[:-1] == ["data"]:  # data: name -> {card: name}
                target = self.value["data"] = {"card": target}
            if not isinstance(target, dict):
                raise StudyErrors([f"--set {name}: '{part}' is no mapping in {self.file}"])
        target[_key(target, keys[-1])] = value
        for path in [path for path in self.places if path[: len(keys)] == tuple(keys)]:
            del self.places[path]
        self.places[tuple(keys)] = f"--set {name}"

    def place(self, path: KeyPath) -> str:
        path = tuple(map(str, path))
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, f"{self.file}:1")

    def error(self, path: KeyPath, sentence: str) -> str:
        return f"{self.place(path)}: {dotted(path)}: {sentence}"


def _told(error: NotPlain, file: Path) -> StudyErrors:
    return StudyErrors(
        f"{file}:{line}: {dotted(path) + ': ' if path else ''}{said}"
        for line, path, said in error.mistakes
    )


def dotted(path: Iterable[str | int]) -> str:
    """Return a key path as people write it."""
    return ".".join(str(part) for part in path) or "(top)"


def _key(mapping: dict[Any, Any], written: str) -> Any:
    """Return a mapping's key that is written so, which may be a number, or the text."""
    return next((key for key in mapping if str(key) == written), written)
