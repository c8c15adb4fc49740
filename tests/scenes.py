"""Scenes of `docs/what_can_go_wrong.md`: what is wrong, what is typed, what it says.

`python tests/scenes.py` writes the messages of the page anew, by running every scene.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
from recorded import make_raw, write

PAGE = Path(__file__).resolve().parents[1] / "docs" / "what_can_go_wrong.md"
BLOCK = re.compile(r"(<!-- (\w+) -->\n```text\n)(.*?)(```)", re.DOTALL)
STUDY = """\
name: mine
data:
  name: lab
  source: files
  options: {root: recordings, pattern: "s{subject}.gdf", events: {"769": left, "770": right}}
  classes: [left, right]
  window: [0, 1]
evaluate: {protocol: cross_subject}
models:
  csp: {branch: csp_lda}
"""
Scene = Callable[[], str]  # in a folder of three recordings and a study; returns what is typed
RUN = "eegvit study.yaml"


def wrong_key() -> str:
    """Write keys, names and values that there are not."""
    _change("evaluate:", "evaluat:", "csp_lda}", "csp_ldaa}\n  net: {branch: eegnet, epochs: many}")
    return RUN


def program() -> str:
    """Name a program instead of a class."""
    steps = "{branch: pipeline, steps: [{from: os.system, parameters: {command: ls}}]}"
    _change("{branch: csp_lda}", steps)
    return RUN


def bomb() -> str:
    """Write aliases of aliases of aliases."""
    levels = [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    Path("study.yaml").write_text("\n".join(["a0: &a0 [1]", *levels]) + "\n", encoding="utf-8")
    return RUN


def outside() -> str:
    """Let the report be written elsewhere."""
    _change("name: mine", "name: ../elsewhere")
    return RUN


def no_recordings() -> str:
    """Name a folder that is not there."""
    _change("root: recordings", "root: recording")
    return RUN


def truncated() -> str:
    """Cut a recording off."""
    file = Path("recordings") / "s2.gdf"
    file.write_bytes(file.read_bytes()[:9_000])
    return RUN


def two_names() -> str:
    """Copy a person's recording to another's name."""
    file = Path("recordings") / "s1.gdf"
    (Path("recordings") / "s4.gdf").write_bytes(file.read_bytes())
    return RUN


def one_person() -> str:
    """Test people who did not train, where there is one."""
    _change("window: [0, 1]", 'window: [0, 1]\n  subjects: ["1"]')
    return RUN


def flat() -> str:
    """Unplug an electrode."""
    raw = make_raw(["769", "770"] * 10, 3)
    raw._data[1] = 0
    write(Path("recordings") / "s3.gdf", raw)
    return RUN


def no_folder() -> str:
    """Put a file where the reports go."""
    Path("reports").write_text("a file", encoding="utf-8")
    return RUN


def unreadable() -> str:
    """Put a folder in a file's place: unlike missing permission, that is the same for everyone."""
    say(RUN)
    (file, *_) = sorted(Path("cache").glob("fits/*/*.npz"))
    file.unlink()
    file.mkdir()
    return RUN


def damaged() -> str:
    """Flip a bit of what a fit predicted."""
    say(RUN)
    (file, *_) = sorted(Path("cache").glob("fits/*/*.npz"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    return RUN


def failing() -> str:
    """Ask for what cannot be fitted."""
    _change("csp_lda}", "csp_lda}\n  forest: {branch: pipeline, steps: [{from: sklearn.svm.SVC}]}")
    return RUN


def stopped() -> str:
    """Press Ctrl-C while fits are running."""
    return RUN


def nobody() -> str:
    """Ask for the plan before anything was read."""
    return f"{RUN} --dry-run"


SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        wrong_key, program, bomb, outside, no_recordings, truncated, two_names, one_person, flat,
        no_folder, damaged, unreadable, failing, stopped, nobody,
    )
}  # fmt: skip


def message(name: str) -> str:
    """Play a scene in a folder of its own; return what is typed, what it says, the exit code."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("study.yaml").write_text(STUDY, encoding="utf-8")
        for subject in (1, 2, 3):
            raw = make_raw(["769", "770"] * 10, subject)
            raw._data[0] *= np.repeat(np.tile([2, 1], 13), 150)[: raw.n_times]
            write(Path("recordings") / f"s{subject}.gdf", raw)
        typed = SCENES[name]()
        with _interrupted() if name == "stopped" else contextlib.nullcontext():
            code, said = say(typed)
        plain = said.replace(str(Path(folder).resolve()), "/home/ann").replace(folder, "/home/ann")
        plain = re.sub(r"\b[0-9a-f]{64}\b", "2e7f82...", plain)  # keys change with the code
        plain = re.sub(r"\b[0-9a-f]{16}\b", "d9486b...", plain)
        plain = re.sub(r" +[\d.]+ m?s\b", " 1 s", plain)  # times differ
        lines = [
            textwrap.fill(line, 96, subsequent_indent="    ", break_on_hyphens=False)
            for line in plain.strip().splitlines()
        ]
        return "\n".join([f"$ {typed}", *lines, "$ echo $?", str(code)])


def say(typed: str) -> tuple[int, str]:
    """Carry a command out in this process, and return its exit code and what it says."""
    from eegvit.command import main
    from eegvit.data.cache import arrays
    from eegvit.tasks import InProcess

    def local(_: int) -> contextlib.nullcontext[InProcess]:
        return contextlib.nullcontext(InProcess())

    said = io.StringIO()
    environment = {"EEGVIT_CACHE": str(Path("cache").resolve()), "COLUMNS": "9999"}
    with (
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
        patch.dict(os.environ, environment),
        patch("eegvit.execute.local.local", local),
        patch.object(arrays, "_whole", set()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("default")
        code = main(shlex.split(typed)[1:])
    return code, said.getvalue()


@contextlib.contextmanager
def _interrupted() -> Iterator[None]:
    def press(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with patch("eegvit.execute.fits.fit_and_save", press):
        yield


def _change(*pairs: str) -> None:
    text = Path("study.yaml").read_text("utf-8")
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    Path("study.yaml").write_text(text, encoding="utf-8")


def written_anew(text: str) -> str:
    """Return the page with the messages as they are now."""
    return BLOCK.sub(lambda block: f"{block[1]}{message(block[2])}\n{block[4]}", text)


if __name__ == "__main__":
    for scene in sys.argv[1:]:
        print(message(scene), end="\n\n")
    if not sys.argv[1:]:
        PAGE.write_text(written_anew(PAGE.read_text("utf-8")), encoding="utf-8")
