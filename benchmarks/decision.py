"""A decision, from a window to probabilities, of one trial on one thread: torch against ONNX.

python benchmarks/decision.py
python benchmarks/decision.py --report reports/deploy.md

Decoders of EEGNet and of the default EfficientViT, of 22 channels x 1000 samples, trained for an
epoch on simulated people. `torch` is the network as it was trained, called without gradients;
`decoder` is what `eegvit deploy predict` and `stream` run, alignment included: norms folded;
`ONNX` is the same decoder after `eegvit deploy export`. They take turns, window by window. The
ratio at the end is EfficientViT's, torch against ONNX.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from timing import one_thread

one_thread()

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

NAMES = ("eegnet", "efficientvit")
WAYS = ("torch", "decoder", "ONNX")
EDGES = (0.25, 0.5, 1, 2, 4, 8, 16, 32)  # milliseconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--decisions", type=int, default=2000)
    parser.add_argument("--report", type=Path, help="where figures and histograms go")
    options = parser.parse_args()
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            took[name] = measured(name, Path(folder), options.decisions)
    said = [line for name in NAMES for line in table(name, took[name])]
    print("\n".join(said))
    if options.report is not None:
        options.report.write_text(page(took), encoding="utf-8")
        print(options.report)
    for name, figure in zip(NAMES, ("eegnet", "ratio"), strict=True):
        print(f"{figure} {np.median(took[name]['torch']) / np.median(took[name]['ONNX']):.1f}x")


def measured(name: str, folder: Path, n: int) -> dict[str, NDArray[np.float64]]:
    """Return the milliseconds of each decision, each way."""
    import torch

    from eegvit import Decoder
    from eegvit.deploy.onnx import export, load

    study = {
        "name": "decisions",
        "data": {"card": "simulated", "subjects": [1, 2], "options": {"n_trials": 24}},
        "align": {"method": "euclidean", "mode": "causal"},
        "models": {name: {"branch": name, "epochs": 1}},
    }
    decoder = Decoder.fit(study, name, jobs=0, cache=folder / "cache")
    off = export(decoder, folder / f"{name}.onnx")
    print(f"{name}: ONNX is off torch by {off:.1g} at most", file=sys.stderr)
    onnx, network = load(folder / f"{name}.onnx"), decoder.model.module_.eval()
    rng = np.random.default_rng(0)
    shape = (1, len(decoder.reading.ch_names), decoder.reading.n_times)
    windows = (10 * rng.standard_normal((16, *shape))).astype(np.float32)

    def as_trained(X: NDArray[np.float32]) -> object:
        with torch.no_grad():
            return network(torch.from_numpy(decoder.align(X))).softmax(1).numpy()

    ways: dict[str, Callable[[NDArray[np.float32]], object]] = dict(
        zip(WAYS, (as_trained, decoder.probabilities, onnx.probabilities), strict=True)
    )
    took = {way: np.empty(n) for way in WAYS}
    for i in range(-20, n):  # the first few warm up
        for way, decide in ways.items():
            begin = time.perf_counter()
            decide(windows[i % len(windows)])
            if i >= 0:
                took[way][i] = 1e3 * (time.perf_counter() - begin)
    return took


def table(name: str, took: dict[str, NDArray[np.float64]]) -> Sequence[str]:
    """Return a line for each way: median, 99 of 100, and the longest."""
    return [
        f"{name:12} {way:8} median {np.median(ms):6.2f} ms, 99 of 100 within"
        f" {np.quantile(ms, 0.99):6.2f} ms, longest {ms.max():6.2f} ms"
        for way, ms in took.items()
    ]


def page(took: dict[str, dict[str, NDArray[np.float64]]]) -> str:
    """Return the figures and a histogram of each way as Markdown."""
    lines = [
        "# How long a decision takes",
        "",
        "From a window of 22 channels x 1000 samples to probabilities, alignment included, one",
        "trial at a time on one thread, on the machine of [benchmarks.md](benchmarks.md). The",
        "networks learned from simulated people, which changes no time. Made by",
        "`python benchmarks/decision.py --report reports/deploy.md`.",
        "",
        "| network | way | median ms | 99 of 100 within | longest | times faster than torch |",
        "| - | - | -: | -: | -: | -: |",
    ]
    for name, ways in took.items():
        base = np.median(ways["torch"])
        for way, ms in ways.items():
            figures = (np.median(ms), np.quantile(ms, 0.99), ms.max())
            cells = " | ".join(f"{figure:.2f}" for figure in figures)
            lines.append(f"| {name} | {way} | {cells} | {base / np.median(ms):.1f} |")
    lines += ["", "## Histograms", "", "```text"]
    for name, ways in took.items():
        for way, ms in ways.items():
            lines += [f"{name}, {way}", *histogram(ms), ""]
    return "\n".join([*lines[:-1], "```", ""])


def histogram(ms: NDArray[np.float64]) -> list[str]:
    """Return how many decisions took how long, a line for each span of time."""
    edges = np.array([0, *EDGES, np.inf])
    counts, _ = np.histogram(ms, edges)
    lines = []
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        if count:
            span = f"under {high:g} ms" if np.isfinite(high) else f"over {low:g} ms"
            lines.append(f"{span:>14} {count:6d} {'█' * max(1, round(50 * count / len(ms)))}")
    return lines


if __name__ == "__main__":
    main()
