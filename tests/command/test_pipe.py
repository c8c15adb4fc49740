"""Output that somebody stops reading."""

from __future__ import annotations

import subprocess
import sys


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [sys.executable, "-c", "from eegvit.command import main; raise SystemExit(main())"]
    writer = subprocess.Popen(
        [*command, "show", "eegnet"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert writer.stdout is not None and writer.stderr is not None
    writer.stdout.close()  # before anything is written
    said = writer.stderr.read().decode()
    assert (writer.wait(), said) == (141, "")
