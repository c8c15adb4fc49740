"""Run a study of EEG classifiers and write its leaderboard."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from eegvit.command.options import (
    add_cache,
    add_executor,
    add_jobs,
    add_out,
    add_overwrite,
    add_study,
    study_of,
    workers_of,
)
from eegvit.config import Study
from eegvit.data.cache import Cache

DEFAULT = "quickstart"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add_study(parser, default=DEFAULT)
    parser.add_argument("--dry-run", action="store_true", help="print the plan, run nothing")
    parser.add_argument(
        "--shard",
        metavar="K/N",
        help="carry out only the fits of the K-th of N shares, and write no page: for array jobs"
        " on a shared cache; the same command without it writes the page in the end",
    )
    add_executor(parser)
    add_jobs(parser)
    add_out(parser)
    add_overwrite(parser)
    add_cache(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Run the study; 1 if a fit failed."""
    study = study_of(options)
    cache = Cache(options.cache)
    if options.dry_run:
        from eegvit.command.check import say_plan

        return say_plan(study, cache, options.jobs)
    if options.shard is not None:
        return _carry_out_shard(study, cache, options)
    from eegvit.report import terminal, write
    from eegvit.report.same_study import refuse_another
    from eegvit.study import check_writable, plan_and_carry_out

    folder = Path(options.out) / study.name
    check_writable(cache.root, "--cache")
    check_writable(folder, "--out")
    if not options.overwrite:
        refuse_another(folder, study)
    with workers_of(options, cache.root) as workers:
        _, results = plan_and_carry_out(study, cache, executor=workers)
    page = write(results, folder, command=typed(options), overwrite=options.overwrite)
    print(terminal(results))
    print(f"\n{page}")
    told = [row.status for row in results.board] + [fit["status"] for fit in results.fits]
    return 1 if any(status != "ok" for status in told) else 0


def _carry_out_shard(study: Study, cache: Cache, options: argparse.Namespace) -> int:
    """Run a share of the study's fits; 1 if one failed."""
    from eegvit.execute.shard import Shard
    from eegvit.study import carry_out_shard, check_writable

    shard = Shard.parse(options.shard)
    check_writable(cache.root, "--cache")
    with workers_of(options, cache.root) as workers:
        tally, left = carry_out_shard(study, cache, shard, workers)
    print(
        f"shard {shard}: {tally.stored} fits were stored before, {tally.run} run now,"
        f" {tally.failed} failed"
    )
    print(f"{left}; the command without --shard runs what is missing and writes the page")
    return 1 if tally.failed else 0


def typed(options: argparse.Namespace) -> str:
    """Return the command as it can be typed again.

    Examples
    --------
    >>> typed(argparse.Namespace(given=["run", "quickstart"]))
    'python -m eegvit.run quickstart'
    """
    name, *rest = options.given
    where = ["eegvit.run"] if name == "run" else ["eegvit", name]
    return shlex.join(["python", "-m", *where, *rest])
