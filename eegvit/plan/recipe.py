"""How to build the model of a fit."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eegvit.adapt import AdaptingClassifier
from eegvit.compress import DistilledClassifier, PrunedClassifier
from eegvit.config.pretraining import parameters_of
from eegvit.preprocess.augment import REFLECT
from eegvit.preprocess.reflection import reflection
from eegvit.pretrain import FineTunedClassifier
from eegvit.registry import branch_class


@dataclass(frozen=True)
class Recipe:
    """How to build an unfitted model."""

    branch: str
    parameters: Mapping[str, Any]
    sfreq: float
    ch_names: tuple[str, ...]
    seed: int | None
    pretrain: Mapping[str, Any] | None = None
    prune: Mapping[str, Any] | None = None
    classes: tuple[str, ...] = ()
    distill: Mapping[str, Any] | None = None
    adapt: Mapping[str, Any] | None = None

    @property
    def whole(self) -> Recipe:
        """The same model before anything is taken out of it, and never updated."""
        return replace(self, prune=None, adapt=None)

    def build(self, weights: str | None = None) -> Any:
        """Return the model, with what the data decide filled in, and weights to start from."""
        cls = branch_class(self.branch)
        filled = dict(self.parameters)
        known: dict[str, Any] = {"sfreq": self.sfreq, "ch_names": self.ch_names}
        around = (self.pretrain, self.prune, self.distill, self.adapt)
        if all(each is None for each in around):
            known["random_state"] = self.seed
        for name in inspect.signature(cls).parameters.keys() & known.keys():
            if filled.get(name) is None and known[name] is not None:
                filled[name] = known[name]
        if REFLECT in _several(filled.get("augment")) and filled.get("mirror") is None:
            mirror = reflection(self.ch_names, self.classes)
            filled["mirror"] = (mirror.order, mirror.exchange)
        model, seed = cls(**filled), self.seed or 0
        if self.pretrain is not None:
            settings = parameters_of(self.pretrain)
            settings |= {} if weights is None else {"weights": weights}
            model = FineTunedClassifier(model=model, **settings, random_state=seed)
        if self.prune is not None:
            model = PrunedClassifier(model=model, **self.prune, random_state=seed)
        if self.distill is not None:
            settings = {key: value for key, value in self.distill.items() if key != "from"}
            model = DistilledClassifier(model=model, **settings, random_state=seed)
        if self.adapt is not None:
            model = AdaptingClassifier(model=model, **self.adapt, random_state=seed)
        return model


def _several(augment: str | Sequence[str] | None) -> Sequence[str]:
    return (augment,) if isinstance(augment, str) else augment or ()
