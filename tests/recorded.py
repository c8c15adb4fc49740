"""Recordings for tests, in every format that is read."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import mne
import numpy as np
from scipy.io import savemat

SFREQ = 100.0
CHANNELS = ("C3", "Cz", "C4")
CLASSES = ("left_hand", "right_hand")
ARTIFACTS = (0, 1, 0, 0, 0, 0, 0, 1)  # of a run in BNCI2014_001's layout
CODES = {"769": "left_hand", "770": "right_hand"}


def make_raw(
    codes: Sequence[str], seed: int = 0, names: Sequence[str] = (*CHANNELS, "EOG1")
) -> mne.io.RawArray:
    """Noise of 10 uV; a trial a second and a half, beginning at 2 s."""
    rng = np.random.default_rng(seed)
    n_times = int(SFREQ * (4 + 1.5 * len(codes)))
    info = mne.create_info(list(names), SFREQ, "eeg")
    raw = mne.io.RawArray(1e-5 * rng.standard_normal((len(names), n_times)), info, verbose="error")
    onsets = 2 + 1.5 * np.arange(len(codes))
    raw.set_annotations(mne.Annotations(onsets, np.full(len(codes), 0.5), list(codes)))
    return raw


def write(path: Path, raw: mne.io.BaseRaw) -> None:
    """Write a recording in the format of a path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.name.endswith("_epo.fif"):
            epochs_of(raw).save(path, overwrite=True, verbose="error")
        elif suffix == ".fif":
            raw.save(path, overwrite=True, verbose="error")
        elif suffix == ".gdf":
            write_gdf(path, 1e6 * raw.get_data(), _marks(raw), raw.ch_names)
        elif suffix == ".set":
            write_set(path, raw)
        elif suffix == ".cnt":
            write_cnt(path, raw)
        else:
            mne.export.export_raw(path, raw, overwrite=True, verbose="error")


def epochs_of(raw: mne.io.BaseRaw, length: float = 1.2) -> mne.Epochs:
    """Cut a recording at its annotations."""
    events, ids = mne.events_from_annotations(raw, verbose="error")
    return mne.Epochs(raw, events, ids, 0, length, baseline=None, preload=True, verbose="error")


def write_gdf(
    path: Path,
    microvolts: np.ndarray,
    marks: list[tuple[int, int]],
    names: Sequence[str] = (*CHANNELS, "EOG-left"),
) -> None:
    """Write a GDF 1.25 file of int16 at 0.1 uV with marks (sample, code); NaN is a gap."""
    n_channels, n_times = microvolts.shape
    digital = np.where(np.isnan(microvolts), -32768, np.round(10 * microvolts)).astype("<i2")

    def each(pattern: str, *values: object) -> bytes:
        return b"".join(struct.pack(f"<{pattern}", value) for value in values)

    header = b"GDF 1.25" + b" " * 160 + b"2008010112000000" + struct.pack(
        "<q24x20xqIII", 256 * (n_channels + 1), n_times, 1, int(SFREQ), n_channels
    )  # fmt: skip
    header += each("16s", *(name.encode() for name in names[:n_channels])) + b" " * 80 * n_channels
    header += each("8s", *[b"uV"] * n_channels)
    header += each("d", *[-3276.8] * n_channels) + each("d", *[3276.7] * n_channels)
    header += each("q", *[-32768] * n_channels) + each("q", *[32767] * n_channels)
    header += b" " * 80 * n_channels + each("i", *[1] * n_channels) + each("i", *[3] * n_channels)
    header += bytes(32 * n_channels)
    samples, codes = zip(*marks, strict=True)
    table = struct.pack("<B3BI", 1, int(SFREQ), 0, 0, len(marks))
    table += each("I", *(sample + 1 for sample in samples)) + each("H", *codes)
    path.write_bytes(header + digital.T.tobytes() + table)


def write_set(path: Path, raw: mne.io.BaseRaw, beside: bool = False) -> None:
    """Write an EEGLAB file, its signals within or in a file of their own beside it."""
    signals = (1e6 * raw.get_data()).astype("<f4")
    events = np.array(
        [(float(sample + 1), str(code), 1.0) for sample, code in _marks(raw)],
        dtype=[("latency", "O"), ("type", "O"), ("duration", "O")],
    )
    locations = np.array([(name,) for name in raw.ch_names], dtype=[("labels", "O")])
    data: object = signals
    if beside:
        path.with_suffix(".fdt").write_bytes(signals.T.tobytes())
        data = path.with_suffix(".fdt").name
    about = {
        "setname": "", "nbchan": len(raw.ch_names), "pnts": raw.n_times, "trials": 1,
        "srate": SFREQ, "xmin": 0.0, "xmax": (raw.n_times - 1) / SFREQ, "data": data,
        "chanlocs": locations, "event": events, "epoch": np.zeros((0, 0)), "ref": "common",
    }  # fmt: skip
    savemat(path, {"EEG": about}, appendmat=False)


def write_cnt(path: Path, raw: mne.io.BaseRaw) -> None:
    """Write a Neuroscan file of int32 at 0.01 uV."""
    n_channels, n_times = len(raw.ch_names), raw.n_times
    digital = np.round(1e8 * raw.get_data()).astype("<i4")  # (channels, samples)
    table_at = 900 + 75 * n_channels + digital.nbytes
    header = bytearray(900)
    header[225:247] = b"01/02/20".ljust(10, b"\0") + b"12:00:00".ljust(12, b"\0")
    struct.pack_into("<H", header, 370, n_channels)
    struct.pack_into("<H", header, 376, int(SFREQ))
    struct.pack_into("<i", header, 864, n_times)
    struct.pack_into("<i", header, 886, table_at)
    electrodes = b""
    for name in raw.ch_names:
        electrode = bytearray(75)
        electrode[: len(name)] = name.encode()
        struct.pack_into("<2f", electrode, 19, len(electrodes) + 1.0, 2.0)  # place
        struct.pack_into("<f", electrode, 59, 2.048)  # sensitivity
        struct.pack_into("<f", electrode, 71, 1.0)  # calibration
        electrodes += bytes(electrode)
    marks = b""
    for sample, code in _marks(raw):
        offset = 900 + 75 * n_channels + (sample + 1) * n_channels * 4
        marks += struct.pack("<HBcl", code, 0, b"\0", offset)
    table = struct.pack("<Bll", 1, len(marks), 0)
    path.write_bytes(bytes(header) + electrodes + digital.T.tobytes() + table + marks)


def write_graz(root: Path, subject: int, seed: int = 0) -> Path:
    """Write noise of 10 uV as BNCI2014_001: two sessions of two runs; return the folder."""
    folder = root / "MNE-bnci-data" / "~bci" / "database" / "001-2014"
    folder.mkdir(parents=True, exist_ok=True)
    for number, session in enumerate("TE"):
        runs = np.empty(3, dtype=object)
        for i in range(3):
            rng = np.random.default_rng((number + seed, i))
            trial = 1 + 250 * (1 + 8 * np.arange(8)) if i else np.zeros(0, dtype=int)
            runs[i] = {
                "X": 10 * rng.standard_normal((250 * 66, 25)), "trial": trial,
                "y": np.tile([1, 2, 3, 4], 2)[: len(trial)], "fs": 250.0,
                "classes": np.array(["left hand", "right hand", "feet", "tongue"], dtype=object),
                "artifacts": np.array(ARTIFACTS)[: len(trial)], "gender": "male", "age": 22,
            }  # fmt: skip
        savemat(folder / f"A0{subject}{session}.mat", {"data": runs})
    return folder


def _marks(raw: mne.io.BaseRaw) -> list[tuple[int, int]]:
    """Sample and code of each annotation whose text is a number."""
    return [
        (round(note["onset"] * SFREQ), int(note["description"]))
        for note in raw.annotations
        if str(note["description"]).isdecimal()
    ]
