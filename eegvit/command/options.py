"""Options that several commands share."""

from __future__ import annotations

import argparse
import os
from contextlib import AbstractContextManager
from pathlib import Path

from eegvit.config import Study, load_study
from eegvit.tasks import Executor


def add_study(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the study and the changes to it."""
    said = "a study file, or the name of a shipped one"
    if default is None:
        parser.add_argument("study", help=said)
    else:
        parser.add_argument(
            "study", nargs="?", default=default, help=f"{said} (default: {default})"
        )
    add_changes(parser)


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Add the changes to a study."""
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a key of the study, e.g. evaluate.seeds=[0]; may be repeated",
    )
    parser.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="let the study name classes of this package by import path; may be repeated",
    )


def study_of(options: argparse.Namespace) -> Study:
    """Return the study that the options name."""
    return load_study(options.study, options.set, allow=options.allow)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the number of worker processes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    parser.add_argument(
        "--jobs",
        type=_positive,
        default=cores,
        metavar="N",
        help="worker processes of one thread each (default: one a core)",
    )


def add_executor(parser: argparse.ArgumentParser) -> None:
    """Add who carries out the work."""
    parser.add_argument(
        "--executor",
        choices=("local", "dask"),
        default="local",
        help="worker processes of this machine (the default), or dask's",
    )
    parser.add_argument(
        "--address",
        help="with `--executor dask`: the scheduler whose workers are used, such as"
        " tcp://10.0.0.1:8786; without, --jobs workers are started here",
    )


def workers_of(options: argparse.Namespace, cache: Path) -> AbstractContextManager[Executor]:
    """Return who carries out the tasks of a command that keeps what it computes in a cache."""
    if options.executor == "dask":
        from eegvit.execute.cluster import Cluster

        return Cluster(cache, jobs=options.jobs, address=options.address)
    if options.address is not None:
        raise ValueError(f"--address {options.address} goes with --executor dask")
    from eegvit.execute import local

    return local.local(options.jobs)


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the reports."""
    parser.add_argument(
        "--out", type=Path, default=Path("reports"), help="where reports go (default: reports/)"
    )


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add that a report of another study may be replaced."""
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace the report of another study that has the same name",
    )


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Add the folder of the cache."""
    parser.add_argument(
        "--cache",
        type=Path,
        default=None,
        help="where views and fits are kept (default: $EEGVIT_CACHE or ~/.cache/eegvit)",
    )


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return value
