"""What classifiers share that train another one in a way of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.base import EEGClassifier, identified
from eegvit.preprocess.signals import EEG


@dataclass(kw_only=True, eq=False, repr=False)
class Around(EEGClassifier):
    """A classifier whose `fit` leaves another one fitted, `model_`, which predicts for it.

    Parameters
    ----------
    model : classifier
        It is copied, not fitted itself.
    """

    __metadata_request__fit: ClassVar[dict[str, bool]] = {"groups": True}

    model: Any

    def identity(self) -> dict[str, Any]:
        """Return the parameters, with all those of the model."""
        return super().identity() | {"model": identified(self.model)}

    def packages(self) -> frozenset[str]:
        """Return those of the model."""
        return self.model.packages()

    def uses_of_session(self) -> frozenset[str]:
        """Return what the model uses."""
        used: frozenset[str] = self.model.uses_of_session()
        return used

    def by_session(self) -> bool:
        """Say what the model says."""
        return bool(self.model.by_session())

    def of_data(self, name: str) -> Any:
        """Return what the model's parameters say of the data."""
        return self.model.of_data(name)

    def predict_proba(self, X: EEG) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes)."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.predict_proba(self.check_X(X)))

    def count_macs(self) -> int:
        """Return the multiply-accumulates of the fitted network for one trial."""
        check_is_fitted(self, "model_")
        return int(self.model_.count_macs())

    @available_if(lambda self: hasattr(self.model, "spiking_activity"))
    def spiking_activity(self, X: EEG) -> dict[str, Any]:
        """Return rates, operations and a raster of spiking layers, where the model has some."""
        check_is_fitted(self, "model_")
        told: dict[str, Any] = self.model_.spiking_activity(self.check_X(X))
        return told

    @property
    def patterns_(self) -> NDArray[np.float64]:
        """The fitted model's, where it has spatial filters."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.patterns_)
