"""Benchmarks in Markdown: the report of all, and the short table of the site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from record import Run

BEGIN, END = "<!-- benchmarks: written by `make bench` -->", "<!-- benchmarks end -->"
SHORT = {  # what is timed, against what
    "eegnet": ("EEGNet, a training step of 64 x 22 x 1000", "braindecode"),
    "shallow": ("ShallowConvNet, the same", "braindecode"),
    "loso_neural": ("EEGNet study, 9 people, one left out", "MOABB and braindecode"),
    "loso_classical": ("CSP and LDA study, 9 people x 576 trials (CPU time)", "MOABB"),
    "features": ("nine-band FBCSP features", "filtering band by band"),
}


def report(runs: Mapping[str, Run]) -> str:
    """Return the page of all runs."""
    parts = [
        "# Benchmarks",
        "Made by `make bench`; the figures alone are in `benchmarks.json`.",
        "Each script runs ours and the peer in turn, one thread each, and refuses results that"
        " are not equal. Ratios are of one run; absolute times depend on the machine.",
        _table(
            ("benchmark", "what", "times"),
            [(run.name, run.about, _said(run, "ratio") or "failed") for run in runs.values()],
        ),
    ]
    for run in runs.values():
        parts += [f"## {run.name}", f"```\n$ {run.command}\n{run.output}\n```", run.made]
    return "\n\n".join(parts) + "\n"


def with_table(text: str, runs: Mapping[str, Run]) -> str:
    """Return a document with the short table between its two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the marks of the table are missing: {BEGIN} and {END}")
    rows = [
        (what, peer, _said(run, "ratio"), _said(run, "memory"), f"`{run.command}`")
        for name, (what, peer) in SHORT.items()
        if (run := runs.get(name)) is not None
    ]
    table = _table(("", "against", "times faster", "times less memory", "made by"), rows)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def _said(run: Run, figure: str) -> str:
    return f"{run.figures[figure]:.1f}" if figure in run.figures else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
