"""Two reports compared: the same, changed by noise, changed for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eegvit.command import start
from eegvit.config import Study
from eegvit.report import write
from eegvit.report.written.compare import SAME, compare, compared
from eegvit.report.written.folder import read
from eegvit.results.outcomes import Outcome
from eegvit.results.results import tabulate

CLASSES = ("left_hand", "right_hand", "feet", "tongue")


def flattened(outcome: Outcome, share: float) -> Outcome:
    """Return an outcome with some of its predictions turned into mistakes."""
    assert outcome.probabilities is not None
    turned = outcome.probabilities.copy()
    n = int(share * len(turned))
    turned[:n] = np.eye(4)[(outcome.y[:n] + 1) % 4]
    return replace(outcome, probabilities=turned)


def test_models_are_the_same_noise_or_worse(
    tmp_path: Path,
    make_study: Callable[..., Study],
    make_outcomes: Callable[..., list[Outcome]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    study = make_study(["csp+lda", "fbcsp", "eegnet"])
    made = make_outcomes(study)
    write(tabulate(study, CLASSES, made), tmp_path / "before")
    rng = np.random.default_rng(0)
    after = []
    for one in made:
        if one.model == "fbcsp":
            one = flattened(one, 0.4)
        elif one.model == "eegnet":
            one = flattened(one, 0.02) if rng.random() < 0.2 else one
        after.append(one)
    write(tabulate(study, CLASSES, after), tmp_path / "after")
    folders = [str(tmp_path / name) for name in ("before", "after")]
    found = {one.model: one for one in compare(*map(read, folders))}
    assert found["csp+lda"].verdict == SAME and np.isnan(found["csp+lda"].pair.p_holm)
    assert found["csp+lda"].pair.ties == 9
    assert found["fbcsp"].verdict == "worse" and found["fbcsp"].pair.difference < -0.1
    assert found["fbcsp"].pair.p_holm == 2 * found["fbcsp"].pair.p == 4 / 2**9
    assert found["eegnet"].verdict == "may be noise"
    assert start("report", ["compare", *folders]) == 0
    said = capsys.readouterr().out
    assert "Study: the same is asked for" in said and "Versions: the same" in said
    backward = {one.model: one.verdict for one in compare(*map(read, folders[::-1]))}
    assert backward["fbcsp"] == "better"


def test_what_else_differs_is_said(tmp_path: Path, make_study, make_outcomes) -> None:
    study = make_study(["csp+lda", "fbcsp"])
    write(tabulate(study, CLASSES, make_outcomes(study)), tmp_path / "before")
    other = make_study(["csp+lda", "eegnet"])
    evaluate = other.evaluate.model_copy(update={"seeds": (0, 1)})
    other = other.model_copy(update={"evaluate": evaluate})
    fewer = [o for o in make_outcomes(other, n_subjects=6) if o.seed < 2]
    write(tabulate(other, CLASSES, fewer), tmp_path / "after")
    said = compared(read(tmp_path / "before"), read(tmp_path / "after"))
    for part in (
        "mean over 6 people",
        "Study: evaluate.seeds differ",
        "Only before: fbcsp",
        "Only after: eegnet",
        "People: 6 in both, 3 only before,",
    ):
        assert part in said, part
    kappa = make_study(["csp+lda"], metric="kappa")
    write(tabulate(kappa, CLASSES, make_outcomes(kappa)), tmp_path / "kappa")
    with pytest.raises(ValueError, match="ranks by accuracy, .* by kappa"):
        compare(read(tmp_path / "before"), read(tmp_path / "kappa"))
