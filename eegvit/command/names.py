"""List the studies, data sets, models and ensemble rules that there are."""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Iterable
from shutil import get_terminal_size

from eegvit import registry
from eegvit.config import StudyErrors, load_card, load_study, shipped

KINDS = ("studies", "data", "models", "rules")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("what", nargs="?", choices=KINDS, help="one kind only (default: all)")


def carry_out(options: argparse.Namespace) -> int:
    """Print a line for each name."""
    for kind in KINDS if options.what is None else (options.what,):
        rows = sorted(LISTS[kind]())
        width = max(len(name) for name, _ in rows)
        print(f"{kind}:")
        print("\n".join(_line(name, said, width) for name, said in rows) + "\n")
    print("`eegvit show NAME` explains one.")
    return 0


def studies() -> Iterable[tuple[str, str]]:
    """Yield the name of each shipped study and what it is."""
    for name in shipped("pipelines"):
        try:
            study = load_study(name)
        except StudyErrors as error:
            yield name, error.lines[0]
            continue
        data = " and ".join(card.name for card in study.data)
        yield name, study.description or f"{len(study.models)} models on {data}"


def data_sets() -> Iterable[tuple[str, str]]:
    """Yield the name of each shipped card and what it is."""
    for name in shipped("datasets"):
        card = load_card(name)
        kind = f"{card.source}, simulated" if card.simulated else card.source
        yield name, f"{card.title or card.name} ({kind}; {', '.join(card.classes)})"


def models() -> Iterable[tuple[str, str]]:
    """Yield the name of each branch and the first line of its documentation."""
    for name in registry.known(registry.BRANCHES):
        try:
            yield name, first_line(registry.lookup(registry.BRANCHES, name))
        except ValueError as error:  # another package registers what cannot be imported
            yield name, str(error)


def rules() -> Iterable[tuple[str, str]]:
    """Yield the name of each ensemble rule and what it does."""
    from eegvit.ensemble.rules import RULES

    for name, rule in RULES.items():
        learners = f" (learner: {', '.join(rule.learners)})" if rule.learners else ""
        yield name, first_line(rule.combine) + learners


def first_line(documented: object) -> str:
    """Return the first line of what something says of itself."""
    return (inspect.getdoc(documented) or "").partition("\n")[0].rstrip(".")


def _line(name: str, said: str, width: int) -> str:
    first = said.partition(". ")[0].rstrip(".")
    indent = " " * (width + 4)
    columns = max(width + 40, get_terminal_size().columns)
    return textwrap.fill(f"  {name:{width}}  {first}", columns, subsequent_indent=indent)


LISTS = {"studies": studies, "data": data_sets, "models": models, "rules": rules}
