"""Networks in ONNX that take raw samples say what filter, alignment and torch say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.deploy.alignment import Alignment
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.onnx import export, load
from eegvit.deploy.onnx_filter import LEFT_OUT, impulse_response
from eegvit.deploy.stream import Stream
from eegvit.deploy.stream.chunks import Chunk
from eegvit.registry import installed
from eegvit.trials import Trials

LACKING = [name for name in ("onnx", "onnxruntime", "onnxscript") if not installed(name)]
pytestmark = [
    pytest.mark.skipif(bool(LACKING), reason=f"ONNX MISSING: {LACKING}; install '.[deploy]'"),
    pytest.mark.filterwarnings(
        "ignore::UserWarning", "ignore::DeprecationWarning", "ignore::RuntimeWarning"
    ),
]
Make = Callable[..., Decoder]
OFFSET = 3e4  # microvolts that an electrode adds


def causal(decoder: Decoder, **changes: Any) -> Decoder:
    """Return a decoder as if its study had filtered forwards."""
    card = decoder.reading.card.model_copy(
        update={"band": (8.0, 30.0), "phase": "causal", **changes}
    )
    return replace(decoder, reading=replace(decoder.reading, card=card, to_microvolts=1e6))


def sure(model: Any) -> Any:
    """Return a fitted EEGNet that is surer than a few epochs make it: differences are seen."""
    model.module_[1].head.weight.data.mul_(150)
    return model


def recorded(trials: Trials, n_trials: int = 12) -> mne.io.RawArray:
    """Return trials one after another, 2 s apart, as raw as an amplifier gives them, in volts."""
    sfreq = trials.sfreq
    gap = np.zeros((trials.n_channels, int(2 * sfreq)))
    parts = [gap, gap]
    onsets = []
    for X in trials.X[:n_trials]:
        onsets.append(sum(part.shape[1] for part in parts) / sfreq)
        parts += [X, gap]
    rng = np.random.default_rng(0)
    signals = np.concatenate(parts, axis=1)
    signals = signals + 0.3 * rng.standard_normal(signals.shape) + OFFSET
    info = mne.create_info(list(trials.ch_names), sfreq, "eeg")
    raw = mne.io.RawArray(1e-6 * signals, info, verbose="error")
    marks = [trials.classes[code] for code in trials.y[:n_trials]]
    return raw.set_annotations(mne.Annotations(onsets, 0.0, marks))


@pytest.mark.parametrize("kind", ["eegnet", "efficientvit"])
def test_raw_windows_are_decoded_as_the_filtered_recording(
    trials: Trials, decoder_of: Make, tmp_path: Path, kind: str
) -> None:
    if kind == "eegnet":
        model = sure(EEGNetClassifier(epochs=2).fit(trials.X, trials.labels))
    else:
        model = EfficientViTClassifier(epochs=1, sfreq=trials.sfreq).fit(trials.X, trials.labels)
    raw = recorded(trials)
    decoder = causal(decoder_of(model, trials, Alignment("euclidean"))).calibrate(raw)
    decoder = replace(decoder, calibration=None)
    assert export(decoder, tmp_path / "raw.onnx", with_filter=True) < 1e-4
    again = load(tmp_path / "raw.onnx")
    assert again.reading.card.band is None and again.align.method == "none"
    n_before = again.reading.n_times - decoder.reading.n_times
    assert 0.5 < n_before / trials.sfreq < 3
    told, expected = again.predict(raw), decoder.predict(raw)
    assert len(told) == len(expected) == 12
    np.testing.assert_allclose(told.probabilities, expected.probabilities, atol=1e-3)
    if kind == "eegnet":  # trials differ by far more than that
        assert np.ptp(expected.probabilities[:, 0]) > 0.01


def test_a_stream_feeds_it_raw_samples(trials: Trials, decoder_of: Make, tmp_path: Path) -> None:
    model = sure(EEGNetClassifier(epochs=2).fit(trials.X, trials.labels))
    raw = recorded(trials)
    decoder = causal(decoder_of(model, trials))
    export(decoder, tmp_path / "raw.onnx", with_filter=True)
    said = []
    stream = Stream(load(tmp_path / "raw.onnx"), raw.ch_names, trials.sfreq, to_microvolts=1e6)
    signals, step = raw.get_data(), 50
    marks = list(zip(raw.annotations.onset, raw.annotations.description, strict=True))
    for begin in range(0, raw.n_times, step):
        now = begin / trials.sfreq, (begin + step) / trials.sfreq
        own = tuple((when, text) for when, text in marks if now[0] <= when < now[1])
        said += list(stream.push(Chunk(signals[:, begin : begin + step], now[0], own)))
    expected = decoder.predict(raw).probabilities
    assert len(said) == len(expected)
    np.testing.assert_allclose([one.probabilities for one in said], expected, atol=1e-3)


@pytest.mark.parametrize("band", [(8.0, 30.0), (4.0, 38.0), (None, 40.0), None])
def test_what_is_cut_off_a_response_is_small(
    trials: Trials, decoder_of: Make, band: tuple[float | None, float | None] | None
) -> None:
    """Of any signal, the cut filter is off by its largest value times what is left out, at most."""
    from scipy.signal import lfilter

    from eegvit.data.epoching.filters import Running

    decoder = causal(decoder_of(None, trials), band=band)
    response = impulse_response(decoder)
    if band is None:
        assert response.tolist() == [1.0]
        return
    signal = np.sign(np.random.default_rng(1).standard_normal(4000))
    signal[0] = 0.0
    whole = Running(band, trials.sfreq)(signal[None])[0]
    off = np.abs(lfilter(response, [1.0], signal) - whole).max()
    assert 0 < off < 2 * LEFT_OUT * np.abs(response).sum()


@pytest.mark.parametrize(
    ("changes", "align", "said"),
    [
        ({"phase": "zero"}, Alignment(), "sees later samples"),
        ({"baseline": (None, 0.5)}, Alignment(), "subtracts a baseline"),
        ({"band": (0.05, 30.0)}, Alignment(), "rings for more than 10 s"),
        ({}, Alignment("euclidean"), "calibrate a decoder that aligns offline"),
        ({}, Alignment("euclidean", "causal"), "is no constant"),
    ],
)
def test_what_looks_at_more_than_a_window_is_refused(
    trials: Trials,
    decoder_of: Make,
    tmp_path: Path,
    changes: dict[str, Any],
    align: Alignment,
    said: str,
) -> None:
    model = EEGNetClassifier(epochs=1).fit(trials.X, trials.labels)
    decoder = causal(decoder_of(model, trials, align), **changes)
    with pytest.raises(ValueError, match=said):
        export(decoder, tmp_path / "raw.onnx", with_filter=True)
    assert not (tmp_path / "raw.onnx").exists()
