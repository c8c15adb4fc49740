"""Say what is wrong with a study file, or what it asks for; nothing is read or run."""

from __future__ import annotations

import argparse

from eegvit.command.options import add_cache, add_jobs, add_study, study_of
from eegvit.config import Study
from eegvit.data.cache import Cache


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add_study(parser)
    add_jobs(parser)
    add_cache(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Check the study and print its plan."""
    study = study_of(options)
    print(f"{options.study}: no mistake found")
    return say_plan(study, Cache(options.cache), options.jobs)


def say_plan(study: Study, cache: Cache, jobs: int) -> int:
    """Print the plan if the recordings are known already, else what would be read first."""
    from eegvit.execute.store import Store
    from eegvit.plan.dry_run import describe
    from eegvit.plan.plan import make_plan
    from eegvit.views.known import unread
    from eegvit.views.other_data import cards_beside, source_views
    from eegvit.views.reading import cards_of, make_views

    missing = unread(cards_of(study), cache)
    if not missing:
        views = make_views(study, cache.unchecked())
        missing = unread(cards_beside(study, views).values(), cache)
    if missing:
        print(f"study {study.name}: {study.evaluate.protocol}, models {', '.join(study.models)}")
        for name, people in missing.items():
            print(f"  to be read first: {name}, {', '.join(people) or 'everyone'}")
        print("how many fits that makes is known when it has been read")
        return 0
    plan = make_plan(study, views, source_views(study, views, cache.unchecked()))
    print(describe(plan, Store(cache.fits), jobs=jobs))
    return 0
