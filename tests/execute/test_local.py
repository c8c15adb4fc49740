"""Worker processes import what the process that starts them would, and nothing else."""

from __future__ import annotations

import math
import sys

from eegvit.execute.local import Workers
from eegvit.tasks import Task


def test_a_module_in_the_folder_does_not_take_the_place_of_an_installed_one(
    tmp_path, monkeypatch
) -> None:
    for name in ("queue", "numpy", "sklearn"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    with Workers(jobs=1) as workers:
        (answer,) = workers.run([Task("root", math.sqrt, (9.0,))])
    assert answer.value == 3.0 and not (tmp_path / "ran").exists()
