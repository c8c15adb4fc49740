"""Keys know the code: a change of what decides a number changes the hash, other changes do not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

import eegvit
from eegvit import source_code
from eegvit.source_code import hash_of_code, imported_by

PRINT = "from eegvit.source_code import hash_of_code as h; print(h(['{}']))"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the package, to be changed."""
    package = Path(eegvit.__file__).parent
    shutil.copytree(package, tmp_path / "eegvit", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def hashed(copy: Path, module: str) -> str:
    """Return the hash of a module of the copy, in a fresh process."""
    command = [sys.executable, "-c", PRINT.format(module)]
    answer = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=True)
    return answer.stdout.strip()


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("networks/spectral.py", {"eegnet"}),
        ("features/csp.py", {"csp"}),
        ("branches/base.py", {"eegnet", "csp"}),
        ("train/loop.py", {"eegnet"}),
        ("report/words.py", set()),
        ("data/cache/entry.py", set()),
    ],
)
def test_what_a_change_changes(copy: Path, file: str, changes: set[str]) -> None:
    modules = {"eegnet": "eegvit.branches.eegnet", "csp": "eegvit.branches.csp"}
    before = {name: hash_of_code([module]) for name, module in modules.items()}
    path = copy / "eegvit" / file
    path.write_text(path.read_text(encoding="utf-8") + "\nCHANGED = True\n", encoding="utf-8")
    after = {name: hashed(copy, module) for name, module in modules.items()}
    assert {name for name in modules if before[name] != after[name]} == changes


def test_imports_are_followed_as_python_follows_them() -> None:
    """All modules that importing a branch and fitting it loads are in the hash."""
    code = (
        "import sys, numpy as np\n"
        "from eegvit.branches.eegnet import EEGNetClassifier\n"
        "X, y = np.random.default_rng(0).standard_normal((8, 3, 64)), [0, 1] * 4\n"
        "EEGNetClassifier(epochs=1, kernel_length=16, device='cpu').fit(X, y).predict(X)\n"
        "print(*(n for n in sys.modules if n.startswith('eegvit.')))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name for name in answer.stdout.split() if not name.startswith("eegvit.config")}
    known = imported_by(frozenset(["eegvit.branches.eegnet"]))
    packages = {name for name in loaded if Path(eegvit.__file__).parent.joinpath(
        *name.split(".")[1:]).is_dir()}  # fmt: skip
    assert loaded - packages - known <= {"eegvit.sealed", "eegvit.registry", "eegvit.source_code"}


def test_modules_imported_by_name_count_and_those_that_describe_do_not() -> None:
    known = imported_by(frozenset(["eegvit.networks.efficientvit.maps.layouts"]))
    assert "eegvit.networks.efficientvit.maps.scalp" in known
    plans = imported_by(frozenset(["eegvit.plan.keys"]))
    assert "eegvit.branches.base" in plans
    apart = ("eegvit.config", "eegvit.registry", "eegvit.sealed", "eegvit.data.cache")
    assert not [name for name in plans if name.startswith(apart)]


def test_a_module_of_another_package_counts_by_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_branch.py").write_text("A = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert imported_by(frozenset(["their_branch"])) == {"their_branch"}
    assert hash_of_code(["their_branch"]) != hash_of_code(["eegvit.features.csp"])
    before = hash_of_code(["their_branch"])
    (tmp_path / "their_branch.py").write_text("A = 2\n")
    source_code._hash_of_file.cache_clear()
    assert hash_of_code(["their_branch"]) != before


def test_modules_that_are_imported_as_names_of_a_package_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_features.py").write_text(
        "from eegvit.features import csp\nfrom eegvit.features.sums import added\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    known = source_code._imports("their_features")
    assert known == {"eegvit.features", "eegvit.features.csp", "eegvit.features.sums"}


def test_a_module_without_a_file_has_no_hash_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = types.ModuleType("their_notebook")
    monkeypatch.setitem(sys.modules, "their_notebook", notebook)
    assert imported_by(frozenset(["their_notebook"])) == {"their_notebook"}
    assert hash_of_code(["their_notebook"]) == hash_of_code(["their_notebook"])
