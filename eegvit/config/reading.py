"""YAML text to plain values that know their lines; what is more than plain data is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from eegvit.config.names import shown

KeyPath = tuple[str | int, ...]
LONGEST = 300_000  # bytes of a file
MOST_NODES = 10_000  # values and keys, those behind an alias counted each time
DEEPEST = 32  # lists and mappings within each other
TAG = "tag:yaml.org,2002:"
SCALARS = frozenset({"null", "bool", "int", "float", "str", "timestamp", "merge", "value"})
AS_TEXT = frozenset({"str", "timestamp", "merge", "value"})  # dates are names of sessions here
LARGEST = 2**63
# What turns the direction of writing or breaks lines unseen; control characters are refused too.
UNSEEN = frozenset(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


class NotPlain(ValueError):
    """Text that is no plain data: for each mistake its line, key path (if known) and sentence."""

    def __init__(self, mistakes: Sequence[tuple[int, KeyPath, str]]) -> None:
        self.mistakes = list(mistakes)
        super().__init__("; ".join(f"line {line}: {said}" for line, _, said in self.mistakes))


def read_text(file: Path) -> str:
    """Return the text of a file, which is UTF-8 and not very long."""
    with file.open("rb") as stream:
        content = stream.read(LONGEST + 1)
    if len(content) > LONGEST:
        raise NotPlain([(1, (), f"longer than {LONGEST // 1000} kB: this is no study or card")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = f"cannot be read: byte 0x{content[error.start]:02x} is not UTF-8; save it as UTF-8"
        raise NotPlain([(line, (), text)]) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_values(text: str) -> tuple[Any, dict[KeyPath, int]]:
    """Return what YAML text says, as plain values, and the line of each key path.

    Parts of the paths of lines are text, whether key or place in a list.

    Examples
    --------
    >>> read_values("a: [1, x]\\nb: 2020-01-31\\n")[0]
    {'a': [1, 'x'], 'b': '2020-01-31'}
    >>> read_values("a: 1\\nb: !!python/name:os.system")
    Traceback (most recent call last):
    eegvit.config.reading.NotPlain: line 2: the tag '!!python/name:os.system' is not understood \
here: give a plain value
    """
    try:
        composer = _Composer(text)
        node = composer.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        said = f"not valid YAML: the character U+{_code(error.character):04X} is not allowed"
        raise NotPlain([(line, (), said)]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = " ".join(part for part in (error.context, error.problem) if part)
        raise NotPlain([(line, (), f"not valid YAML: {said}")]) from None
    except NotPlain:
        raise
    except (ValueError, OverflowError) as error:  # such as "\UFFFFFFFF"
        line = composer.line + 1
        raise NotPlain([(line, (), f"not valid YAML: {error}")]) from None
    builder = _Builder(composer)
    value = None if node is None else builder.value(node, (), 0)
    if builder.mistakes:
        raise NotPlain(builder.mistakes)
    return value, builder.lines


def written(value: Any) -> str:
    """Return plain values as YAML text."""
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def flowing(value: Any) -> str:
    """Return a plain value as YAML text of one line.

    Examples
    --------
    >>> flowing({"a": (1, 2), "b": "x: y"})
    "{a: [1, 2], b: 'x: y'}"
    """
    text = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True,
                          width=10**6)  # fmt: skip
    return str(text).removesuffix("...\n").strip()


class _Composer(yaml.SafeLoader):
    """Composes nodes as long as they are few and none is deep."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.n_nodes = self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        line = self.peek_event().start_mark.line + 1
        self.n_nodes += 1
        self.depth += 1
        _refuse_too_much(self.n_nodes, self.depth - 1, line)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Builder:
    """Turns nodes into values, and notes the line of each and what is wrong with it."""

    def __init__(self, composer: _Composer) -> None:
        self.composer = composer
        self.lines: dict[KeyPath, int] = {}
        self.mistakes: list[tuple[int, KeyPath, str]] = []
        self.n_nodes = 0
        self.within: list[yaml.Node] = []  # lists and mappings that are being turned

    def value(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:
        """Return a node's value; a wrong one is None."""
        line = node.start_mark.line + 1
        self.n_nodes += 1
        if any(node is outer for outer in self.within):
            raise NotPlain([(line, path, "it contains itself, by an alias")])
        _refuse_too_much(self.n_nodes, depth, line)
        self.lines.setdefault(path, line)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node, path)
        kind = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if node.tag != TAG + kind:
            self.refuse_tag(node, path)
            return None
        self.within.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path, depth)
            return [
                self.value(item, (*path, str(i)), depth + 1) for i, item in enumerate(node.value)
            ]
        finally:
            self.within.pop()

    def mapping(self, node: yaml.MappingNode, path: KeyPath, depth: int) -> dict[Any, Any]:
        """Return a mapping's values: first those that are merged, then its own."""
        own: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        seen: set[str] = set()
        for key_node, item in node.value:
            line = key_node.start_mark.line + 1
            self.n_nodes += 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.mistakes.append((line, path, "a key is a word, not a list or a mapping"))
                continue
            name = key_node.value
            here = (*path, name)
            if name in seen:
                self.mistakes.append((line, here, "key given twice"))
                continue
            seen.add(name)
            if key_node.tag == TAG + "merge":
                merged = self.merged(item, path, depth)
                continue
            key = self.scalar(key_node, here)
            self.lines[here] = line
            # Numbers may be labels; what YAML takes for true, null or a date is a name here.
            own[key if type(key) is int else name] = self.value(item, here, depth + 1)
        found = {key: value for key, value in merged.items() if key not in own} | own
        if all(type(key) is int for key in found):
            return found
        return {str(key): value for key, value in found.items()}

    def merged(self, node: yaml.Node, path: KeyPath, depth: int) -> dict[Any, Any]:
        """Return what `<<` brings: one mapping, or a list of which the first counts most."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(part, yaml.MappingNode) for part in parts):
            line = node.start_mark.line + 1
            self.mistakes.append((line, (*path, "<<"), "what is merged is a mapping"))
            return {}
        found: dict[Any, Any] = {}
        for part in parts:
            values = self.value(part, path, depth + 1)
            found = {**(values or {}), **found}
        return found

    def scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        """Return a number, a truth value, nothing, or text."""
        kind = node.tag.removeprefix(TAG)
        line = node.start_mark.line + 1
        if not node.tag.startswith(TAG) or kind not in SCALARS:
            self.refuse_tag(node, path)
            return None
        if strange := [char for char in node.value if _is_unseen(char)]:
            said = f"the character U+{ord(strange[0]):04X} cannot be seen and is not allowed"
            self.mistakes.append((line, path, said))
            return None
        if kind in AS_TEXT:
            return node.value
        try:
            value = self.composer.construct_object(node)
        except Exception:  # whatever PyYAML raises on '!!int abc', '0x_' and the like
            self.mistakes.append((line, path, f"'{shown(node.value)}' is no {kind}"))
            return None
        if type(value) is int and abs(value) >= LARGEST:
            self.mistakes.append((line, path, f"the number {shown(node.value)} is too large"))
            return None
        return value

    def refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        tag = node.tag.replace(TAG, "!!")
        said = f"the tag '{shown(tag)}' is not understood here: give a plain value"
        self.mistakes.append((node.start_mark.line + 1, path, said))


def _refuse_too_much(n_nodes: int, depth: int, line: int) -> None:
    if depth > DEEPEST:
        raise NotPlain([(line, (), f"nested deeper than {DEEPEST} lists and mappings")])
    if n_nodes > MOST_NODES:
        said = f"more than {MOST_NODES} values, aliases counted each time"
        raise NotPlain([(line, (), said)])


def _is_unseen(char: str) -> bool:
    control = char < " " and char not in "\n\t" or "\x7f" <= char <= "\x9f"
    return control or char in UNSEEN or "\ud800" <= char <= "\udfff"


def _code(character: int | str | bytes) -> int:
    return character if isinstance(character, int) else ord(character)
