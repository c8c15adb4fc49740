"""The documents say what the code does."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import eegvit
from eegvit.command import COMMANDS
from eegvit.config import load_yaml
from eegvit.registry import BRANCHES, SOURCES


def read(root: Path, name: str) -> str:
    """Return a file's text."""
    return (root / name).read_text(encoding="utf-8")


def command(root: Path, ending: str) -> str:
    """Return the README's one command line with a certain ending."""
    (line,) = [
        line
        for block in re.findall(r"```sh\n(.*?)```", read(root, "README.md"), flags=re.DOTALL)
        for line in block.splitlines()
        if line.startswith("python3 -m venv") and line.endswith(ending)
    ]
    return line


def test_ci_runs_the_readmes_test_command(root: Path) -> None:
    script = read(root, ".ci/run").replace('"$venv"', ".venv").replace('"$venv/bin/', '".venv/bin/')
    script = re.sub(r'"(\.venv/bin/\w+)"', r"\1", script)
    lines = [line.strip().partition(" | ")[0] for line in script.splitlines()]
    for part in command(root, "-m pytest").split(" && "):
        assert part in lines, f".ci/run lacks `{part}`"


def test_make_installs_as_the_readme_does(root: Path) -> None:
    makefile = read(root, "Makefile").replace("$(PYTHON)", "python3").replace("$(BIN)", ".venv/bin")
    lines = [line.strip() for line in makefile.splitlines()]
    for part in command(root, "-m pytest").split(" && "):
        assert part in lines, f"Makefile lacks `{part}`"


def test_the_readmes_commands_name_extras_and_modules_that_exist(root: Path) -> None:
    project = tomllib.loads(read(root, "pyproject.toml"))["project"]
    extras = re.findall(r"\.\[([\w,]+)\]", read(root, "README.md"))
    assert extras and {e for group in extras for e in group.split(",")} <= set(
        project["optional-dependencies"]
    )
    assert command(root, "-m eegvit.run")


def test_files_that_the_readme_names_exist(root: Path) -> None:
    text = read(root, "README.md")
    named = set(re.findall(r"\]\(([\w./-]+)\)", text))
    named |= set(re.findall(r"`((?:pipelines|datasets|examples|eegvit|tests)/[\w./-]*)`", text))
    missing = sorted(name for name in named if not (root / name).exists())
    assert named and not missing


def test_the_site_lists_every_branch_source_and_command(root: Path) -> None:
    text = read(root, "docs/commands.md")
    assert [name for name in [*BRANCHES, *SOURCES] if f"`{name}`" not in text] == []
    assert [name for name in COMMANDS if f"`eegvit {name}" not in text] == ["run"]


def test_versions_agree(root: Path) -> None:
    citation = load_yaml(root / "CITATION.cff")
    assert citation["version"] == eegvit.__version__
    assert f"\n## {eegvit.__version__}\n" in read(root, "CHANGELOG.md")


@pytest.mark.parametrize(
    "target", ["install", "test", "torture", "mutants", "lint", "types", "docs", "bench", "clean"]
)
def test_make_has_the_target(root: Path, target: str) -> None:
    assert re.search(rf"^{target}:", read(root, "Makefile"), flags=re.MULTILINE)


def test_files_are_short(root: Path) -> None:
    long = {
        str(p.relative_to(root)): n
        for p in (root / "eegvit").rglob("*.py")
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 340
    }
    assert not long


def test_no_folder_has_more_than_fifteen_files_of_code(root: Path) -> None:
    count = Counter(p.parent.relative_to(root) for p in (root / "eegvit").rglob("*.py"))
    assert {str(folder): n for folder, n in count.items() if n > 15 + 1} == {}  # and __init__.py


def test_the_readme_fits_a_screen_and_its_picture_is_small(root: Path) -> None:
    text = read(root, "README.md")
    assert len(text.splitlines()) <= 75
    (picture,) = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert (root / picture).stat().st_size < 200_000
