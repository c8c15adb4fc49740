"""Versions of packages, under whatever name they were installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from eegvit.plan.versions import version
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
