"""What the page of messages shows is what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenes import BLOCK, SCENES, message

SHOWN = {
    block[2]: block[3].rstrip("\n")
    for block in BLOCK.finditer(
        (Path(__file__).parents[1] / "docs" / "what_can_go_wrong.md").read_text("utf-8")
    )
}


def test_every_scene_is_on_the_page_once() -> None:
    assert sorted(SHOWN) == sorted(SCENES)


@pytest.mark.parametrize("name", SCENES)
def test_a_message_is_as_the_page_shows_it(name: str) -> None:
    assert message(name) == SHOWN[name]
