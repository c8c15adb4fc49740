"""Ensembles in a study file: which models, which rule, and every mistake with its line."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from pydantic import Field, ValidationError

from eegvit.config.document import Document, KeyPath
from eegvit.config.names import name_mistake
from eegvit.config.signature import Strict, complaints
from eegvit.registry import suggest

LEARNERS: dict[str, tuple[str, ...]] = {
    "vote": (),
    "average": (),
    "weighted": ("accuracy", "log_loss"),
    "max": (),
    "meta": ("logistic", "xgboost"),
}


class Ensemble(Strict):
    """Models whose probabilities a rule combines; what it learns, it learns out-of-fold.

    Parameters
    ----------
    of : tuple of str
        Names of models of the study, two or more.
    rule : str
        How to combine.
    learner : str or None
        What learns the weights or the meta-learner; None is the rule's first.
    calibrate : "temperature" or None
        Scale each member's temperature before combining.
    select : "greedy" or None
        Keep the members that forward selection chooses.

    Examples
    --------
    >>> Ensemble(of=("fbcsp", "eegnet"), rule="meta", learner="xgboost").said
    'meta (xgboost)'
    """

    of: tuple[str, ...] = Field(json_schema_extra={"minItems": 2})
    rule: Literal["vote", "average", "weighted", "max", "meta"] = "average"
    learner: Literal["accuracy", "log_loss", "logistic", "xgboost"] | None = None
    calibrate: Literal["temperature"] | None = None
    select: Literal["greedy"] | None = None

    @property
    def learns(self) -> bool:
        """Whether it needs out-of-fold probabilities of training trials."""
        return bool(LEARNERS[self.rule] or self.calibrate or self.select)

    @property
    def settings(self) -> dict[str, Any]:
        """How it combines and learns, as `chosen_and_learned` takes it."""
        chooses = {"calibrate": self.calibrate is not None, "select": self.select is not None}
        return {"rule": self.rule, "learner": self.learner, **chooses}

    @property
    def said(self) -> str:
        """The rule and all that is learned, in a few words."""
        learner: str | None = self.learner or next(iter(LEARNERS[self.rule]), None)
        parts = [self.rule + (f" ({learner.replace('_', ' ')})" if learner else "")]
        parts += [str(part) for part in (self.calibrate, self.select) if part]
        return ", ".join(parts)


def read_ensembles(
    document: Document, given: Any, models: Collection[str], errors: list[str]
) -> dict[str, Ensemble]:
    """Return the ensembles of a study file; what is wrong with them joins the errors.

    Parameters
    ----------
    document : Document
        The study file.
    given : mapping or None
        What it says under `ensembles`.
    models : collection of str
        The names of its models.
    errors : list of str
        Where mistakes are noted.
    """
    if given is None:
        return {}
    if not isinstance(given, dict):
        errors.append(document.error(("ensembles",), "expected a mapping from names to ensembles"))
        return {}
    found = {}
    for name, item in given.items():
        path: KeyPath = ("ensembles", str(name))
        if wrong := name_mistake(str(name)):
            errors.append(document.error(path, wrong))
        if not isinstance(item, dict):
            errors.append(document.error(path, "expected a mapping with 'of', a list of models"))
            continue
        if str(name) in models:
            errors.append(document.error(path, f"a model is called '{name}' too"))
        try:
            ensemble = Ensemble.model_validate({str(key): value for key, value in item.items()})
        except ValidationError as error:
            errors += [
                document.error((*path, *at), text) for at, text in complaints(error, Ensemble)
            ]
            continue
        errors += [
            document.error((*path, *at), text) for at, text in _mistakes(ensemble, models, given)
        ]
        found[str(name)] = ensemble
    return found


def _mistakes(
    ensemble: Ensemble, models: Collection[str], given: dict[Any, Any]
) -> list[tuple[KeyPath, str]]:
    """Return (path, sentence) for what is wrong with its members and its learner."""
    wrong: list[tuple[KeyPath, str]] = []
    if len(ensemble.of) < 2:
        wrong.append((("of",), f"an ensemble needs two members or more, got {len(ensemble.of)}"))
    for place, member in enumerate(ensemble.of):
        if member in ensemble.of[:place]:
            wrong.append((("of", place), f"member '{member}' is given twice"))
        elif member not in models:
            hint = suggest(member, models)
            if member in map(str, given):
                hint = ": that is an ensemble, members are models"
            wrong.append((("of", place), f"no model is called '{member}'{hint}"))
    if ensemble.learner is not None and ensemble.learner not in LEARNERS[ensemble.rule]:
        taker = next(rule for rule, known in LEARNERS.items() if ensemble.learner in known)
        known = ", ".join(LEARNERS[ensemble.rule])
        has = f"'{ensemble.rule}' has {known}" if known else f"'{ensemble.rule}' learns nothing"
        text = f"'{ensemble.learner}' is a learner of rule '{taker}'; {has}"
        wrong.append((("learner",), text))
    return wrong
