"""Every key of a study file and of a card stands on its page, with an example that is taken."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from eegvit.config import Card, Study, load_card, load_study
from eegvit.config.document import Document
from eegvit.config.signature import FILLED_BY_LOADER

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "scripts"))

import key_tables  # noqa: E402
import model_pages  # noqa: E402

STUDY: dict[str, Any] = {
    "name": "part", "data": "simulated",
    "models": {name: {"branch": name} for name in ("fbcsp", "eegnet")} | {"csp": {"branch": "mdm"}},
}  # fmt: skip
CARD: dict[str, Any] = {
    "name": "part", "classes": ["left_hand", "right_hand"], "window": [0, 4], "source": "files",
    "options": {"root": ".", "pattern": "S{subject}.edf"},
}  # fmt: skip
NEEDED = {  # keys that an example means nothing without
    "evaluate.labels_from": {"labels_per_class": [1]},
    "ensembles.learner": {"of": ["csp", "fbcsp"], "rule": "weighted"},
    "models.pretrain.unlabelled": {"data": "physionet_mi"},
    "models.distill.weight": {"from": "fbcsp"},
    "models.distill.temperature": {"from": "fbcsp"},
    "speller": {"rows": 6, "columns": 6, "onset_to_onset": 0.175},
    "options.files": {"root": ".", "pattern": "S{subject}.edf"},
    "options.bids": {"root": "."},
    "options.moabb": {"dataset": "BNCI2014_001"},
}
KEYS = [(part, key) for part, keys in key_tables.EXAMPLES.items() for key in keys]


@pytest.mark.parametrize(("part", "key"), KEYS, ids=[f"{part}-{key}" for part, key in KEYS])
def test_an_example_is_taken(
    part: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.safetensors").touch()
    value = {**NEEDED.get(f"{part}.{key}", NEEDED.get(part, {})), key: written(part, key)}
    if part == "study":
        assert load_study({**STUDY, **value})
    elif part in ("align", "view", "evaluate"):
        assert load_study({**STUDY, part: value})
    elif part == "models":
        assert load_study(
            {**STUDY, "models": STUDY["models"] | {"mine": {"branch": "eegnet"} | value}}
        )
    elif part.startswith("models."):
        key_of_model = part.partition(".")[2]
        mine = {"mine": {"branch": "eegnet", key_of_model: value}}
        assert load_study({**STUDY, "models": STUDY["models"] | mine})
    elif part == "ensembles":
        assert load_study({**STUDY, "ensembles": {"mine": {"of": ["csp", "fbcsp"]} | value}})
    else:
        inner = {part: value} if part in ("windows", "speller", "expected") else value
        if part.startswith("options."):
            inner = {"source": part.partition(".")[2], "options": value}
        if part == "windows" and key == "step":
            inner = {"windows": {"length": 4} | value}
        file = tmp_path / "card.yaml"
        file.write_text(key_tables.written({**CARD, **inner}), encoding="utf-8")
        assert load_card(file)


def written(part: str, key: str) -> Any:
    """Return an example as the page writes it, read again."""
    text = key_tables.written(key_tables.EXAMPLES[part][key])
    return Document.of_text(f"{key}: {text}", Path("example.yaml")).value[key]


def test_a_default_is_the_parameters_own() -> None:
    page = model_pages.model_page("eegnet")
    assert "| `pool_1` | int | `4` |" in page and "| `pool_2` | int | `8` |" in page
    assert "| `epochs` |" not in page and "| `epochs` |" in model_pages.training_page()


def test_the_pages_have_every_key() -> None:
    study, card = key_tables.study_page(), key_tables.card_page()
    for model, page in ((Study, study), (Card, card)):
        for key in set(model.model_fields) - FILLED_BY_LOADER:
            assert f"\n| `{key}` |" in page
    assert study.count("(must be given)") == 6  # name, data, models; branch; from; of
    cells = [line.count(" | ") for line in (study + card).splitlines() if line.startswith("| `")]
    assert len(cells) > 80 and min(cells) == 4
