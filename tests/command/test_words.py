"""What the command says: warnings and errors are sentences."""

from __future__ import annotations

import warnings

import pytest

from eegvit.command import main


def test_a_warning_is_a_sentence_without_the_line_that_said_it(monkeypatch, capsys) -> None:
    def warn(_: object) -> int:
        warnings.warn("the disk is failing", stacklevel=1)
        return 0

    monkeypatch.setattr("eegvit.command.names.carry_out", warn)
    assert main(["list"]) == 0
    assert capsys.readouterr().err == "warning: the disk is failing\n"
    with pytest.warns(UserWarning, match="outside"):
        warnings.warn("outside", stacklevel=1)


def test_too_little_memory_is_said(monkeypatch, capsys) -> None:
    def ask(_: object) -> int:
        raise MemoryError("Unable to allocate 9.0 GiB")

    monkeypatch.setattr("eegvit.command.names.carry_out", ask)
    assert main(["list"]) == 1
    said = capsys.readouterr().err
    assert said == "error: out of memory: Unable to allocate 9.0 GiB; fewer --jobs need less\n"
