"""Decode while a recording is made: from the network, or a file as if it were being made."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from eegvit.command.windows import add_windows, asked

if TYPE_CHECKING:
    from eegvit.deploy.decoder import Decoder
    from eegvit.deploy.stream.chunks import Source
    from eegvit.deploy.stream.decisions import Decision


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--lsl", metavar="NAME", help="a stream of the lab streaming layer")
    source.add_argument("--replay", type=Path, metavar="FILE", help="a recording made before")
    parser.add_argument(
        "--marks", metavar="NAME", help="a stream of marks beside --lsl, if its samples have none"
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=1.0,
        help="of a replay, times as fast as it was recorded; 0: as fast as may be",
    )
    add_windows(parser)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="also write decisions as lines of JSON"
    )
    parser.add_argument("--to-lsl", metavar="NAME", help="also send probabilities as a stream")
    parser.add_argument(
        "--json", action="store_true", help="print lines of JSON on a terminal, too"
    )


def carry_out(decoder: Decoder, options: argparse.Namespace) -> int:
    """Decide window after window until the sender is gone, then say what became of them."""
    from eegvit.deploy.stream import Stream

    decoder, how = asked(decoder, options)
    source = _source(decoder, options)
    unit = how.pop("to_microvolts") or source.to_microvolts
    stream = Stream(decoder, source.ch_names, source.sfreq, to_microvolts=unit, **how)
    with ExitStack() as stack:
        outputs = _outputs(decoder, options, stack)
        try:
            for chunk in source:
                for decision in stream.push(chunk):
                    for output in outputs:
                        output(decision)
        except KeyboardInterrupt:
            pass  # whoever watches has seen enough
        finally:
            print(f"\n{stream.account}", file=sys.stderr)
    return 0


def _source(decoder: Decoder, options: argparse.Namespace) -> Source:
    if options.replay is not None:
        from eegvit.deploy.stream.replay import Replay

        return Replay(options.replay, decoder.reading, speed=options.speed)
    from eegvit.deploy.stream.lsl import LSLSource

    return LSLSource(options.lsl, options.marks)


def _outputs(
    decoder: Decoder, options: argparse.Namespace, stack: ExitStack
) -> list[Callable[[Decision], None]]:
    from eegvit.deploy.stream.outputs import Lines, Live

    watched = sys.stdout.isatty() and not options.json
    outputs: list[Callable[[Decision], None]] = [Live() if watched else Lines(sys.stdout)]
    if options.output is not None:
        file = stack.enter_context(options.output.open("w", encoding="utf-8"))
        outputs.append(Lines(file))
    if options.to_lsl:
        from eegvit.deploy.stream.lsl import LSLOutlet

        outputs.append(LSLOutlet(options.to_lsl, decoder.classes))
    return outputs
