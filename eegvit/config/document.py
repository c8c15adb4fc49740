"""A YAML file whose every value knows its file and line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from eegvit import registry

KeyPath = tuple[str | int, ...]
PACKAGE = Path(__file__).resolve().parent.parent


class StudyErrors(ValueError):
    """Every mistake of a study file, a line each: file:line: path: what is wrong."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = sorted(lines, key=_place)
        super().__init__("\n".join(self.lines))


def _place(line: str) -> tuple[str, int]:
    file, _, rest = line.partition(":")
    number = rest.partition(":")[0]
    return file, int(number) if number.isdigit() else 0


def find(folder: str, name: str, near: Path | None) -> Path:
    """Return the file of a card or pipeline: a path, a neighbour, one of the checkout or wheel."""
    if name.endswith((".yaml", ".yml")):
        for base in [near.parent] if near else []:
            if (base / name).is_file():
                return base / name
        if Path(name).is_file():
            return Path(name)
        raise StudyErrors([f"{name}:1: no such file"])
    homes = _homes(folder)
    homes = [near.parent.parent / folder, *homes] if near else homes
    for home in homes:
        if (home / f"{name}.yaml").is_file():
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


class Document:
    """A YAML file's values, and the file and line of each."""

    def __init__(self, value: Any, places: dict[KeyPath, str], text: str, file: Path) -> None:
        self.value, self.places, self.text, self.file = value, places, text, file
        self.repeated: list[str] = []

    @classmethod
    def read(cls, file: Path) -> Document:
        try:
            text = file.read_text(encoding="utf-8")
            node = yaml.compose(text, Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as error:
            raise StudyErrors([f"{file}:1: cannot be read: {error}"]) from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise StudyErrors([f"{file}:{line}: not valid YAML: {error.problem}"]) from None
        document = cls(yaml.safe_load(text), {}, text, file)
        if node is not None:
            document.mark(node, ())
        return document

    @classmethod
    def of(cls, value: Any, file: Path) -> Document:
        """Return plain values as the file that would say them."""
        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
        document = cls(value, {}, text, file)
        document.mark(yaml.compose(text, Loader=yaml.SafeLoader), ())
        return document

    def mark(self, node: yaml.Node, path: KeyPath) -> None:
        self.places.setdefault(path, f"{self.file}:{node.start_mark.line + 1}")
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                here = f"{self.file}:{key.start_mark.line + 1}"
                if key.value in seen:
                    self.repeated.append(f"{here}: {dotted((*path, key.value))}: key given twice")
                seen.add(key.value)
                self.places[(*path, key.value)] = here
                self.mark(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                self.mark(value, (*path, i))

    def override(self, text: str) -> None:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise StudyErrors([f"--set {text}: expected key.path=value"])
        *parents, last = key.strip().split(".")
        target = self.value
        for part in parents:
            target = target.setdefault(part, {}) if isinstance(target, dict) else None
            if isinstance(target, str) and parents == ["data"]:  # data: name -> data: {card: name}
                target = self.value["data"] = {"card": target}
            if not isinstance(target, dict):
                raise StudyErrors([f"--set {text}: '{part}' is no mapping in {self.file}"])
        try:
            target[last] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise StudyErrors([f"--set {text}: '{value}' is not valid YAML"]) from None
        replaced = (*parents, last)
        for path in [path for path in self.places if path[: len(replaced)] == replaced]:
            del self.places[path]
        self.places[replaced] = f"--set {key}"

    def place(self, path: KeyPath) -> str:
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, f"{self.file}:1")

    def error(self, path: KeyPath, sentence: str) -> str:
        return f"{self.place(path)}: {dotted(path)}: {sentence}"


def dotted(path: Iterable[str | int]) -> str:
    """Return a key path as people write it."""
    return ".".join(str(part) for part in path) or "(top)"
