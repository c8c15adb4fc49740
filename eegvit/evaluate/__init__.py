"""Evaluation: a study becomes views, a plan, fits in a store, and scores."""

from eegvit.evaluate.blocks import make_views, view_of
from eegvit.evaluate.dry_run import describe
from eegvit.evaluate.execute import execute
from eegvit.evaluate.plan import make_plan, outcomes, score
from eegvit.evaluate.representation import represent
from eegvit.evaluate.sources import source_views

__all__ = [
    "describe",
    "execute",
    "make_plan",
    "make_views",
    "outcomes",
    "represent",
    "score",
    "source_views",
    "view_of",
]
