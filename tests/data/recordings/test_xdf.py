"""XDF files: the EEG in volts, marks where they were, gaps found."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import mne
import numpy as np
import pytest

from eegvit.config import Card
from eegvit.data.recordings.readers import read_raw

pytest.importorskip("pyxdf", reason="needs the extra `stream`")
CARD = Card(name="x", source="files", classes=("left", "right"), window=(0, 1))
RATE = 100.0


def chunk(tag: int, content: bytes) -> bytes:
    return struct.pack("<BIH", 4, len(content) + 2, tag) + content


def stream(
    number: int,
    name: str,
    kind: str,
    samples: Sequence[Sequence[float]] | Sequence[str],
    times: Sequence[float],
    rate: float = 0.0,
    channels: str = "",
) -> bytes:
    """Return the chunks of a stream."""
    is_text = bool(len(samples)) and isinstance(samples[0], str)
    n = 1 if is_text else channels.count("<channel>")
    form = "string" if is_text else "double64"
    head = (
        f'<?xml version="1.0"?><info><name>{name}</name><type>{kind}</type>'
        f"<channel_count>{n}</channel_count><nominal_srate>{rate}</nominal_srate>"
        f"<channel_format>{form}</channel_format>"
        f"<desc><channels>{channels}</channels></desc></info>"
    )
    values = b""
    for when, sample in zip(times, samples, strict=True):
        values += struct.pack("<Bd", 8, when)
        if is_text:
            values += struct.pack("<BI", 4, len(sample)) + sample.encode()
        else:
            values += struct.pack(f"<{n}d", *sample)
    given = struct.pack("<IBI", number, 4, len(samples)) + values
    first, last = (times[0], times[-1]) if len(times) else (0.0, 0.0)
    foot = (
        f'<?xml version="1.0"?><info><first_timestamp>{first}</first_timestamp>'
        f"<last_timestamp>{last}</last_timestamp><sample_count>{len(samples)}</sample_count></info>"
    )
    id_ = struct.pack("<I", number)
    return chunk(2, id_ + head.encode()) + chunk(3, given) + chunk(6, id_ + foot.encode())


def channel(label: str, kind: str = "EEG", unit: str = "microvolts") -> str:
    return f"<channel><label>{label}</label><type>{kind}</type><unit>{unit}</unit></channel>"


def write(path: Path, *streams: bytes) -> Path:
    head = chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')
    path.write_bytes(b"XDF:" + head + b"".join(streams))
    return path


@pytest.fixture
def X() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((3, 1000)) * 20


CHANNELS = channel("C3") + channel("C4") + channel("HEOG", "EOG")
TIMES = 50.0 + np.arange(1000) / RATE


def test_eeg_in_volts_with_marks_where_they_were(tmp_path: Path, X: np.ndarray) -> None:
    eeg = stream(1, "amplifier", "EEG", X.T.tolist(), TIMES.tolist(), RATE, CHANNELS)
    marks = stream(2, "tasks", "Markers", ["left", "right"], [52.0, 55.5])
    raw = read_raw(write(tmp_path / "a.xdf", eeg, marks), CARD)
    assert raw.ch_names == ["C3", "C4", "HEOG"] and raw.info["sfreq"] == RATE
    assert raw.get_channel_types() == ["eeg", "eeg", "eog"]
    np.testing.assert_allclose(raw.get_data()[:2], 1e-6 * X[:2], rtol=1e-12)
    assert list(raw.annotations.description) == ["left", "right"]
    np.testing.assert_allclose(raw.annotations.onset, [2.0, 5.5], atol=1e-6)


def test_missing_samples_keep_their_place_and_are_marked(tmp_path: Path, X: np.ndarray) -> None:
    kept = np.r_[0:400, 620:1000]  # 2.2 s are missing
    eeg = stream(1, "a", "EEG", X.T[kept].tolist(), TIMES[kept].tolist(), RATE, CHANNELS)
    raw = read_raw(write(tmp_path / "a.xdf", eeg), CARD)
    assert raw.n_times == 1000
    np.testing.assert_allclose(raw.get_data()[:2][:, kept], 1e-6 * X[:2][:, kept], rtol=1e-12)
    assert list(raw.annotations.description) == ["BAD_gap"]
    np.testing.assert_allclose(raw.annotations.onset, [4.0], atol=0.011)
    np.testing.assert_allclose(raw.annotations.duration, [2.2], atol=0.011)


def test_units_and_streams_that_cannot_be_understood(tmp_path: Path, X: np.ndarray) -> None:
    both, times = X.T.tolist(), TIMES.tolist()
    volts = "".join(channel(name, unit="volts") for name in ("C3", "C4", "Cz"))
    raw = read_raw(write(tmp_path / "v.xdf", stream(1, "a", "EEG", both, times, RATE, volts)), CARD)
    np.testing.assert_allclose(raw.get_data(), X, rtol=1e-12)
    mixed = channel("C3") + channel("C4", unit="volts") + channel("Cz")
    with pytest.raises(ValueError, match="several units: microvolts, volts"):
        read_raw(write(tmp_path / "m.xdf", stream(1, "a", "EEG", both, times, RATE, mixed)), CARD)
    two = [stream(i, f"amp{i}", "EEG", both, times, RATE, CHANNELS) for i in (1, 2)]
    with pytest.raises(ValueError, match=r"2 streams that may be the EEG; .*amp1 \(EEG\), amp2"):
        read_raw(write(tmp_path / "t.xdf", *two), CARD)
    (tmp_path / "d.xdf").write_bytes(b"XDF:" + bytes(range(200)))
    with pytest.raises(ValueError, match=r"d\.xdf: cannot be read"):
        read_raw(tmp_path / "d.xdf", CARD)


def test_a_study_of_xdf_files_reads_as_one_of_fif_files(tmp_path: Path, X: np.ndarray) -> None:
    from eegvit.data import read_subject

    eeg = stream(1, "amplifier", "EEG", X.T.tolist(), TIMES.tolist(), RATE, CHANNELS)
    said = ["left", "right", "left", "right"]
    write(tmp_path / "s1.xdf", eeg, stream(2, "t", "Markers", said, [51.0, 53.0, 55.0, 57.0]))
    info = mne.create_info(["C3", "C4", "HEOG"], RATE, ["eeg", "eeg", "eog"])
    raw = mne.io.RawArray(1e-6 * X, info, verbose="error")
    raw.set_annotations(mne.Annotations([1.0, 3.0, 5.0, 7.0], 0.0, said))
    raw.save(tmp_path / "s1_raw.fif", verbose="error")
    read = []
    for pattern in ("s{subject}.xdf", "s{subject}_raw.fif"):
        card = Card(
            name="x", source="files", classes=("left", "right"), window=(0, 1), band=(8, 30),
            options={"root": str(tmp_path), "pattern": pattern},
        )  # fmt: skip
        (trials,) = read_subject(card, "1")
        read.append(trials)
    np.testing.assert_allclose(read[0].X, read[1].X, atol=1e-4)
    assert read[0].labels.tolist() == read[1].labels.tolist() == said
