"""A decoder's filter and alignment as the first part of its network: raw samples in.

A causal filter is the sum of the samples so far, weighed by its impulse response. That of a
Butterworth filter has no end, but soon nothing is left of it: it is cut where what is left out
cannot be told from rounding, and a window begins as much earlier.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from eegvit.data.epoching.filters import Running
from eegvit.deploy.alignment import Alignment
from eegvit.deploy.decoder import Decoder
from eegvit.preprocess.alignment import inverse_root

if TYPE_CHECKING:
    from torch import nn

Array = NDArray[np.float64]
LEFT_OUT = 1e-6  # share of an impulse response, by size, that may be cut off
LONGEST = 10.0  # seconds of an impulse response


def check_constant(decoder: Decoder) -> None:
    """Refuse a decoder whose filter or alignment looks at more than a window of the past."""
    card, align = decoder.reading.card, decoder.align
    decoder.reading.check_filter()
    if card.phase != "causal" and card.band is not None:
        raise ValueError(
            "its filter runs in both directions and sees later samples, so that it is no part of a"
            " network that is fed as samples come: fit the decoder with `view: {phase: causal}`,"
            " or export it without its filter"
        )
    if card.baseline is not None:
        raise ValueError(
            "it subtracts a baseline, which lies where a cue says, and not in a window: fit the"
            " decoder with `view: {baseline: null}`, or export it without its filter"
        )
    if align.method != "none" and (align.mode == "causal" or align.since is None):
        raise ValueError(
            "its alignment is by the trials of the recording that is decoded, and is no constant:"
            " calibrate a decoder that aligns offline by a recording of the person"
            " (--calibrate FILE), fit it with `align: none`, or export it without its filter"
        )


def impulse_response(decoder: Decoder) -> Array:
    """Return what a decoder's filter makes of a one and zeros, as long as that is to be told.

    Raises
    ------
    ValueError
        If it takes too long to fade.
    """
    band, sfreq = decoder.reading.card.band, decoder.reading.sfreq
    one = np.zeros((1, 1 + math.ceil(2 * LONGEST * sfreq)))
    one[0, 1] = 1.0  # behind a zero, which the filter takes for all that was before
    response = Running(band, sfreq)(one)[0, 1:]
    left = np.cumsum(np.abs(response[::-1]))[::-1]  # from each sample on
    length = int((left > LEFT_OUT * left[0]).sum())
    if length > LONGEST * sfreq:
        raise ValueError(
            f"its filter, {band} Hz, rings for more than {LONGEST:g} s, too long to be part of a"
            " network: fit the decoder with a higher lower edge, or export it without its filter"
        )
    return response[:length]


def of_raw(decoder: Decoder, n_before: int) -> Decoder:
    """Return a decoder for windows of raw samples that begin earlier by as many samples.

    Its model is still the one for filtered and aligned trials.
    """
    reading = decoder.reading
    begin, end = reading.card.window
    changes = {
        "band": None,
        "phase": "causal",
        "window": (begin - n_before / reading.sfreq, end),
        "judged": reading.card.judgement,
    }
    card = reading.card.model_copy(update=changes)
    raw = replace(reading, card=card, strength=None)
    return replace(decoder, reading=raw, align=Alignment())


def in_front(decoder: Decoder, response: Array) -> nn.Module:
    """Return the filter and the alignment: raw windows in, trials as the network takes them."""
    import torch

    from eegvit.networks.blocks_of_time import FilteredWhitened

    band, align = decoder.reading.card.band, decoder.align
    matrix = np.eye(len(decoder.reading.ch_names))
    if align.method != "none" and align.since is not None:
        matrix = inverse_root(align.since.mean)
    made = [torch.from_numpy(each.astype(np.float32)) for each in (response, matrix)]
    return FilteredWhitened(*made, level=band is None or band[0] is None)


def by_numpy(decoder: Decoder, X: NDArray[np.float32]) -> Array:
    """Return what a decoder's own filter, alignment and model say of raw windows."""
    reading = decoder.reading
    filtered = [Running(reading.card.band, reading.sfreq)(x.astype(np.float64)) for x in X]
    trials = np.stack(filtered)[:, :, -reading.n_times :].astype(np.float32)
    return decoder._of_model(decoder.align(trials))
