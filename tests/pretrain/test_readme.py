"""The README's pretraining on recordings does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from eegvit.pretrain.weights import load

README = Path(__file__).parents[2] / "README.md"


def test_recordings_become_a_file_of_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (code,) = [block for block in blocks if "pretrain_model" in block]
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    recordings = [rng.standard_normal((3, 1500)).astype(np.float32) for _ in range(2)]
    exec(code.replace("epochs=50", "epochs=2"), {"recordings": recordings})
    weights = load(tmp_path / "weights.safetensors")
    assert weights.manifest["subjects"] == ["mine/1", "mine/2"]
    assert weights.manifest["architecture"]["n_times"] == 500
    assert weights.manifest["recipe"]["objective"]["positives"] == "neighbour"
    assert "epoch 2/2" in capsys.readouterr().out
    assert not (tmp_path / "pretraining.pt").exists()
