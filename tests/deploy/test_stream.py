"""Streams say what the causal decoder says of the whole recording, whatever becomes of chunks."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from raws import RATE, recording, study_of

from eegvit import Decoder, run_study
from eegvit.command import main
from eegvit.deploy.stream import Stream
from eegvit.deploy.stream.chunks import Chunk
from eegvit.deploy.stream.replay import Replay

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


FAINT = 2e-6  # a rhythm that leaves doubt


def decided(stream: Stream, chunks: Any) -> list[Any]:
    return [decision for chunk in chunks for decision in stream.push(chunk)]


def streamed(decoder: Decoder, raw: mne.io.BaseRaw, length: float, **how: Any) -> Any:
    source = Replay(raw, decoder.reading, speed=0, length=length)
    stream = Stream(
        decoder, source.ch_names, source.sfreq, to_microvolts=source.to_microvolts, **how
    )
    return decided(stream, source), stream.account


@pytest.mark.parametrize("name", ["csp", "causal", "net", "both"])
@pytest.mark.parametrize("length", [0.02, 0.372, 5.0])
def test_decisions_are_those_of_the_whole_recording(results: Any, name: str, length: float) -> None:
    decoder, raw = Decoder.fit(results, name), recording(4, strength=FAINT)
    whole = decoder.causal().predict(raw)
    said, account = streamed(decoder, raw, length)
    assert len(said) == len(whole) == 24 and not account.left_out and not account.gaps
    np.testing.assert_allclose([d.onset for d in said], whole.onset, atol=1e-9)
    np.testing.assert_allclose([d.probabilities for d in said], whole.probabilities, atol=1e-6)
    assert np.abs(whole.probabilities - decoder.predict(raw).probabilities).max() > 1e-3


@pytest.mark.parametrize("rate", [RATE, 256.0, 1000.0])
def test_windows_one_after_another_and_other_rates(decoder: Decoder, rate: float) -> None:
    raw = recording(4, n_trials=10, rate=rate, strength=FAINT)
    whole = decoder.causal().predict(raw, windows=(2.0, 0.3))
    said, _ = streamed(decoder, raw, 0.1, windows=(2.0, 0.3))
    assert len(said) == len(whole) > 90
    np.testing.assert_allclose([d.onset for d in said], whole.onset, atol=1e-9)
    np.testing.assert_allclose([d.probabilities for d in said], whole.probabilities, atol=1e-6)


def test_nothing_that_comes_later_moves_a_decision(decoder: Decoder) -> None:
    raw = recording(4, strength=FAINT)
    noisy = raw.copy()
    noisy._data[:, int(40 * RATE) :] *= 100  # louder from second 40 on
    before, after = (streamed(decoder, one, 0.1)[0] for one in (raw, noisy))
    early = [i for i, d in enumerate(before) if d.onset + 2.5 < 40]
    assert len(early) == 12
    for i in early:
        np.testing.assert_array_equal(before[i].probabilities, after[i].probabilities)
    assert any((before[i].probabilities != after[i].probabilities).any() for i in range(13, 24))


def test_a_calibrated_decoder_keeps_its_reference(decoder: Decoder) -> None:
    known = decoder.calibrate(recording(5))
    raw = recording(4, strength=FAINT)
    whole = known.causal().predict(raw)
    said, _ = streamed(known, raw, 0.1)
    np.testing.assert_allclose([d.probabilities for d in said], whole.probabilities, atol=1e-6)


def test_channels_in_another_order_and_marks_that_come_late(decoder: Decoder) -> None:
    raw = recording(4, n_trials=6, strength=FAINT)
    whole = decoder.causal().predict(raw)
    other = raw.copy().reorder_channels(list(reversed(raw.ch_names)))
    chunks = list(Replay(other, decoder.reading, speed=0, length=0.1))
    late = [mark for chunk in chunks for mark in chunk.marks]
    chunks = [Chunk(chunk.samples, chunk.clock) for chunk in chunks]
    for when, text in late:  # 4 s after they should: their windows are over
        i = min(int((when + 4.0) / 0.1), len(chunks) - 1)
        chunks[i] = replace(chunks[i], marks=(*chunks[i].marks, (when, text)))
    stream = Stream(decoder, other.ch_names, RATE, to_microvolts=1e6)
    said = decided(stream, chunks)
    np.testing.assert_allclose([d.onset for d in said], whole.onset, atol=1e-9)
    np.testing.assert_allclose([d.probabilities for d in said], whole.probabilities, atol=1e-6)


def test_gaps_leave_out_windows_and_are_counted(decoder: Decoder) -> None:
    raw = recording(4, n_trials=12)
    chunks = list(Replay(raw, decoder.reading, speed=0, length=0.1))
    del chunks[113:116]  # 0.3 s within the window of the cue at 11 s
    stream = Stream(decoder, raw.ch_names, RATE, to_microvolts=1e6)
    said = decided(stream, chunks)
    account = stream.account
    assert (account.gaps, account.lost, len(said)) == (1, 75, 11)
    assert sum(account.left_out.values()) == 1 and "gap of 0.30 s" in str(account)
    assert 11.0 not in [round(d.onset, 3) for d in said]
    np.testing.assert_allclose(said[-1].onset, 2 + 3.0 * 11, atol=1e-9)  # the clock goes on


def test_clock_jumps_back_and_late_chunks_are_counted(decoder: Decoder) -> None:
    raw = recording(4, n_trials=6, strength=FAINT)
    whole = decoder.causal().predict(raw)
    chunks = list(Replay(raw, decoder.reading, speed=0, length=0.1))
    moved = [
        Chunk(
            chunk.samples,
            chunk.clock - (100.0 if i > 50 else 0.0),
            tuple((when - (100.0 if i > 50 else 0.0), text) for when, text in chunk.marks),
            0.5 if i in (20, 21) else 0.01,
        )
        for i, chunk in enumerate(chunks)
    ]
    stream = Stream(decoder, raw.ch_names, RATE, to_microvolts=1e6)
    said = decided(stream, moved)
    assert (stream.account.clock_jumps, stream.account.late_chunks) == (1, 2)
    np.testing.assert_allclose([d.probabilities for d in said], whole.probabilities, atol=1e-6)


def test_what_is_spoilt_is_left_out_and_the_next_is_decided(decoder: Decoder) -> None:
    raw = recording(4, n_trials=8)
    raw._data[1, int(5.6 * RATE) : int(6.2 * RATE)] = 1e-6  # C3 came off: cue at 5 s
    raw._data[2, int(11.7 * RATE)] = np.nan  # cue at 11 s
    stream = Stream(decoder, raw.ch_names, RATE, to_microvolts=1e6)
    chunks = Replay(raw, decoder.reading, speed=0, length=0.1)
    said = decided(stream, chunks)
    assert [round(d.onset) for d in said] == [2, 8, 14, 17, 20, 23]
    assert all(np.isfinite(d.probabilities).all() for d in said)
    assert len(stream.account.left_out) == 2 and "not all numbers" in str(stream.account)
    assert "stays at one value (C3)" in str(stream.account)


def test_what_cannot_be_streamed_is_refused(results: Any, decoder: Decoder) -> None:
    with pytest.raises(ValueError, match="recentre"):
        Stream(Decoder.fit(results, "shifted"), ("C3", "Cz", "C4", "Pz"), RATE)
    with pytest.raises(ValueError, match="no channel 'C4'"):
        Stream(decoder, ("C3", "Cz", "Pz"), RATE)
    with pytest.raises(ValueError, match="sampled at 50 Hz"):
        Stream(decoder, ("C3", "Cz", "C4", "Pz"), 50.0)
    with pytest.raises(ValueError, match="windows of 1 s"):
        Stream(decoder, ("C3", "Cz", "C4", "Pz"), RATE, windows=(1.0, 0.5))
    volts = Stream(Decoder.fit(results, "raw"), ("C3", "Cz", "C4", "Pz"), RATE, windows=(2.0, 1.0))
    with pytest.raises(ValueError, match="times weaker"):
        list(volts.push(Chunk(1e-5 * np.random.default_rng(0).standard_normal((4, 600)), 0.0)))


def test_a_study_filtered_causally_trains_as_it_streams(folder: Path) -> None:
    study = study_of(folder)
    study["data"] |= {"phase": "causal"}
    study |= {"align": {"method": "euclidean", "mode": "causal"}, "ensembles": {}}
    study["models"] = {"csp": study["models"]["csp"]}
    found = run_study(study, jobs=0, cache=folder / "cache-causal")
    decoder = Decoder.fit(found, "csp")
    fitted, view = found.fitted("csp")
    mine = np.flatnonzero(view.subject == "2")
    own = fitted.predict_proba(view.take(mine).X)
    raw = mne.io.read_raw(folder / "s2.edf", verbose="error")
    said, _ = streamed(decoder, raw, 0.02)
    np.testing.assert_allclose([d.probabilities for d in said], own, atol=1e-5)


def test_at_twenty_times_the_speed_from_the_command_line(
    decoder: Decoder, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decoder.save(tmp_path / "hand.eegvit")
    new, out = str(folder / "new" / "x4.edf"), tmp_path / "said.jsonl"
    command = ["deploy", "stream", str(tmp_path / "hand.eegvit"), "--replay", new]
    assert main([*command, "--speed", "20", "-o", str(out)]) == 0
    printed = capsys.readouterr()
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert printed.out.splitlines() == out.read_text().splitlines()
    assert "24 decisions" in printed.err
    whole = decoder.causal().predict(new)
    for line, onset, p in zip(lines, whole.onset, whole.probabilities, strict=True):
        assert abs(line["onset"] - onset) < 1e-3
        np.testing.assert_allclose(list(line["p"].values()), p, atol=2e-6)
    assert main(["deploy", "predict", command[2], new, "--causal", "-o", str(tmp_path / "t")]) == 0
    assert (tmp_path / "t").read_text() == decoder.causal().predict(new).tsv()


@pytest.mark.parametrize("held", ["beside", "in a channel"])
def test_over_the_network_decisions_are_those_of_the_file(decoder: Decoder, held: str) -> None:
    lsl = pytest.importorskip("mne_lsl", reason="needs the extra `stream`").lsl
    from eegvit.deploy.stream.lsl import LSLOutlet, LSLSource

    raw, marked = recording(4, n_trials=8, strength=FAINT), held == "beside"
    name, said_name = f"amplifier-{held}-{os.getpid()}", f"said-{held}-{os.getpid()}"
    whole = decoder.causal().predict(raw)
    info = lsl.StreamInfo(name, "EEG", 6, RATE, "float64", name)
    info.set_channel_names([*raw.ch_names, "STI"])
    info.set_channel_units(["microvolts"] * 6)
    info.set_channel_types(["eeg"] * 5 + ["stim"])
    samples = lsl.StreamOutlet(info)
    marks = lsl.StreamOutlet(lsl.StreamInfo(f"{name}-marks", "Markers", 1, 0.0, "string", "m"))

    def send() -> None:
        """Send a recording of half a minute at once, with the times at which it was made."""
        samples.wait_for_consumers(20)
        if marked:
            marks.wait_for_consumers(20)
        base, codes = lsl.local_clock() - raw.times[-1], np.zeros((1, raw.n_times))
        for note in raw.annotations:
            at = round(note["onset"] * RATE)
            codes[0, at : at + 5] = 1 if note["description"] == "left" else 2
            if marked:
                marks.push_sample([note["description"]], base + note["onset"])
        X = np.concatenate([raw.get_data() * 1e6, codes * (not marked)])
        for begin in range(0, raw.n_times, 50):
            times = base + np.arange(begin, min(begin + 50, raw.n_times)) / RATE
            samples.push_chunk(np.ascontiguousarray(X[:, begin : begin + 50].T), times)

    sender = threading.Thread(target=send)
    sender.start()
    source = LSLSource(name, f"{name}-marks" if marked else None, silence=1.0)
    cues = None if marked else {"1": "left", "2": "right"}
    stream = Stream(
        decoder, source.ch_names, source.sfreq, to_microvolts=source.to_microvolts, cues=cues
    )
    outlet = LSLOutlet(said_name, decoder.classes)
    inlet = lsl.StreamInlet(lsl.resolve_streams(10.0, name=said_name)[0])
    inlet.open_stream(timeout=10)
    said = decided(stream, source)
    sender.join()
    np.testing.assert_allclose([d.onset for d in said], whole.onset, atol=1e-6)
    np.testing.assert_allclose([d.probabilities for d in said], whole.probabilities, atol=1e-5)
    assert (source.to_microvolts, stream.account.gaps, stream.account.clock_jumps) == (1.0, 0, 0)
    for decision in said:
        outlet(decision)
    got = [np.array(inlet.pull_sample(timeout=5)[0]) for _ in said]  # its buffer is used again
    np.testing.assert_allclose(got, whole.probabilities, atol=1e-5)
