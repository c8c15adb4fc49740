"""Which windows of a recording a decoder is asked about, and what it knows of the person."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eegvit.deploy.decoder import Decoder


def add_windows(parser: argparse.ArgumentParser) -> None:
    """Say what the options are."""
    parser.add_argument(
        "--cue",
        action="append",
        default=None,
        metavar="MARK[=CLASS]",
        help="decode at this mark, instead of at the study's; may be repeated",
    )
    parser.add_argument(
        "--windows",
        type=_windows,
        metavar="LENGTH,STEP",
        help="decode windows throughout a recording, seconds long and apart, instead of at marks",
    )
    parser.add_argument(
        "--calibrate",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a recording of the same person, with or without labels; may be repeated",
    )
    parser.add_argument(
        "--to-microvolts",
        type=float,
        default=None,
        metavar="FACTOR",
        help="from the unit in which a recording is read",
    )


def asked(decoder: Decoder, options: argparse.Namespace) -> tuple[Decoder, dict[str, Any]]:
    """Return the decoder, calibrated if that is wanted, and the windows to decide on."""
    how: dict[str, Any] = {
        "cues": None if options.cue is None else _cues(options.cue, decoder),
        "windows": options.windows,
        "to_microvolts": options.to_microvolts,
    }
    if options.calibrate:
        how_to_calibrate = how | {"windows": None if options.cue else options.windows}
        decoder = decoder.calibrate(options.calibrate, **how_to_calibrate)
    return decoder, how


def _cues(given: list[str], decoder: Decoder) -> dict[str, str]:
    """Return mark -> class as the options say it; "" where they, and the study, say none."""
    cues = {}
    for text in given:
        mark, said, name = text.partition("=")
        if said and name not in decoder.classes:
            raise ValueError(
                f"--cue {text}: '{name}' is no class of the decoder: {', '.join(decoder.classes)}"
            )
        cues[mark] = name if said else decoder.reading.marks.get(mark, "")
    return cues


def _windows(text: str) -> tuple[float, float]:
    try:
        length, step = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}': give a length and a step in seconds, such as 4,0.5"
        ) from None
    if not (length > 0 and step > 0):
        raise argparse.ArgumentTypeError(f"'{text}': both are longer than 0 s")
    return length, step
