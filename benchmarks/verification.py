"""What it costs to verify checksums: a study whose fits are all stored, with and without.

python benchmarks/verification.py
python benchmarks/verification.py --people 109 --channels 64
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from timing import compare

from eegvit import registry, sealed
from eegvit.config import Card, Study, load_study
from eegvit.data.cache import Cache, arrays, entry
from eegvit.execute import store
from eegvit.study import plan_and_carry_out
from eegvit.trials import Trials
from eegvit.views.view import check_signals

SFREQ = 128.0


class NoiseSource:
    """People whose trials are noise: what matters is how much there is to read."""

    def __init__(self, card: Card, *, people: int, channels: int, trials: int) -> None:
        self.card, self.people, self.channels, self.trials = card, people, channels, trials

    def subjects(self) -> tuple[str, ...]:
        return tuple(str(number + 1) for number in range(self.people))

    def fingerprint(self, subject: str) -> dict[str, Any]:
        return {"noise": subject}

    def read(self, subject: str) -> list[Trials]:
        rng = np.random.default_rng(int(subject))
        X = rng.standard_normal((self.trials, self.channels, 384), dtype=np.float32)
        y = np.tile(self.card.classes, self.trials // 2)
        return [Trials.from_arrays(X, y, sfreq=SFREQ, classes=self.card.classes, subject=subject)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    registry.SOURCES["noise"] = f"{__name__}:NoiseSource"
    with tempfile.TemporaryDirectory() as folder:
        cache, study = Cache(folder), study_of(options)
        start(study, cache)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        print(f"{options.people} people, {options.channels} channels: {size / 1e6:.0f} MB kept")
        verified, trusting = [], []

        def with_checksums() -> None:
            verified.append(start(study, cache))

        def without() -> None:
            with believing():
                trusting.append(start(study, cache))

        compare(with_checksums, without, options.repeats, ("verified", "believed"))
        print(f"signals, where a fit needs them: {reading(study, cache):.1f} GB a CPU second")
        cpu = statistics.median(trusting[1:]) / statistics.median(verified[1:])
        print(f"a study whose fits are all stored starts {100 / cpu - 100:+.1f} % slower (CPU)")
        print(f"ratio {cpu:.2f}x")


def study_of(options: argparse.Namespace) -> Study:
    """Return a study of two models, one of them on aligned signals."""
    amount = {name: getattr(options, name) for name in ("people", "channels", "trials")}
    card = {"name": "noise", "source": "noise", "classes": ["left", "right"], "window": [0, 3]}
    models = {"csp": {"branch": "csp_lda"}, "mdm": {"branch": "mdm"}}
    align = {"method": "euclidean"}
    data = {**card, "options": amount}
    return load_study({"name": "stored", "data": data, "align": align, "models": models})


def start(study: Study, cache: Cache) -> float:
    """Run the study as a new process does, but for its imports; return the CPU seconds."""
    arrays._whole.clear()
    began = time.process_time()
    with contextlib.redirect_stderr(io.StringIO()):
        plan_and_carry_out(study, cache)
    return time.process_time() - began


@contextlib.contextmanager
def believing() -> Iterator[None]:
    """Believe every file without a look at its checksum."""

    def content(path: Path) -> bytes:
        return path.read_bytes().partition(b"\n")[2]

    with contextlib.ExitStack() as stack:
        for module in (sealed, store):
            stack.enter_context(patch.object(module, "read_sealed", content))
        stack.enter_context(patch.object(entry, "check_array", lambda path, file: None))
        yield


def reading(study: Study, cache: Cache) -> float:
    """Return how many GB of signals are read through in a second of the CPU."""
    plan, _ = plan_and_carry_out(study, cache)
    blocks = next(iter(plan.fits.values())).view.blocks
    arrays._whole.clear()
    began = time.process_time()
    check_signals(blocks)
    return sum(block.trials.X.nbytes for block in blocks) / 1e9 / (time.process_time() - began)


if __name__ == "__main__":
    main()
