"""Write a study and a card for a folder of recordings, by looking at it."""

from __future__ import annotations

import argparse
import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

from eegvit.data.recordings.guess import Guess, guess

_PLAIN = re.compile(r"[A-Za-z_][\w+-]*( [\w+-]+)*")
_WORDS = {"yes", "no", "on", "off", "true", "false", "null", "y", "n", "none"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, help="where the recordings are")
    parser.add_argument(
        "--out", type=Path, default=Path("."), help="where to write (default: this folder)"
    )


def carry_out(options: argparse.Namespace) -> int:
    """Write the two files and say what to do with them."""
    study = init(options.folder, options.out)
    card = study.parent.parent / "datasets" / study.name
    print(f"{card}\n{study}\n\nRead both: they are guesses. Then:  eegvit {study}")
    return 0


def init(folder: Path, out: Path) -> Path:
    """Write `pipelines/NAME.yaml` and `datasets/NAME.yaml` for a folder; return the study's file.

    What the recordings are is guessed from their names, marks, channels and rates; nothing is
    asked. Comments in both files say what was decided and could be otherwise. No file is
    written over.

    Parameters
    ----------
    folder : path
        The recordings: a BIDS data set, or any folder with EDF, BDF, GDF, BrainVision, FIF,
        EEGLAB, CNT or MFF files, or with epochs that MNE saved.
    out : path
        Where the two folders are, or are made.
    """
    found = guess(folder)
    name = re.sub(r"[^\w+-]+", "_", folder.resolve().name).strip("_") or "recordings"
    files = {
        out / "datasets" / f"{name}.yaml": card_text(name, folder, found),
        out / "pipelines" / f"{name}.yaml": study_text(name, found),
    }
    for file in files:
        if file.exists():
            raise FileExistsError(f"{file} is there already; move it away, or give another --out")
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return out / "pipelines" / f"{name}.yaml"


def card_text(name: str, folder: Path, found: Guess) -> str:
    """The card as YAML with comments."""
    rate = f"{found.sfreq:g} Hz"
    lines = [
        f"# {name}: guessed from the recordings. Every line is a guess; read it before you use it.",
        *_comment(found.remarks),
        f"name: {_scalar(name)}",
        f"title: {_scalar(f'Recordings in {folder.resolve().name}')}",
        f"source: {found.source}",
        "options:",
        *(f"  {key}: {_value(value)}" for key, value in found.options.items()),
        f"classes: {_value(list(found.classes))}",
    ]
    if found.channels is None:
        lines.append("# channels: [C3, Cz, C4]   # all EEG channels, unless you name some")
    else:
        lines.append(f"channels: {_value(list(found.channels))}")
    if found.band is None:
        lines.append("# band: none; trials that were cut already cannot be filtered")
    else:
        lines.append(f"band: {_pair(found.band)}               # Hz")
    if found.windows is not None:
        lines.append(f"windows: {{length: {found.windows:g}, step: {found.windows:g}}}   # seconds")
    else:
        lines.append(f"window: {_pair(_window(found))}              # seconds from the cue")
    lines += [
        "artifacts: keep             # or drop: trials that the recording marks as spoilt",
        "bad_trials: drop            # or refuse: trials in which a channel stays at one value",
        "truncated: refuse           # or accept: recordings shorter than their header says",
        f"# Recorded at {rate}. Say what should be there, and a damaged copy is noticed:",
        f"expected: {{subjects: {found.people}, sfreq: {found.sfreq:g}}}",
    ]
    return "\n".join(lines) + "\n"


def study_text(name: str, found: Guess) -> str:
    """The study as YAML with comments."""
    dense = found.window[1] - found.window[0] < 1.2
    lines = [
        f"# A first study of {name}. `eegvit check` says whether it can run.",
        f"name: {_scalar(name)}",
        f"data: {_scalar(name)}",
        "align: {method: euclidean, domain: session}",
    ]
    if rate := _new_rate(found):
        lines.append(f"view: {{resample: {rate}}}")
    lines += [_protocol(found), "models:", "  chance:        {branch: chance}"]
    if dense:
        lines += [
            "  tangent-space:",
            "    branch: pipeline",
            "    steps:",
            "      - {from: pyriemann.estimation.XdawnCovariances, parameters: {nfilter: 4,"
            " estimator: lwf}}",
            "      - {from: pyriemann.tangentspace.TangentSpace}",
            "      - {from: sklearn.linear_model.LogisticRegression, parameters: {max_iter: 1000}}",
        ]
    else:
        lines += [
            "  csp+lda:       {branch: csp_lda}",
            "  tangent-space: {branch: tangent_space}",
        ]
    weight = ", class_weight: balanced" if found.share < 0.5 else ""
    lines.append(f"  eegnet:        {{branch: eegnet{weight}}}")
    return "\n".join(lines) + "\n"


def _new_rate(found: Guess) -> int | None:
    """What trials are resampled to, where they were recorded at more than they need."""
    if found.sfreq <= 200:
        return None
    return 125 if found.sfreq % 125 == 0 else 128


def _window(found: Guess) -> tuple[float, float]:
    """The window; of trials that were cut already no longer than they are when resampled."""
    (begin, end), rate = found.window, _new_rate(found)
    if found.band is not None or rate is None:
        return begin, end
    return begin, begin + int((end - begin) * rate + 1e-3) / rate


def _protocol(found: Guess) -> str:
    """Across people where there are several, else across sessions, else within one."""
    metric = ", metric: balanced_accuracy" if found.share < 0.7 else ""
    if found.people > 1:
        folds = ", n_folds: 10" if found.people > 20 else ""
        return (
            f"evaluate: {{protocol: cross_subject{folds}, seeds: [0]{metric}}}"
            "   # people who did not train are tested"
        )
    if found.sessions > 1:
        return f"evaluate: {{protocol: cross_session, seeds: [0]{metric}}}   # of the one person"
    return (
        f"evaluate: {{protocol: within_session, n_folds: 5, seeds: [0]{metric}}}"
        "   # one session of one person"
    )


def _comment(sentences: tuple[str, ...]) -> list[str]:
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(sentence, 96, initial_indent="# - ", subsequent_indent="#   ")
    ]


def _value(value: object) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(key))}: {_value(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else _scalar(str(value))


def _scalar(text: str) -> str:
    """A string, quoted where YAML would take it for something else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def _pair(pair: tuple[float, float]) -> str:
    return f"[{pair[0]:g}, {pair[1]:g}]"
