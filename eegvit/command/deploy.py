"""Take a model of a study into use: fit it on all people, decode recordings with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eegvit.command.options import add_cache, add_jobs, add_study, study_of

if TYPE_CHECKING:
    from eegvit.deploy.decoder import Decoder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parts = parser.add_subparsers(dest="part", required=True, metavar="fit|show|predict|export")
    _add_fit(parts.add_parser("fit", help="fit a model of a study on all its people"))
    show = parts.add_parser("show", help="say what a decoder is, and what vouches for it")
    _add_decoder(show)
    export = parts.add_parser("export", help="write a decoder's network as ONNX")
    _add_decoder(export)
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="such as hand.onnx"
    )
    _add_predict(parts.add_parser("predict", help="decode recordings"))


def carry_out(options: argparse.Namespace) -> int:
    """Carry out a part of the command."""
    code: int = PARTS[options.part](options)
    return code


def _add_fit(parser: argparse.ArgumentParser) -> None:
    add_study(parser)
    parser.add_argument("--model", required=True, metavar="NAME", help="a model or an ensemble")
    parser.add_argument("--seed", type=int, default=None, help="one of the study's")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="such as hand.eegvit"
    )
    add_jobs(parser)
    add_cache(parser)


def _add_decoder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("decoder", type=Path, help="a file that `fit` or `export` wrote")
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="let the decoder be made of classes of this package; may be repeated",
    )


def _add_predict(parser: argparse.ArgumentParser) -> None:
    _add_decoder(parser)
    parser.add_argument(
        "recordings",
        nargs="+",
        type=Path,
        metavar="RECORDING",
        help="FIF, EDF, BDF, GDF, BrainVision, SET, CNT, MFF, or a BIDS folder",
    )
    parser.add_argument(
        "--session",
        action="store_true",
        help="the recordings are of one session: align them together",
    )
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
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="where the table goes (default: here)"
    )


def _fit(options: argparse.Namespace) -> int:
    study = study_of(options)
    from eegvit.deploy.decoder import Decoder
    from eegvit.study import check_writable

    check_writable(options.output.absolute().parent, "--output")
    decoder = Decoder.fit(
        study, options.model, seed=options.seed, jobs=options.jobs, cache=options.cache
    )
    decoder.save(options.output, allow=options.allow)
    print(f"{decoder}\n\n{options.output}")
    return 0


def _show(options: argparse.Namespace) -> int:
    print(_loaded(options))
    return 0


def _predict(options: argparse.Namespace) -> int:
    from eegvit.deploy.files import files_of
    from eegvit.deploy.predictions import joined

    decoder = _loaded(options)
    how = {
        "cues": None if options.cue is None else _cues(options.cue, decoder),
        "windows": options.windows,
        "to_microvolts": options.to_microvolts,
    }
    if options.calibrate:
        how_to_calibrate = how | {"windows": None if options.cue else options.windows}
        decoder = decoder.calibrate(options.calibrate, **how_to_calibrate)
    found = files_of(options.recordings)
    sessions = [found] if options.session else [[path] for path in found]
    table = joined([decoder.predict(session, **how) for session in sessions]).tsv()
    if options.output is None:
        sys.stdout.write(table)
    else:
        options.output.write_text(table, encoding="utf-8")
        print(options.output)
    return 0


def _export(options: argparse.Namespace) -> int:
    from eegvit.deploy.onnx import export

    off = export(_loaded(options), options.output)
    print(f"{options.output}\nprobabilities differ from torch's by {off:.1g} at most")
    return 0


def _loaded(options: argparse.Namespace) -> Decoder:
    if options.decoder.suffix == ".onnx":
        from eegvit.deploy.onnx import load

        return load(options.decoder)
    from eegvit.deploy.decoder import Decoder

    return Decoder.load(options.decoder, allow=options.allow)


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


PARTS = {"fit": _fit, "show": _show, "predict": _predict, "export": _export}
