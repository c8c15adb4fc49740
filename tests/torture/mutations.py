"""Ways to spoil a study file or a card, each drawn from a generator."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

import yaml

HOLE = "the-hole-9f2c"  # where raw YAML is put
OTHER_TYPES: tuple[Any, ...] = (
    None, True, 0, -1, 3, 2.5, 1e308, 10**30, "", "x", "1", "none", [], {}, [[]], [None], [1, "a"],
    {"a": 1}, {"a": {"b": [1]}}, {1: 2}, {"": ""}, [{"branch": "eegnet"}], {"branch": None},
)  # fmt: skip
RAW = (
    "!foo 3", "!foo", "!!python/object:os.system {}", "!!python/name:os.system", "!!int abc",
    "!!float ''", "!!bool x", "!!timestamp q", "!!set {a, b}", "!!omap [a: 1]", "!!binary aGk=",
    "!!str [1]", "!!null [1]", "!<%ff> x", "!<tag:yaml.org,2002:python/module:os> x",
    "2020-13-45", "2020-01-01", "0000-00-00", "2020-01-01 99:99:99", "0x_", "0b_", "0_", "+.inf",
    ".nan", "-.inf", "1e999", "190:20:30", "9" * 5000, "-" + "9" * 40, '"\\0"', '"\\x1b[31mred"',
    '"\\u202egnirts"', '"\\uD800"', '"\\UFFFFFFFF"', '"\\q"', '"a\\nb"', "'", '"', "[", "{", "]",
    "? [1, 2]", "{? [1, 2] : 3}", "{? {a: b} : 3}", "{<<: 3}", "{<<: [1]}", "{<<: {branch: [1]}}",
    "{<<: [{a: 1}, 2]}", "{<<: *nobody}", "*nobody", "&a [*a]", "&a {b: *a}", "&a {<<: *a}",
    "{a: 1, a: 2}", "{1: 2, 1: 3}", "{yes: 1, no: 2}", "{~: 1}", "{1.5: 2}", "{2020-01-01: 2}",
    "=", "<<", "|", ">-", "@x", "`x`", "%x", "# gone", "..", ".", "/", "../../x", "/etc/passwd",
    "~/x", "${HOME}", "${", "-", "--- x", "...", "=1+1", "+1", "@SUM(A1)", "C:\\x", "a/b",
    "x" * 300, "'" + "é" * 200 + "'", "x" * 100_000, "os.system", "sklearn", "sklearn.", ".svm",
)  # fmt: skip
KEYS: tuple[Any, ...] = (
    "", " ", None, True, 1, 2.5, "path", "source_text", "origin", "__class__", "__init__", "self",
    "random_state", "sfreq", "card", "branch", "branches", "model_config", "model_fields", "copy",
    "data", "from", "x" * 300, "ünï", "a.b", "a\nb", "<<", "=", "-", "é\u202e",
)  # fmt: skip


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value of a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = []
    for key, value in items:
        found.append((tree, key))
        if isinstance(value, dict | list):
            found += places(value)
    return found


def dumped(tree: Any) -> str:
    """Return a tree as YAML, in one of its styles."""
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=1000)


def by_key(rng: random.Random, tree: Any) -> bytes:
    """Misspell, remove, double, swap or rename a key."""
    mappings = [tree] + [c[k] for c, k in places(tree) if isinstance(c[k], dict) and c[k]]
    mapping = rng.choice(mappings)
    key = rng.choice(list(mapping))
    how = rng.choice(("misspell", "remove", "rename", "swap", "add", "double"))
    if how == "misspell":
        text = str(key)
        at = rng.randrange(len(text) or 1)
        mapping[text[:at] + rng.choice("xq_ é") + text[at + 1 :]] = mapping.pop(key)
    elif how == "remove":
        del mapping[key]
    elif how == "rename":
        mapping[rng.choice(KEYS)] = mapping.pop(key)
    elif how == "swap":
        other = rng.choice(list(mapping))
        mapping[key], mapping[other] = mapping[other], mapping[key]
    elif how == "add":
        mapping[rng.choice(KEYS)] = copy.deepcopy(rng.choice(OTHER_TYPES))
    else:
        lines = dumped(tree).splitlines()
        line = rng.choice(lines)
        return "\n".join([*lines, line] if rng.random() < 0.5 else [line, *lines]).encode()
    return dumped(tree).encode()


def by_type(rng: random.Random, tree: Any) -> bytes:
    """Put values of another type in one to three places."""
    for _ in range(rng.randint(1, 3)):
        found = places(tree)
        if found:
            container, key = rng.choice(found)
            container[key] = copy.deepcopy(rng.choice(OTHER_TYPES))
    return dumped(tree).encode()


def with_raw(rng: random.Random, tree: Any, raw: str) -> bytes:
    """Put raw YAML in a place."""
    container, key = rng.choice(places(tree))
    container[key] = HOLE
    return dumped(tree).replace(HOLE, raw).encode("utf-8", "surrogatepass")


def by_value(rng: random.Random, tree: Any) -> bytes:
    """Put what YAML or a check may stumble over in a place."""
    return with_raw(rng, tree, rng.choice(RAW))


def by_nesting(rng: random.Random, tree: Any) -> bytes:
    """Nest deeply, or let aliases multiply."""
    depth = rng.choice((5, 20, 31, 32, 33, 100, 1000, 3000))
    wide = rng.randint(2, 9)
    bomb = "[&b0 [x, x], " + ", ".join(
        f"&b{i} [{', '.join([f'*b{i - 1}'] * wide)}]" for i in range(1, rng.randint(3, 14))
    )
    chain = "[&c0 [x], " + ", ".join(f"&c{i} [[[[*c{i - 1}]]]]" for i in range(1, 60)) + "]"
    merges = "[&m0 {a: 1}, " + ", ".join(
        f"&m{i} {{<<: [{', '.join([f'*m{i - 1}'] * wide)}]}}" for i in range(1, 12)
    )
    shapes = (
        "[" * depth + "]" * depth, "[" * depth, "{a: " * depth + "1" + "}" * depth,
        "\n" + "".join("  " * (8 + i) + "a:\n" for i in range(min(depth, 400))),
        bomb + "]", merges + "]", chain, "{from: " * depth + "x" + "}" * depth,
        "{branch: [" * depth + "eegnet, snn" + "]}" * depth,
    )  # fmt: skip
    return with_raw(rng, tree, rng.choice(shapes))


def by_encoding(rng: random.Random, tree: Any) -> bytes:
    """Write it in another encoding, or damage bytes of it."""
    text = dumped(tree)
    content = bytearray(text.encode())
    at = rng.randrange(len(content))
    how = rng.randrange(9)
    if how == 0:
        return text.encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "utf-8-sig")))
    if how == 1:
        return bytes(content[:at])
    if how == 2:
        return text.replace("\n", rng.choice(("\r\n", "\r", "\x85", "\u2028", "\t\n"))).encode()
    if how == 3:
        content[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 8)))
    elif how == 4:
        content[at:at] = rng.choice(
            (b"\0", b"\x1b[2J", b"\xff\xfe", b"\xed\xa0\x80", b"\t", b"\x08")
        )
    elif how == 5:
        for _ in range(rng.randint(1, 5)):
            content[rng.randrange(len(content))] = rng.randrange(256)
    elif how == 6:
        del content[at : at + rng.randint(1, 40)]
    elif how == 7:
        content[at] ^= 1 << rng.randrange(8)
    else:
        return bytes(rng.randrange(256) for _ in range(rng.randint(0, 400)))
    return bytes(content)


def by_size(rng: random.Random, tree: Any) -> bytes:
    """Make something very long, or nothing."""
    n = rng.choice((300, 3000, 30_000))
    shapes: tuple[Callable[[], bytes], ...] = (
        lambda: b"",
        lambda: b"\n" * n * 10,
        lambda: b"# x\n" * n * 10,
        lambda: dumped(tree).encode() * (n // 300),
        lambda: with_raw(rng, tree, "x" * n),
        lambda: with_raw(rng, tree, '"' + "x " * n + '"'),
        lambda: with_raw(rng, tree, f"[{', '.join(['1'] * n)}]"),
        lambda: with_raw(rng, tree, f"{{{', '.join(f'k{i}: {i}' for i in range(n))}}}"),
        lambda: with_raw(rng, tree, "{" + "k" * n + ": {branch: chance}}"),
        lambda: dumped(tree).encode() + b"models: {" + b"x" * n + b": {branch: " + b"y" * n + b"}}",
        lambda: dumped({**tree, "name": "n" * n}).encode(),
        lambda: dumped({**tree, "data": "n" * n}).encode(),
        lambda: dumped({**tree, "data": "n" * n + ".yaml"}).encode(),
    )
    return rng.choice(shapes)()


KINDS: dict[str, Callable[[random.Random, Any], bytes]] = {
    "key": by_key,
    "type": by_type,
    "value": by_value,
    "nesting": by_nesting,
    "encoding": by_encoding,
    "size": by_size,
}
