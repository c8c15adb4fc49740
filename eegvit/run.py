"""The command line: one study file in, one leaderboard out."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from eegvit import __version__
from eegvit.config import Study, StudyErrors, load_study

DEFAULT = "quickstart"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a study; return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    try:
        study = load_study(options.study, options.set)
    except StudyErrors as error:
        print(error, file=sys.stderr)
        n = len(error.lines)
        print(f"{n} mistake{'s' * (n != 1)} in the study file; nothing was run", file=sys.stderr)
        return 2
    try:
        return _run(study, options, "python -m eegvit.run " + shlex.join(given))
    except KeyboardInterrupt:
        print(
            "\nstopped; every finished fit is kept, the same command goes on from here",
            file=sys.stderr,
        )
        return 130
    except (ValueError, OSError) as error:
        if options.traceback:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(study: Study, options: argparse.Namespace, command: str) -> int:
    from eegvit.data.cache import Cache
    from eegvit.execute.embeddings import represent
    from eegvit.execute.fits import execute
    from eegvit.execute.local import local
    from eegvit.execute.store import Store
    from eegvit.plan.dry_run import describe
    from eegvit.plan.plan import make_plan
    from eegvit.report import terminal, write
    from eegvit.results.stored import score
    from eegvit.views.other_data import source_views
    from eegvit.views.reading import make_views

    cache = Cache(options.cache)
    store = Store(cache.fits)
    with local(options.jobs) as workers:
        views = make_views(study, cache, workers)
        sources = source_views(study, views, cache, workers)
    plan = make_plan(study, views, sources)
    if options.dry_run:
        print(describe(plan, store, jobs=options.jobs))
        return 0
    execute(plan, store, cache, jobs=options.jobs)
    represent(plan, store, cache, jobs=options.jobs)
    results = score(study, plan, store)
    page = write(results, options.out / study.name, command=command)
    print(terminal(results))
    print(f"\n{page}")
    told = [row.status for row in results.board] + [fit["status"] for fit in results.fits]
    return 1 if any(status != "ok" for status in told) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eegvit", description="Run a study of EEG classifiers and write its leaderboard."
    )
    parser.add_argument(
        "study",
        nargs="?",
        default=DEFAULT,
        help=f"a study file, or the name of a shipped one (default: {DEFAULT}, simulated data)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of the study, e.g. evaluate.seeds=[0]; may be repeated",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan, run nothing")
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        metavar="N",
        help="worker processes of one thread each (default: one a core)",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("reports"), help="where reports go (default: reports/)"
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=None,
        help="where views and fits are kept (default: $EEGVIT_CACHE or ~/.cache/eegvit)",
    )
    parser.add_argument("--traceback", action="store_true", help="show where an error came from")
    parser.add_argument("--version", action="version", version=f"eegvit {__version__}")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
