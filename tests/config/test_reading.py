"""YAML as plain data: bombs are refused at once, tags and odd values with their line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from eegvit.config import StudyErrors, load_study, load_yaml
from eegvit.config.reading import DEEPEST, LONGEST, MOST_NODES, NotPlain, read_values

LEVELS = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 11)]
MERGES = [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 9)}]}}" for i in range(1, 11)]
BOMBS = {
    "aliases": "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "\n".join(LEVELS),
    "merges": "m0: &m0 {a: 1}\n" + "\n".join(MERGES),
    "aliases that nest": "c0: &c0 [x]\n"
    + "\n".join(f"c{i}: &c{i} [[[[*c{i - 1}]]]]" for i in range(1, 400)),
    "brackets": "a: " + "[" * 3000 + "]" * 3000,
    "open brackets": "a: " + "[" * 3000,
    "braces": "{a: " * 3000 + "1" + "}" * 3000,
    "dashes": "- " * 3000 + "x",
    "indents": "\n".join(" " * i + "a:" for i in range(700)),
    "a list of itself": "a: &a [*a]",
    "a mapping of itself": "a: &a {b: {c: *a}}",
    "a merge of itself": "a: &a {<<: *a}",
    "many values": f"a: [{', '.join(['1'] * 140_000)}]",
    "a long text": "a: " + "x" * (LONGEST + 1),
    "a long comment": "# " + "x" * (LONGEST + 1),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_bombs_are_refused_at_once(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bomb.yaml"
    file.write_text(text, encoding="utf-8")
    began = time.process_time()
    with pytest.raises(StudyErrors) as caught:
        load_study(file)
    assert time.process_time() - began < 1
    (line,) = caught.value.lines
    assert line.startswith(f"{file}:"), line
    fragments = ("nested deeper", "more than", "contains itself", "longer than")
    assert any(fragment in line for fragment in fragments), line


def test_what_is_allowed_is_read() -> None:
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert read_values(deep)[0] is not None
    assert len(read_values(f"[{', '.join(['1'] * (MOST_NODES - 1))}]")[0]) == MOST_NODES - 1


@pytest.mark.parametrize(
    ("text", "line", "fragment"),
    [
        ("a: 1\nb: !foo 3", 2, "b: the tag '!foo' is not understood here"),
        ("a: !!python/object/apply:os.system [ls]", 1, "a: the tag '!!python/object/apply"),
        ("a: !!int abc", 1, "a: 'abc' is no int"),
        ("a:\n- 1\n- 0x_", 3, "a.1: '0x_' is no int"),
        ("a: !!float ''", 1, "a: '' is no float"),
        ("a: !!set {b}", 1, "a: the tag '!!set'"),
        ("a: !!str [1]", 1, "a: the tag '!!str'"),
        (f"a: {'9' * 40}", 1, "is too large"),
        (f"a: {'9' * 5000}", 1, "is no int"),
        ("? [1, 2]\n: 3", 1, "a key is a word"),
        ("a: {? {b: 1} : 3}", 1, "a: a key is a word"),
        ("b:\n  <<: 3", 2, "b.<<: what is merged is a mapping"),
        ("b: {<<: [{a: 1}, 3]}", 1, "b.<<: what is merged is a mapping"),
        ("a: 1\nb: 2\na: 3", 3, "a: key given twice"),
        ("1: a\n'1': b", 2, "1: key given twice"),
        ('a: 1\nb: "\\e[31mred"', 2, "b: the character U+001B cannot be seen"),
        ('a: "\\u202ednuob"', 1, "a: the character U+202E cannot be seen"),
        ('a: "\\uD800"', 1, "a: the character U+D800 cannot be seen"),
        ('a: "\\UFFFFFFFF"', 1, "not valid YAML"),
        ("a: 1\nb: \0", 2, "the character U+0000 is not allowed"),
        ("a: *nobody", 1, "undefined alias"),
        ("a: !<%ff> x", 1, "not valid YAML"),
        ("a: 1\n--- \nb: 1", 2, "another document"),
    ],
)
def test_what_is_no_plain_data_is_named_with_its_line(
    text: str, line: int, fragment: str, tmp_path: Path
) -> None:
    file = tmp_path / "odd.yaml"
    file.write_bytes(text.encode())
    with pytest.raises(StudyErrors) as caught:
        load_yaml(file)
    (told,) = caught.value.lines
    assert told.startswith(f"{file}:{line}: ") and fragment in told


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(NotPlain) as caught:
        read_values("a: !x 1\nb: 0x_\na: 2")
    assert [line for line, _, _ in caught.value.mistakes] == [1, 2, 3]


@pytest.mark.parametrize(
    ("content", "line", "fragment"),
    [
        ("name: a\n".encode("utf-16"), 1, "byte 0xff is not UTF-8"),
        ("name: a\nb: é".encode("latin-1"), 2, "byte 0xe9 is not UTF-8"),
        (b"name: a\n\x80", 2, "not UTF-8"),
    ],
)
def test_other_encodings_are_named(
    content: bytes, line: int, fragment: str, tmp_path: Path
) -> None:
    file = tmp_path / "odd.yaml"
    file.write_bytes(content)
    with pytest.raises(StudyErrors) as caught:
        load_study(file)
    (told,) = caught.value.lines
    assert told.startswith(f"{file}:{line}: ") and fragment in told


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfa: 1\nb: [2]\n", b"a: 1\r\nb: [2]\r\n"])
def test_marks_and_line_ends_of_editors_are_no_mistake(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_bytes(content)
    assert load_yaml(file) == {"a": 1, "b": [2]}


def test_values_are_those_of_plain_yaml() -> None:
    text = "{a: 1, b: 2.5, c: yes, d: ~, e: 'x', f: 1e-3, g: [.inf, 0x1f], h: {1: x, 2: y}}"
    assert read_values(text)[0] == {
        "a": 1, "b": 2.5, "c": True, "d": None, "e": "x", "f": "1e-3", "g": [float("inf"), 31],
        "h": {1: "x", 2: "y"},
    }  # fmt: skip


def test_dates_and_words_that_yaml_takes_for_values_are_text_as_names() -> None:
    assert read_values("sessions: [2020-01-31, 2020-13-45]")[0] == {
        "sessions": ["2020-01-31", "2020-13-45"]
    }
    assert read_values("{no: 1, ~: 2, 1.5: 3}")[0] == {"no": 1, "~": 2, "1.5": 3}
    assert read_values("{1: a, b: c}")[0] == {"1": "a", "b": "c"}


def test_merges_and_aliases_are_copies_that_know_their_lines() -> None:
    value, lines = read_values("a: &a\n  x: [1]\n  y: 2\nb: {<<: *a, y: 3}\nc: [*a]\nd: {<<: [*a]}")
    assert value["b"] == {"x": [1], "y": 3} and value["c"] == [value["a"]]
    assert value["d"] == value["a"]
    value["c"][0]["x"].append(2)
    assert value["a"]["x"] == value["b"]["x"] == [1]
    assert lines["b", "x"] == 2 and lines["b", "y"] == 4 and lines["c",] == 5


@pytest.mark.parametrize(
    ("override", "fragment"),
    [
        ("evaluate.seeds=!foo 3", "evaluate.seeds: the tag '!foo'"),
        ("evaluate.seeds=[0x_]", "evaluate.seeds.0: '0x_' is no int"),
        ("name=" + "[" * 3000, "nested deeper"),
        ("name=&a [*a]", "contains itself"),
        ('name="\\e[31m"', "name: the character U.001B"),
        ("name=..", "name: '..' is no name: it begins with a dot"),
        ("name=" + "x" * 300, "name: .* is no name: it is 300 bytes long"),
        ("models.a..branch=eegnet", "expected key.path=value"),
        (".".join("a" * 2000) + "=1", "expected key.path=value"),
        ("name.x=1", "'name' is no mapping"),
        ("models.\x1b[31m=1", r"models.\\x1b"),
    ],
)
def test_overrides_are_read_as_the_file_is(override: str, fragment: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: a\ndata: simulated\nmodels: {chance: {branch: chance}}\n")
    with pytest.raises(StudyErrors, match=fragment) as caught:
        load_study(file, [override])
    assert all(line.startswith("--set ") and line.isprintable() for line in caught.value.lines)
