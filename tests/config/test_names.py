"""Names of studies, models and data sets: what cannot be a file's is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from eegvit.config import StudyErrors, load_study
from eegvit.config.names import one_line, printable

STUDY = """name: demo
data: {name: tiny, source: simulated, classes: [left_hand, right_hand], window: [0, 2]}
models:
  csp: {branch: csp_lda}
  fbcsp: {branch: fbcsp}
ensembles:
  both: {of: [csp, fbcsp]}
"""
BAD = {
    "..": "begins with a dot",
    ".hidden": "begins with a dot",
    "a/b": "'/' would make it a path",
    "../../x": "'/' would make it a path",
    "a\\b": "would make it a path",
    "x" * 300: "300 bytes long",
    "é" * 60: "120 bytes long",
    "": "it is empty",
    " a": "begins or ends with a space",
    "a\nb": "U+000A cannot be seen",
    "a\u200bb": "U+200B cannot be seen",
}


@pytest.mark.parametrize(("name", "reason"), BAD.items())
@pytest.mark.parametrize(
    ("place", "line", "path"),
    [
        ("name: demo", 1, "name"),
        ("name: tiny", 2, "data.name"),
        ("csp: {", 4, "models."),
        ("both:", 7, "ensembles."),
    ],
)
def test_names_that_no_file_can_have(
    name: str, reason: str, place: str, line: int, path: str, tmp_path: Path
) -> None:
    quoted = '"' + name.replace("\\", "\\\\").replace("\n", "\\n") + '"'
    key, colon, rest = place.partition(":")
    spoilt = f"{key}: {quoted}" if path.endswith("name") else f"{quoted}{colon}{rest}"
    file = tmp_path / "demo.yaml"
    file.write_text(STUDY.replace(place, spoilt, 1), encoding="utf-8")
    with pytest.raises(StudyErrors) as caught:
        load_study(file)
    told = [text for text in caught.value.lines if "is no name" in text]
    assert len(told) == 1 and told[0].startswith(f"{file}:{line}: {path}") and reason in told[0]
    assert told[0].isprintable() and len(told[0]) < 1001


@pytest.mark.parametrize("name", ["csp + lda", "=1+1", "@x", "-", "é", "snn → eegnet", "<b>|"])
def test_models_may_be_called_as_people_like(name: str, tmp_path: Path) -> None:
    file = tmp_path / "demo.yaml"
    file.write_text(STUDY.replace("both:", f"'{name}':"), encoding="utf-8")
    assert name in load_study(file).ensembles


def test_control_characters_become_their_codes() -> None:
    assert printable("a\x1b[2J\u202eb\x85") == "a\\x1b[2J\\u202eb\\x85"
    assert printable("→ é … ·") == "→ é … ·"
    assert one_line("a\r\n b" + "x" * 2000).startswith("a bxxx")
    assert len(one_line("x" * 2000)) == 1000
