"""The site's pretraining on recordings does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eegvit.pretrain.weights import load

PAGE = Path(__file__).parents[2] / "docs" / "study" / "pretraining.md"


def test_recordings_become_a_file_of_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = [block for block in blocks if "pretrain_model" in block]
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    weights = load(tmp_path / "weights.safetensors")
    assert weights.manifest["subjects"] == ["mine/1", "mine/2"]
    assert weights.manifest["architecture"]["n_times"] == 500
    assert weights.manifest["recipe"]["objective"]["positives"] == "neighbour"
    assert "epoch 2/2" in capsys.readouterr().out
    assert not (tmp_path / "pretraining.pt").exists()
