"""What a study file and a card may say, as frozen models."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from eegvit.config.ensembles import Ensemble
from eegvit.config.names import LONGEST_NAME, name_mistake
from eegvit.config.signature import Strict

Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Recentre = Literal["none", "session"]  # what the predictions are recentred over
NAME = r"^[\w+-][\w.+-]*$"  # of a study: its folder


def _file_name(name: str) -> str:
    wrong = name_mistake(name)
    if wrong is None and not re.fullmatch(NAME, name):
        wrong = f"'{name}' is no name: a study's has letters, digits and . + - _ only"
    if wrong:
        raise ValueError(wrong)
    return name


class View(Strict):
    """Changes to how a card's recordings become trials."""

    band: tuple[float | None, float | None] | None = None
    window: tuple[float, float] | None = None
    baseline: tuple[float | None, float | None] | None = None
    resample: float | None = Field(default=None, gt=0)
    channels: tuple[str, ...] | None = None
    artifacts: Literal["keep", "drop"] | None = None


_DEPENDS = {  # what is expected -> keys of a card that change it
    "subjects": {"subjects", "options"},
    "sessions": {"options"},
    "trials": {"artifacts", "classes", "options", "windows"},
    "channels": {"channels"},
    "times": {"window", "windows", "resample"},
    "sfreq": {"resample"},
}


class Expected(Strict):
    """What a data set should contain, so that a damaged copy is noticed."""

    subjects: int | None = None
    sessions: int | None = None
    trials: int | None = None
    channels: int | None = None
    times: int | None = None
    sfreq: float | None = None


def outdated(changes: Iterable[str]) -> set[str]:
    """Return the parts of `expected` that no longer hold where some keys of a card change.

    Examples
    --------
    >>> sorted(outdated({"resample"}))
    ['sfreq', 'times']
    """
    return {name for name, causes in _DEPENDS.items() if causes & set(changes)}


class Windows(Strict):
    """Windows of one length over whole recordings, a step (by default the length) apart."""

    length: float = Field(gt=0)
    step: float | None = Field(default=None, gt=0)


class Judged(Strict):
    """Where a trial is looked at to say whether it is spoilt."""

    window: tuple[float, float]
    channels: tuple[str, ...] | None = None


class Card(Strict):
    """A data set: where it is, what it contains, how it is cut into trials."""

    name: str
    title: str = ""
    source: str
    options: dict[str, Any] = {}
    paradigm: Literal["imagery", "p300", "ssvep"] = "imagery"
    simulated: bool = False
    classes: tuple[str, ...] = Field(min_length=2)
    channels: tuple[str, ...] | None = None
    band: tuple[float | None, float | None] | None = None
    window: tuple[float, float]
    baseline: tuple[float | None, float | None] | None = None
    resample: float | None = Field(default=None, gt=0)
    windows: Windows | None = None
    artifacts: Literal["keep", "drop"] = "keep"
    bad_trials: Literal["refuse", "drop"] = "refuse"
    truncated: Literal["refuse", "accept"] = "refuse"
    scales: Literal["refuse", "accept"] = "refuse"
    subjects: tuple[str, ...] | None = None
    licence: str = ""
    citation: str = ""
    url: str = ""
    notes: str = ""
    expected: Expected | None = None
    origin: str = ""
    judged: Judged | None = None

    @model_validator(mode="before")
    @classmethod
    def _whole_windows(cls, value: Any) -> Any:
        """Fixed windows are whole trials unless `window` says which part of them."""
        if isinstance(value, dict) and isinstance(value.get("windows"), dict):
            return {"window": (0, value["windows"].get("length")), **value}
        return value

    @model_validator(mode="after")
    def _window_is_within(self) -> Card:
        if self.windows and self.window[1] - self.window[0] > self.windows.length:
            raise ValueError("`window` is longer than the `length` of `windows`; leave it out")
        return self

    @property
    def judgement(self) -> Judged:
        """Window and channels by which trials are spoilt: the same for every view of the card."""
        return self.judged or Judged(window=self.window, channels=self.channels)

    def override(self, view: View) -> Card:
        """Return the card with a view's changes."""
        changes = view.model_dump(exclude_none=True)
        if self.expected is not None:
            changes["expected"] = self.expected.model_copy(update=dict.fromkeys(outdated(changes)))
        return self.model_copy(update=changes | {"judged": self.judgement})


class Align(Strict):
    """Alignment of recordings before anything is learned."""

    method: Literal["none", "euclidean", "riemannian"] = "euclidean"
    domain: Literal["session", "subject"] = "session"
    mode: Literal["offline", "causal"] = "offline"

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"method": value} if isinstance(value, str) else value


class Evaluate(Strict):
    """The protocol: who trains, who is tested, how often."""

    protocol: Literal["within_session", "cross_session", "cross_subject", "cross_dataset"] = (
        "cross_subject"
    )
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1)
    n_folds: int | None = Field(default=None, ge=2)
    train_subjects: tuple[str, ...] | None = None
    test_subjects: tuple[str, ...] | None = None
    train_sessions: tuple[str, ...] | None = None
    test_sessions: tuple[str, ...] | None = None
    train_data: tuple[str, ...] | None = None
    test_data: tuple[str, ...] | None = None
    calibrate: int | None = Field(default=None, ge=1)
    label_fraction: tuple[Share, ...] | None = None
    labels_per_class: tuple[Count, ...] | None = None
    labels_from: Literal["training", "target"] = "training"
    draws: int = Field(default=5, ge=1)
    duplicates: Literal["stop", "warn", "drop"] = "stop"  # where test trials are trained on
    metric: Literal[
        "accuracy", "balanced_accuracy", "kappa", "macro_f1", "roc_auc", "log_loss", "brier"
    ] = "accuracy"

    @property
    def amounts(self) -> tuple[float, ...] | None:
        """Shares of the labels, or labels a class, that a study of few labels gives."""
        return self.label_fraction or self.labels_per_class


class Model(Strict):
    """A branch with its parameters, and the view it wants if not the study's."""

    branch: str
    parameters: dict[str, Any] = {}
    align: Align | None = None
    view: View | None = None
    recentre: Recentre | None = None
    pretrain: dict[str, Any] | None = None

    @property
    def said(self) -> str:
        """The branch, or those that are fused and how; and what it was pretrained by.

        Examples
        --------
        >>> Model(branch="eegnet").said
        'eegnet'
        >>> fused = {"branches": [{"branch": "fbcsp"}, {"branch": "eegnet"}], "fuse": "gated"}
        >>> Model(branch="fusion", parameters=fused).said
        'fbcsp + eegnet (gated)'
        >>> Model(branch="fusion", parameters={**fused, "classical": "cnn", "auxiliary": 0.5}).said
        'fbcsp + eegnet (gated, cnn, auxiliary 0.5)'
        >>> Model(branch="eegnet", pretrain={"objective": "masked"}).said
        'eegnet, pretrained (masked)'
        """
        said = _said({"branch": self.branch, **self.parameters})
        if self.pretrain is None:
            return said
        if self.pretrain.get("weights"):
            return f"{said}, pretrained ({PurePath(self.pretrain['weights']).name})"
        objective = self.pretrain.get("objective", "contrastive")
        name = objective if isinstance(objective, str) else objective.get("name", "contrastive")
        if name == "none":
            return f"{said}, from scratch"
        data = self.pretrain.get("data")
        return f"{said}, pretrained ({name}{f' on {data.name}' if data else ''})"


class Study(Strict):
    """Which data, which models and ensembles of them, which protocol."""

    name: Annotated[str, AfterValidator(_file_name)] = Field(
        json_schema_extra={"pattern": NAME, "maxLength": LONGEST_NAME}
    )
    description: str = ""
    data: tuple[Card, ...] = Field(min_length=1)
    align: Align = Align(method="none")
    view: View = View()
    recentre: Recentre = "none"
    evaluate: Evaluate = Evaluate()
    models: dict[str, Model] = Field(min_length=1)
    ensembles: dict[str, Ensemble] = {}
    reference: str | None = None  # the row that others are compared with
    path: str = ""
    source_text: str = ""


def _said(branch: str | dict[str, Any]) -> str:
    if isinstance(branch, str):
        return branch
    if "branches" not in branch:
        return str(branch["branch"])
    parts = [_said(part) for part in branch["branches"]]
    if branch.get("wiring") == "series":
        return " → ".join(parts)
    how = [branch.get("fuse", "concat")]
    if branch.get("classical", "mlp") != "mlp":
        how.append(branch["classical"])
    if branch.get("auxiliary"):
        how.append(f"auxiliary {branch['auxiliary']:g}")
    return f"{' + '.join(parts)} ({', '.join(how)})"


def sha256(value: Any) -> str:
    """Return the hash of anything that JSON can say, whatever the order of its keys.

    Examples
    --------
    >>> sha256({"a": 1, "b": [2.5]}) == sha256({"b": [2.5], "a": 1})
    True
    """
    return hashlib.sha256(_canonical(value).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "get_params"):
        return {
            "class": f"{type(value).__module__}.{type(value).__qualname__}"
        } | value.get_params()
    if isinstance(value, type) or callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"{type(value).__name__} has no canonical JSON form: {value!r}")
