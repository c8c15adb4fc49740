"""Made-up results: several kinds of target use, seeds, sessions, a failed model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report.browser import Browser, started

from eegvit.config import Align, Card, Evaluate, Model, Study
from eegvit.report import write
from eegvit.results.audit import Audit, Check, Saw
from eegvit.results.outcomes import Outcome
from eegvit.results.results import Reading, Results, tabulate

CLASSES = ("left_hand", "right_hand", "feet", "tongue")
NAMED = {
    "chance": ("chance", 0.0, "none", 0.001),
    "csp+lda": ("csp_lda", 0.8, "none", 0.05),
    "fbcsp": ("fbcsp", 1.2, "unlabelled", 0.6),
    "tangent-space": ("tangent_space", 1.5, "unlabelled", 0.3),
    "eegnet": ("eegnet", 1.45, "unlabelled", 44.0),
    "tangent-causal": ("tangent_space", 1.35, "causal", 0.3),
    "mdm": ("mdm", 0.9, "none", 0.1),
}
NO_SEED = {"csp+lda", "chance", "fbcsp", "tangent-space", "tangent-causal", "mdm"}


def _study(
    names: Sequence[str] = tuple(NAMED), metric: str = "accuracy", simulated: bool = True
) -> Study:
    card = Card(
        name="bci_iv_2a",
        title="BCI Competition IV 2a",
        source="moabb",
        classes=CLASSES,
        window=(0, 4),
        band=(4, 40),
        licence="Free for research with citation",
        citation="Tangermann et al. 2012, Review of the BCI Competition IV",
        url="https://www.bbci.de/competition/iv/",
        simulated=simulated,
    )
    models = {}
    for name in names:
        branch, _, target, _ = NAMED[name]
        align = {
            "none": Align(method="none"),
            "causal": Align(mode="causal"),
            "unlabelled": None,
        }[target]
        models[name] = Model(branch=branch, align=align)
    return Study(
        name="made_up",
        description="People imagine movements; each is tested by models that never saw them.",
        data=(card,),
        align=Align(method="euclidean"),
        evaluate=Evaluate(protocol="cross_subject", seeds=(0, 1, 2), metric=metric),
        models=models,
        source_text="name: made_up\ndata: bci_iv_2a  # <b>bold</b>\n",
        path="pipelines/made_up.yaml",
    )


def _outcomes(study: Study, n_subjects: int = 9, n_trials: int = 80) -> list[Outcome]:
    made = []
    for name in study.models:
        _, skill, target, cost = NAMED[name]
        for seed in study.evaluate.seeds:
            for person in range(1, n_subjects + 1):
                noise = 0 if name in NO_SEED else seed
                rng = np.random.default_rng([person, len(name), noise])
                y = np.tile(np.arange(len(CLASSES)), n_trials // len(CLASSES))
                strength = skill * (0.4 + 1.2 * ((person * 7) % 10) / 10)
                logits = rng.normal(size=(n_trials, 4)) + strength * np.eye(4)[y]
                probabilities = np.exp(logits)
                probabilities /= probabilities.sum(1, keepdims=True)
                failed = name == "mdm" and person in (3, 5)
                session = np.where(np.arange(n_trials) < n_trials // 2, "0train", "1test")
                made.append(
                    Outcome(
                        model=name,
                        split=f"{person} left out",
                        seed=seed,
                        key=f"{name}/{person}/{noise}",
                        target=target,
                        ids=np.array([f"{person}/{s}/0/{i}" for i, s in enumerate(session)]),
                        data=np.full(n_trials, "bci_iv_2a"),
                        subject=np.full(n_trials, str(person)),
                        session=session,
                        y=y,
                        probabilities=None if failed else probabilities,
                        failed=failed,
                        reason="LinAlgError: matrix is not positive definite" if failed else "",
                        seconds={"features": cost / 3, "fit": cost, "predict": cost / 10},
                        features={str(i): cost / 3 / n_subjects for i in range(n_subjects)},
                        n_parameters=1634 if name == "eegnet" else None,
                    )
                )
    return made


@pytest.fixture
def make_study() -> Callable[..., Study]:
    """Return a function that makes up a study."""
    return _study


@pytest.fixture
def make_outcomes() -> Callable[..., list[Outcome]]:
    """Return a function that makes up what the store would say."""
    return _outcomes


@pytest.fixture(scope="session")
def results() -> Results:
    """Return made-up results of all models."""
    study = _study()
    return tabulate(study, CLASSES, _outcomes(study))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as one:
        yield one


@pytest.fixture(scope="module")
def made_up(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of made-up results with every section that a study without more has."""
    checks = (Check("nobody is trained on and tested", True, "9 people"),)
    audit = Audit((*checks, Check("each trial is tested once", False, "720 trials")),
                  (Saw("eegnet", "none", (8, 8), (640, 640), (640, 640)),))  # fmt: skip
    reading = (Reading("bci_iv_2a", "1", "0train", 40, 8, "8 marked as artifacts"),)
    warned = ("ann: one channel is flat", f"eegnet (1 fit): see https://a.site/{'page_' * 20}")
    told = replace(results, audit=audit, reading=reading, warnings=warned)
    return write(told, tmp_path_factory.mktemp("page") / "made_up", command="eegvit made_up")
