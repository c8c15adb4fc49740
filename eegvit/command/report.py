"""Write a study's page again from what is stored; no fit is run."""

from __future__ import annotations

import argparse
from pathlib import Path

from eegvit.command.options import add_cache, add_out, add_study, study_of
from eegvit.command.run import typed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add_study(parser)
    add_out(parser)
    add_cache(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Write the report; 1 if fits are missing."""
    from eegvit.data.cache import Cache
    from eegvit.execute.store import Store
    from eegvit.report import terminal, write
    from eegvit.results.stored import score
    from eegvit.study import plan_study

    study, cache = study_of(options), Cache(options.cache)
    plan = plan_study(study, cache)
    results = score(study, plan, Store(cache.fits))
    page = write(results, Path(options.out) / study.name, command=typed(options))
    print(terminal(results))
    print(f"\n{page}")
    return 0 if all(row.status == "ok" for row in results.board) else 1
