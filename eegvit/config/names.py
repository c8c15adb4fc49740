"""Names that are safe as a file's, and text that is safe on a terminal."""

from __future__ import annotations

LONGEST_NAME = 100  # bytes in UTF-8; file systems allow 255
LONGEST_LINE = 1000  # characters of an error


def name_mistake(name: str) -> str | None:
    """Return why a study, model or data set cannot be called so; None if it can.

    Examples
    --------
    >>> name_mistake("csp + lda")
    >>> name_mistake("../results")
    "'../results' is no name: '/' would make it a path"
    >>> name_mistake("..")
    "'..' is no name: it begins with a dot"
    """
    n_bytes = len(name.encode("utf-8", "replace"))
    reason = None
    if not name:
        reason = "it is empty"
    elif n_bytes > LONGEST_NAME:
        reason = f"it is {n_bytes} bytes long, {LONGEST_NAME} at most"
    elif hidden := [char for char in name if not char.isprintable()]:
        reason = f"the character U+{ord(hidden[0]):04X} cannot be seen"
    elif separators := [char for char in name if char in "/\\"]:
        reason = f"'{separators[0]}' would make it a path"
    elif name != name.strip():
        reason = "it begins or ends with a space"
    elif name.startswith("."):
        reason = "it begins with a dot"
    if reason is None:
        return None
    return f"'{shown(name)}' is no name: {reason}"


def printable(text: str) -> str:
    r"""Return text in which what a terminal would obey, or not show, stands as its code.

    Examples
    --------
    >>> print(printable("red\x1b[31m\u202e"))
    red\x1b[31m\u202e
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def shown(text: str) -> str:
    """Return the beginning of a text, to be named in an error."""
    return printable(text if len(text) <= 60 else text[:59] + "…")


def one_line(text: str) -> str:
    r"""Return text as a line for a terminal, cut where it is very long.

    Examples
    --------
    >>> one_line("a\n  b")
    'a b'
    """
    line = printable(" ".join(part.strip() for part in text.splitlines()))
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
