"""From a study to its results, and what one does with them in Python."""

from eegvit.study.found import StudyResults
from eegvit.study.running import (
    carry_out_shard,
    check_writable,
    plan_and_carry_out,
    plan_study,
    run_study,
    stored_results,
)

__all__ = [
    "StudyResults",
    "carry_out_shard",
    "check_writable",
    "plan_and_carry_out",
    "plan_study",
    "run_study",
    "stored_results",
]
