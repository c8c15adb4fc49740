"""MOABB's names for what may be used of the people tested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eegvit.config import Align, load_study
from eegvit.study import run_study
from eegvit.trials import Trials

moabb = pytest.importorskip("moabb")


@pytest.mark.parametrize(
    ("mode", "align", "stops"),
    [
        ("train", Align(method="none"), False),
        ("train", Align(method="euclidean", mode="causal"), True),
        ("train_trialwise", Align(method="euclidean"), True),
        ("train_and_target_unlabeled_full", Align(method="euclidean"), False),
        (None, Align(method="euclidean"), False),
    ],
)
def test_a_model_that_uses_more_stops_the_study(
    mode: str | None,
    align: Align,
    stops: bool,
    make_study: Callable[..., Any],
    people: Trials,
    tmp_path: Path,
) -> None:
    study = make_study({"csp": ("csp_lda", {})}, align, cs_mode=mode)
    if stops:
        with pytest.raises(ValueError, match=rf"model 'csp' uses .*cs_mode '{mode}' allows none"):
            run_study(study, people, jobs=0, cache=tmp_path)
    else:
        assert run_study(study, people, jobs=0, cache=tmp_path).leaderboard["status"].eq("ok").all()


def test_names_are_moabbs(tmp_path: Path) -> None:
    from moabb.evaluations.protocols import CrossSubjectMode

    from eegvit.plan.target import MODES

    assert set(MODES) < {mode.value for mode in CrossSubjectMode}
    study = {"name": "s", "data": "eegmat", "models": {"csp": {"branch": "csp_lda"}}}
    with pytest.raises(ValueError, match="cs_mode"):
        load_study({**study, "evaluate": {"cs_mode": "train_and_target_labeled_20p"}})
