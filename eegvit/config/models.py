"""What a study file and a card may say, as frozen models."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from eegvit.config.around import adapt_model, distill_model, prune_model
from eegvit.config.cards.card import Card, View
from eegvit.config.ensembles import Ensemble
from eegvit.config.names import LONGEST_NAME, name_mistake
from eegvit.config.signature import Strict

Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Recentre = Literal["none", "session", "causal"]  # what the predictions are recentred over
NAME = r"^[\w+-][\w.+-]*$"  # of a study: its folder


def _file_name(name: str) -> str:
    wrong = name_mistake(name)
    if wrong is None and not re.fullmatch(NAME, name):
        wrong = f"'{name}' is no name: a study's has letters, digits and . + - _ only"
    if wrong:
        raise ValueError(wrong)
    return name


class Align(Strict):
    """Alignment of recordings before anything is learned.

    Parameters
    ----------
    method : {"none", "euclidean", "riemannian"}
        Whiten by the arithmetic or by the geometric mean of the trials' covariances. `align:
        euclidean` is short for this key alone.
    domain : {"session", "subject"}
        Whether each session is aligned by its own mean, or all of a person's by one.
    mode : {"offline", "causal"}
        Over all trials of the domain, which uses the whole recording under test, or each trial by
        itself and those before it, as an online decoder can.
    """

    method: Literal["none", "euclidean", "riemannian"] = "euclidean"
    domain: Literal["session", "subject"] = "session"
    mode: Literal["offline", "causal"] = "offline"

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"method": value} if isinstance(value, str) else value


class Evaluate(Strict):
    """The protocol: who trains, who is tested, how often.

    Parameters
    ----------
    protocol : {"within_session", "cross_session", "cross_subject", "cross_dataset"}
        What stands on the two sides of each split: stretches of a session, sessions of a person,
        people, data sets.
    seeds : tuple of int
        Seeds of the models that draw random numbers; each is a fit of its own. Others are fitted
        once.
    n_folds : int or None
        Folds: of each session within it (None: 5), or groups of people that are left out together
        (None: one person at a time).
    train_subjects, test_subjects : tuple of str or None
        People who train and people who are tested, instead of leaving each out in turn.
    train_sessions, test_sessions : tuple of str or None
        Sessions that train and sessions that are tested, instead of each after all earlier ones.
    train_data, test_data : tuple of str or None
        Names of the data sets that train and that are tested, instead of leaving each out in turn.
    calibrate : int or None
        Labelled trials a class of each person tested that training is given: the earliest, which
        are then not tested.
    label_fraction : tuple of float or None
        Shares of the training labels that models are given, class by class: a study of few labels.
    labels_per_class : tuple of int or None
        The same as numbers of labels a class.
    labels_from : {"training", "target"}
        Whether few labels are drawn from the training trials, or from the person tested alone.
    draws : int
        How often few labels are drawn, of each amount.
    duplicates : {"stop", "warn", "drop"}
        What to do where near copies of tested trials are trained on: stop, say so and go on, or
        leave them out of training.
    cs_mode : str or None
        The most that any model may use of the people tested, by MOABB's names: "train" and
        "train_trialwise", nothing; "train_and_target_unlabeled_full", their trials without labels.
        A model that uses more stops the study. MOABB's modes of a fifth or a half of the trials
        have no counterpart: `calibrate` gives labels by number, causal alignment what came before.
    metric : {"accuracy", "balanced_accuracy", "kappa", "macro_f1", "roc_auc", "log_loss", "brier"}
        What the leaderboard is ordered by and statistics are about. All metrics are computed.
    """

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
    duplicates: Literal["stop", "warn", "drop"] = "stop"
    cs_mode: Literal["train", "train_trialwise", "train_and_target_unlabeled_full"] | None = None
    metric: Literal[
        "accuracy", "balanced_accuracy", "kappa", "macro_f1", "roc_auc", "log_loss", "brier"
    ] = "accuracy"

    @property
    def amounts(self) -> tuple[float, ...] | None:
        """Shares of the labels, or labels a class, that a study of few labels gives."""
        return self.label_fraction or self.labels_per_class


class Model(Strict):
    """A branch with its parameters, and the view it wants if not the study's.

    Parameters
    ----------
    branch : str or list
        A branch's name, or "package.module:Class"; a list is a fused model of several.
    parameters : dict
        Parameters of the branch. In a study file they stand beside `branch`.
    align : dict or None
        Alignment of this model instead of the study's.
    view : dict or None
        View of this model instead of the study's.
    recentre : {"none", "session", "causal"} or None
        Recentring of this model instead of the study's.
    seeds : {"mean"} or None
        "mean" makes one row of all seeds: the mean of what its networks predict. By default each
        seed is judged by itself.
    trained_on : {"own_sessions"} or None
        "own_sessions" trains, with labels, on all other sessions of the person tested and on nobody
        else: a bound on what these trials hold, ranked apart.
    pretrain : dict or None
        What the model learns before it sees labels, where signals are all that its network sees.
    control : {"shuffled"} or None
        What makes it a control; filled in from the study's `controls`.
    prune : dict or None
        How the model is made smaller after it was trained, where it is a single network.
    distill : dict or None
        From whom the model learns beside the labels, where it is a network.
    adapt : dict or None
        How the model is updated while it is tested, trial by trial and without labels, where it is
        a network; `true` for the usual way. A model without updates must stand beside it.
    """

    branch: str
    parameters: dict[str, Any] = {}
    align: Align | None = None
    view: View | None = None
    recentre: Recentre | None = None
    seeds: Literal["mean"] | None = None
    trained_on: Literal["own_sessions"] | None = None
    pretrain: dict[str, Any] | None = None
    control: Literal["shuffled"] | None = None
    prune: dict[str, Any] | None = None
    distill: dict[str, Any] | None = None
    adapt: dict[str, Any] | None = None

    @property
    def said(self) -> str:
        """The branch, or those that are fused and how; how it was pretrained, pruned or taught.

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
        >>> Model(branch="eegnet", prune={"to": 0.25, "by": "random"}).said
        'eegnet, pruned (to 25% of its macs, random)'
        >>> Model(branch="eegnet", distill={"from": "stacked"}).said
        'eegnet, distilled (from stacked, weight 0.5, temperature 2)'
        >>> Model(branch="eegnet", adapt={"window": 4}).said
        'eegnet, updated trial by trial (by the last 4, rate 0.001, balanced)'
        """
        said = _said({"branch": self.branch, **self.parameters})
        if self.prune is not None:
            how: Any = prune_model()(**self.prune)
            moved = ", moved" if how.move else ""
            said = f"{said}, pruned (to {how.to:.0%} of its {how.of}, {how.by}{moved})"
        if self.distill is not None:
            how = distill_model()(**self.distill)
            about = f"weight {how.weight:g}, temperature {how.temperature:g}"
            said = f"{said}, distilled (from {self.distill['from']}, {about})"
        if self.adapt is not None:
            how = adapt_model()(**self.adapt)
            about = f"by the last {how.window}, rate {how.learning_rate:g}"
            said = f"{said}, updated trial by trial ({about}{', balanced' * how.balanced})"
        said += ", mean over seeds" if self.seeds == "mean" else ""
        said += ", trained on own sessions" if self.trained_on else ""
        if self.control is not None:
            return f"{said}, labels {self.control}"
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
    """Which data, which models and ensembles of them, which protocol.

    Parameters
    ----------
    name : str
        Name of the study, and of the folder that its report is written into.
    description : str
        A sentence for the page.
    data : str, dict or list
        A card's name, a mapping that describes a data set in place (with `card`, a card and changes
        to it), or a list of them for protocol cross_dataset.
    align : dict
        Alignment of each recording, before anything is learned. None by default.
    view : dict
        Changes to how the card's recordings become trials.
    recentre : {"none", "session", "causal"}
        Shift the predictions of each tested session until each class is predicted as often as it
        occurs in training; "causal" goes by the trials so far, as an online decoder can. It
        presumes that classes are shared out alike; such rows are ranked apart.
    evaluate : dict
        The protocol.
    models : dict
        Models by name: the rows of the leaderboard.
    ensembles : dict
        Ensembles of these models by name: rows too.
    reference : str
        The model or ensemble that every row is compared with; by default the best of each target
        use.
    controls : tuple of {"shuffled"}
        Rows that must be at chance, shown and never ranked. `shuffled`: the first model that
        learns, its training labels shuffled within each recording, anew for each split and seed.
    path : str
        The study's file; filled in when it is read.
    source_text : str
        What the file says; filled in when it is read.
    """

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
    reference: str | None = None
    controls: tuple[Literal["shuffled"], ...] = ()
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
    how = [branch.get("fuse", "concat")] if len(parts) > 1 else []
    if branch.get("classical", "mlp") != "mlp":
        how.append(branch["classical"])
    if branch.get("auxiliary"):
        how.append(f"auxiliary {branch['auxiliary']:g}")
    return f"{' + '.join(parts)} ({', '.join(how or ['mlp'])})"


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
