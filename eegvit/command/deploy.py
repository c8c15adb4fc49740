"""Take a model of a study into use: fit it on all people, decode recordings with it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from eegvit.command import stream
from eegvit.command.options import add_cache, add_jobs, add_study, study_of
from eegvit.command.windows import add_windows, asked

if TYPE_CHECKING:
    from eegvit.deploy.decoder import Decoder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parts = parser.add_subparsers(
        dest="part", required=True, metavar="fit|show|predict|stream|export"
    )
    _add_fit(parts.add_parser("fit", help="fit a model of a study on all its people"))
    show = parts.add_parser("show", help="say what a decoder is, and what vouches for it")
    _add_decoder(show)
    export = parts.add_parser("export", help="write a decoder's network as ONNX")
    _add_decoder(export)
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="such as hand.onnx"
    )
    export.add_argument(
        "--with-filter",
        action="store_true",
        help="put filter and alignment into the network: it then takes raw samples",
    )
    add_windows(export)
    _add_predict(parts.add_parser("predict", help="decode recordings"))
    live = parts.add_parser("stream", help="decode while a recording is made, or replayed")
    _add_decoder(live)
    stream.add_arguments(live)


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
        help="FIF, EDF, BDF, GDF, BrainVision, SET, CNT, MFF, XDF, or a BIDS folder",
    )
    parser.add_argument(
        "--session",
        action="store_true",
        help="the recordings are of one session: align them together",
    )
    parser.add_argument(
        "--causal",
        action="store_true",
        help="filter and align as `stream` does, by nothing that comes later",
    )
    add_windows(parser)
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
    decoder, how = asked(decoder, options)
    if options.causal:
        decoder = decoder.causal()
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

    decoder, _ = asked(_loaded(options), options)
    off = export(decoder, options.output, with_filter=options.with_filter)
    print(f"{options.output}\nprobabilities differ from torch's by {off:.1g} at most")
    return 0


def _loaded(options: argparse.Namespace) -> Decoder:
    if options.decoder.suffix == ".onnx":
        from eegvit.deploy.onnx import load

        return load(options.decoder)
    from eegvit.deploy.decoder import Decoder

    return Decoder.load(options.decoder, allow=options.allow)


def _stream(options: argparse.Namespace) -> int:
    return stream.carry_out(_loaded(options), options)


PARTS = {"fit": _fit, "show": _show, "predict": _predict, "stream": _stream, "export": _export}
