"""Versions of packages, under whatever name they were installed."""

from __future__ import annotations

import importlib
from importlib import metadata
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from eegvit.plan.versions import code_of, version
from eegvit.report.manifest import versions


@pytest.mark.parametrize("name", ["xgboost", "xgboost-cpu"])
def test_either_build_of_xgboost_has_a_version(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = tmp_path / f"{name.replace('-', '_')}-9.8.7.dist-info" / "METADATA"
    about.parent.mkdir()
    about.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.8.7\n", encoding="utf-8")

    def find(asked: str) -> str:
        (found,) = [*metadata.distributions(name=asked, path=[str(tmp_path)]), None][:1]
        if found is None:
            raise metadata.PackageNotFoundError(asked)
        return found.version

    version.cache_clear()
    monkeypatch.setattr("eegvit.plan.versions.metadata.version", find)
    try:
        assert version("xgboost") == "9.8.7"
        assert version("nosuch") == "unknown"
        assert versions()["xgboost"] == "9.8.7"
        assert "torch" not in versions()
    finally:
        version.cache_clear()


def test_of_installed_packages_the_version_counts_and_of_others_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "our_steps.py").write_text("class Ours:\n    pass\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    ours = importlib.import_module("our_steps").Ours()
    assert code_of(LogisticRegression()) == code_of(SVC()) != code_of(ours)
