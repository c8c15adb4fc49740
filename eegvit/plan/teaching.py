"""Whom a distilled model learns from in a split: inner fits, the same that ensembles learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eegvit.config import Model, Study
from eegvit.plan.fit import Request, Teaching
from eegvit.plan.versions import version
from eegvit.source_code import hash_of_code

TELLS = "eegvit.ensemble.teaching"  # the module that makes of predictions what a teacher says

Inner = Mapping[tuple[str, int, str], Sequence[Request]]  # by model, seed and outer split


def identity_of(teaching: Teaching) -> dict[str, Any]:
    """Return what decides what a teacher says, as plain values."""
    rule = teaching.ensemble
    packages = ["scikit-learn", "scipy"] if rule else []
    packages += ["xgboost"] if rule and rule.learner == "xgboost" else []
    return {
        "rule": rule and rule.settings,
        "members": [[_identity(request) for request in member] for member in teaching.members],
        "versions": {name: version(name) for name in packages},
        "source code": hash_of_code([TELLS]),
    }


def _identity(request: Request) -> list[Any]:
    shares = None if request.shares is None else request.shares.tolist()
    return [request.key, request.view.places(request.test), shares, request.causal]


def teachers(study: Study) -> dict[str, tuple[str, ...]]:
    """Return, for each distilled model, the models that teach it.

    Examples
    --------
    >>> from eegvit.config import load_study
    >>> models = {"csp": {"branch": "csp_lda"}, "mdm": {"branch": "mdm"}}
    >>> models["small"] = {"branch": "eegnet", "distill": {"from": "both"}}
    >>> ensembles = {"both": {"of": ["mdm", "csp"]}}
    >>> study = {"name": "a", "data": "bci_iv_2a", "models": models, "ensembles": ensembles}
    >>> teachers(load_study(study))
    {'small': ('csp', 'mdm')}
    """
    return {
        name: members_of(study, model.distill["from"])
        for name, model in study.models.items()
        if model.distill is not None
    }


def members_of(study: Study, teacher: str) -> tuple[str, ...]:
    """Return the models that a teacher consists of."""
    return tuple(sorted(study.ensembles[teacher].of)) if teacher in study.ensembles else (teacher,)


def teaching_of(study: Study, model: Model, seed: int, split: str, inner: Inner) -> Teaching | None:
    """Return whom a model learns from in a split, if it is distilled.

    Parameters
    ----------
    study : Study
    model : Model
        One of its models.
    seed : int
    split : str
        The name of a split of the protocol.
    inner : mapping
        The requests within the training trials of the splits.
    """
    if model.distill is None:
        return None
    teacher = model.distill["from"]
    members = []
    for name in members_of(study, teacher):
        seeds = study.evaluate.seeds if study.models[name].seeds == "mean" else (seed,)
        found = [request for own in seeds for request in inner[name, own, split]]
        members.append(tuple({(r.split, r.key): r for r in found}.values()))
    return Teaching(teacher, tuple(members), study.ensembles.get(teacher))
