"""The command line: `eegvit STUDY` runs a study; `eegvit list`, `show`, `check` and more."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from shutil import get_terminal_size
from typing import Any

from eegvit import __version__
from eegvit.config import StudyErrors
from eegvit.config.names import printable

COMMANDS = {
    "run": "run a study and write its leaderboard",
    "check": "say what is wrong with a study file, or what it asks for",
    "list": "list the studies, data sets, models and ensemble rules",
    "show": "explain a model, a data set, a study, a rule or a key of the study file",
    "init": "look at a folder of recordings and write a study for it",
    "search": "search the shape of an EfficientViT that is smaller and faster",
    "deploy": "fit a model on all people into a file, and decode recordings with it",
    "report": "write a page again from what is stored; verify, compare or join reports",
    "cache": "show or clear what was kept of recordings",
}

MODULES = {"list": "names"}  # where a module of the command's own name would hide a built-in


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        given = ["--help"]
    if given[0] not in COMMANDS and given[0] not in ("-h", "--help", "--version"):
        given = ["run", *given]
    return start(given[0], given[1:]) if given[0] in COMMANDS else _overview(given)


def start(name: str, arguments: Sequence[str]) -> int:
    """Carry out one of the commands and return the exit code; errors are sentences."""
    module = importlib.import_module(f"eegvit.command.{MODULES.get(name, name)}")
    parser = argparse.ArgumentParser(prog=f"eegvit {name}", description=module.__doc__)
    parser.add_argument("--traceback", action="store_true", help="show where an error came from")
    module.add_arguments(parser)
    options = parser.parse_args(list(arguments))
    options.given = [name, *arguments]
    try:
        with _warnings_in_words():
            code: int = module.carry_out(options)
        return code
    except StudyErrors as error:
        n = len(error.lines)
        print(error, file=sys.stderr)
        print(f"{n} mistake{'s' * (n != 1)} in the study file; nothing was run", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\nstopped; every finished fit is kept, the same command goes on from here",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:  # whoever read the output, as `head` does, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains at its end
        return 141  # as a shell says of what ends so
    except (ValueError, OSError, MemoryError) as error:
        if options.traceback:
            raise
        said = str(error)
        if isinstance(error, MemoryError):
            said = f"out of memory: {said or 'nothing more to be had'}; fewer --jobs need less"
        print(wrapped(f"error: {said}"), file=sys.stderr)
        return 1


@contextlib.contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Show what eegvit warns of as a sentence, without the line of code that said it."""
    as_python_does = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if category is UserWarning:
            print(wrapped(f"warning: {message}"), file=sys.stderr)
        else:
            as_python_does(message, category, *place, **more)

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = as_python_does


def wrapped(text: str) -> str:
    """Return text in lines that fit the terminal; a line's indentation is kept.

    Examples
    --------
    >>> print(wrapped("error: short"))
    error: short
    """
    width = max(40, get_terminal_size().columns)
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent=" " * (len(line) - len(line.lstrip()) + 4),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in map(printable, text.splitlines())
    )


def _overview(arguments: Sequence[str]) -> int:
    longest = max(map(len, COMMANDS))
    lines = [f"  {name:{longest}}  {what}" for name, what in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        prog="eegvit",
        usage="eegvit STUDY, or eegvit COMMAND ...",
        description="Decode EEG trials and say honestly how well it works across people.",
        epilog="commands:\n" + "\n".join(lines) + "\n\n`eegvit COMMAND --help` explains one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"eegvit {__version__}")
    parser.parse_args(list(arguments))
    return 0
