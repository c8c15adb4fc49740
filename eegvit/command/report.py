"""Write a study's page again from what is stored, check and compare reports, or join several.

`eegvit report STUDY` and `report remake STUDY` run no fit. `report remake DIR ...` needs none in a
cache: it takes what lies in the folders of reports. `report verify DIR ...` recomputes every score
from the predictions, and every hash. `report compare BEFORE AFTER` says model by model what changed
and whether it is noise. `report board DIR ...` makes one board of several studies, `report index
DIR` a page that leads to all reports in a folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from eegvit.command.options import add_cache, add_changes, add_out, add_overwrite, study_of
from eegvit.command.run import typed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "what",
        nargs="+",
        metavar="STUDY | remake STUDY | remake DIR ... | verify DIR ... | compare DIR DIR"
        " | board DIR ... | index DIR",
        help="a study, or what to do with folders of reports",
    )
    parser.add_argument("--reference", help="of `board`: the model that others are compared with")
    add_changes(parser)
    add_out(parser)
    add_overwrite(parser)
    add_cache(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Do what is asked; 1 if fits are missing or something does not agree."""
    known: dict[str, Callable[[argparse.Namespace], int]] = {
        "remake": _remake,
        "verify": _verify,
        "compare": _compare,
        "board": _board,
        "index": _index,
    }
    first, *rest = options.what
    if first not in known and not rest:
        first, rest = "remake", [first]
    if first not in known:
        raise ValueError(
            f"'{first}' is none of {', '.join(known)}, and a single study is made again:"
            " `eegvit report STUDY`"
        )
    options.what = rest
    return known[first](options)


def _remake(options: argparse.Namespace) -> int:
    if any((Path(one) / "manifest.json").is_file() for one in options.what):
        return _remake_folders(options)
    if len(options.what) != 1:
        raise ValueError(
            "`eegvit report remake` takes one study, or the folders of reports, each with a"
            " manifest.json"
        )
    from eegvit.data.cache import Cache
    from eegvit.report import terminal, write
    from eegvit.study import stored_results

    options.study = options.what[0]
    study = study_of(options)
    results = stored_results(study, Cache(options.cache))
    folder = Path(options.out) / study.name
    page = write(results, folder, command=typed(options), overwrite=options.overwrite)
    print(terminal(results))
    print(f"\n{page}")
    return 0 if all(row.status == "ok" for row in results.board) else 1


def _remake_folders(options: argparse.Namespace) -> int:
    from eegvit.report import terminal
    from eegvit.report.written.remake import remake

    given = [word.partition("=")[0] for word in options.given]
    for option in ("--set", "--allow", "--out", "--cache", "--overwrite"):
        if option in given:
            raise ValueError(f"{option} goes with a study: a folder is made again where it lies")
    for folder in options.what:
        results, page = remake(folder)
        print(f"{terminal(results)}\n\n{page}\n")
    return 0


def _verify(options: argparse.Namespace) -> int:
    from eegvit.report.written.folder import read
    from eegvit.report.written.verify import verify

    if not options.what:
        raise ValueError("`eegvit report verify DIR ...` takes the folders of reports")
    failed = False
    for folder in options.what:
        agree, wrong = verify(read(folder))
        print(f"{folder}: {', '.join(agree) or 'nothing agrees'}")
        for said in wrong:
            print(f"{folder}: {said}", file=sys.stderr)
        failed |= bool(wrong)
    return 1 if failed else 0


def _compare(options: argparse.Namespace) -> int:
    from eegvit.report.written.compare import compared
    from eegvit.report.written.folder import read

    if len(options.what) != 2:
        raise ValueError("`eegvit report compare BEFORE AFTER` takes the folders of two reports")
    before, after = options.what
    print(compared(read(before), read(after)))
    return 0


def _board(options: argparse.Namespace) -> int:
    from eegvit.report.written.board import write_board
    from eegvit.report.written.folder import read

    folders = [each for each in options.what if not Path(each).is_file()]  # of reports/*
    if len(folders) < 2:
        raise ValueError(
            "`eegvit report board DIR DIR ...` takes the folders of two reports or more"
        )
    reports = [read(folder) for folder in folders]
    page, said = write_board(reports, options.out, options.reference, command=typed(options))
    print(f"{said}\n\n{page}")
    return 0


def _index(options: argparse.Namespace) -> int:
    from eegvit.report.written.index import write_index

    if len(options.what) != 1:
        raise ValueError("`eegvit report index DIR` takes the folder that holds the reports")
    print(write_index(options.what[0], command=typed(options)))
    return 0
