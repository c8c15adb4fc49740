"""Copies of trials found by their fingerprints, against comparing every trial with every other.

python benchmarks/near_duplicates.py
python benchmarks/near_duplicates.py --data /path/to/real/recordings --planted 200

For simulated people, and for each set of real recordings in the folder, is printed: how many pairs
of trials are called copies although nothing was planted (false alarms), how many sessions have
trials that overlap in time, how long the search takes, and which share of planted copies is found,
for each thing that was done to them. Then the time of both ways on as many simulated trials.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from timing import compare, one_thread

one_thread()
os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy.signal import butter, sosfiltfilt  # noqa: E402

from eegvit import data  # noqa: E402
from eegvit.config import Card, load_card  # noqa: E402
from eegvit.data.cache import Cache  # noqa: E402
from eegvit.trials import Trials  # noqa: E402
from eegvit.views.duplicates import Kin, find_kin  # noqa: E402
from eegvit.views.fingerprints import fingerprints, rate_of  # noqa: E402

Array = NDArray[np.float64]
Change = Callable[[Array, float, np.random.Generator], Array]


def noisy(share: float) -> Change:
    return lambda X, sfreq, rng: X + share * X.std() * rng.standard_normal(X.shape)


def band(low: float, high: float) -> Change:
    def filtered(X: Array, sfreq: float, rng: np.random.Generator) -> Array:
        sos = butter(4, (low, min(high, 0.45 * sfreq)), "bandpass", fs=sfreq, output="sos")
        return sosfiltfilt(sos, X, padlen=min(X.shape[2] - 1, int(sfreq)))

    return filtered


def as_int16(X: Array, sfreq: float, rng: np.random.Generator) -> Array:
    step = np.abs(X).max() / 2**15
    return step * np.round(X / step)


CHANGES: dict[str, Change] = {
    "scaled by two": lambda X, sfreq, rng: 2 * X,
    "inverted": lambda X, sfreq, rng: -X,
    "rounded to a tenth of its size": lambda X, sfreq, rng: (
        X.std() / 10 * np.round(10 * X / X.std())
    ),
    "rounded to a third of its size": lambda X, sfreq, rng: X.std() / 3 * np.round(3 * X / X.std()),
    "half precision": lambda X, sfreq, rng: X.astype(np.float16).astype(np.float64),
    "16-bit integers": as_int16,
    "shifted by a sample": lambda X, sfreq, rng: np.roll(X, 1, axis=2),
    "shifted by five": lambda X, sfreq, rng: np.roll(X, -5, axis=2),
    "noise of 1e-9": noisy(1e-9),
    "noise of a tenth": noisy(0.1),
    "noise of three tenths": noisy(0.3),
    "channels scaled one by one": lambda X, sfreq, rng: X * rng.uniform(0.2, 5, (1, X.shape[1], 1)),
    "8-30 Hz": band(8, 30),
    "4-40 Hz": band(4, 40),
    "10-20 Hz": band(10, 20),
    "8-13 Hz": band(8, 13),
}
# of the longer window that both are cut from, how much each leaves out
WINDOWS = {
    "another window, 7/8 in common": 1 / 9,
    "another window, 3/4 in common": 1 / 5,
    "another window, half in common": 1 / 3,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    real = os.environ.get("EEGVIT_TEST_DATA", "../shared/data")
    parser.add_argument("--data", type=Path, default=Path(real))
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--subjects", type=int, default=4, help="simulated people")
    parser.add_argument("--trials", type=int, default=600, help="to compare both ways on")
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for card in cards(options.data.resolve(), options.subjects):
        measure(card, options.planted)
    sessions = read(cards(Path("nowhere"), options.subjects)[0])
    about = sessions[0]
    prints = [of(trials.X, about) for trials in sessions]
    few = np.concatenate(prints)[: options.trials]
    rate, length = rate_of(about.sfreq), about.n_times / about.sfreq
    print(f"{len(few)} trials, each compared with every other:")
    compare(lambda: find_kin([few], rate, length), lambda: every_pair(few), options.repeats)


def cards(folder: Path, n_people: int) -> list[Card]:
    """Return the simulated data, and the real data that are there."""
    people = tuple(str(i + 1) for i in range(n_people))
    found = [load_card("simulated").model_copy(update={"subjects": people})]
    os.environ["MNE_DATA"] = str(folder / "mne_data")
    os.environ.setdefault("MOABB_DOWNLOAD_PROVIDER", "upstream")
    if (folder / "bci_iv_2b").is_dir():
        card = load_card("bci_iv_2b_epochs")
        options = {**card.options, "root": str(folder / "bci_iv_2b")}
        found.append(card.model_copy(update={"options": options}))
    for name, classes, stop in (
        ("eegmat", ("rest", "arithmetic"), 4.0),
        ("smni", ("match", "nonmatch", "single"), 1.0),
    ):
        if (folder / name).is_dir():
            where = {"root": str(folder / name), "pattern": "sub-{subject}_epo.fif"}
            about = {"classes": classes, "window": (0.0, stop), "options": where}
            found.append(Card(name=name, source="files", bad_trials="drop", **about))
    for name, subjects in (("physionet_mi", "1"), ("kalunga_ssvep", "123456"),
                           ("bnci2015_003_p300", "678")):  # fmt: skip
        if (folder / "mne_data").is_dir():
            found.append(load_card(name).model_copy(update={"subjects": tuple(subjects)}))
    return found


def read(card: Card) -> list[Trials]:
    """Return the sessions of all people."""
    people = data.source(card).subjects()
    return [trials for who in people for trials in data.read_subject(card, who, Cache())]


def measure(card: Card, n_planted: int) -> None:
    """Print false alarms, overlaps, times, and the share of each kind of copy that is found."""
    sessions = read(card)
    about = sessions[0]
    n, length = sum(map(len, sessions)), about.n_times / about.sfreq
    begin = time.process_time()
    prints = [of(trials.X, about) for trials in sessions]
    printed = time.process_time()
    kin = find_kin(prints, rate_of(about.sfreq), length)
    searched = time.process_time()
    print(
        f"{card.name}: {n} trials of {length:g} s, {about.n_channels} channels,"
        f" {len(sessions)} sessions\n"
        f"  false alarms {len(kin.copies)}, trials that overlap another"
        f" {len(np.unique(kin.overlaps))}\n"
        f"  CPU seconds for 1000 trials: {1e3 * (printed - begin) / n:.2f} to make fingerprints,"
        f" {1e3 * (searched - printed) / n:.2f} to compare them"
    )
    rng = np.random.default_rng(0)
    X = np.concatenate([trials.X for trials in sessions])
    chosen = np.sort(rng.choice(n, min(n, n_planted), replace=False))
    originals = X[chosen].astype(np.float64)
    planted, wanted = [], np.arange(len(chosen))
    for change in CHANGES.values():
        copies = np.stack([change(x[None], about.sfreq, rng)[0] for x in originals])
        planted.append(of(copies, about))
    every = find_kin([*prints, *planted], rate_of(about.sfreq), length)
    for number, name in enumerate(CHANGES):
        pairs = np.stack([chosen, n + number * len(chosen) + wanted], axis=1)
        told(name, every, pairs)
    for name, share in WINDOWS.items():
        cut = round(share * about.n_times)
        early = [of(trials.X[..., : about.n_times - cut], about) for trials in sessions]
        late = of(originals[..., cut:], about)
        shorter = find_kin([*early, late], rate_of(about.sfreq), length - cut / about.sfreq)
        told(name, shorter, np.stack([chosen, n + wanted], axis=1))


def of(X: NDArray[np.floating], about: Trials) -> NDArray[np.float16]:
    return fingerprints(X, about.ch_names, about.sfreq)


def told(name: str, kin: Kin, pairs: NDArray[np.int64]) -> None:
    """Print which share of pairs is among the copies, and how many others are."""
    known = {tuple(pair) for pair in kin.copies.tolist()}
    found = sum(tuple(pair) in known for pair in pairs.tolist())
    print(f"  {100 * found / len(pairs):5.1f} % found: {name}")


def every_pair(prints: NDArray[np.float16]) -> int:
    """Return how many pairs have a cross-correlation above 0.9 at any lag: what is plain to do."""
    n_times = prints.shape[2]
    spectra = np.fft.rfft(prints.astype(np.float32), 2 * n_times)
    energy = np.square(prints.astype(np.float32)).sum(axis=(1, 2))
    found = 0
    for i in range(len(prints) - 1):
        product = np.fft.irfft(spectra[i] * spectra[i + 1 :].conj(), 2 * n_times).sum(axis=1)
        size = np.sqrt(energy[i] * energy[i + 1 :])
        found += int((np.abs(product).max(axis=1) > 0.9 * size).sum())
    return found


if __name__ == "__main__":
    main()
