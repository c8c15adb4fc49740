"""Any model of braindecode as a classifier."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from eegvit.branches.neural import NeuralClassifier
from eegvit.registry import optional, suggest

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class BraindecodeClassifier(NeuralClassifier):
    """A model of braindecode by its name, trained like every other network here.

    braindecode comes with the extra `eegvit[braindecode]` and is imported when the classifier
    is fitted, not before. The parameters of training are those of `NeuralClassifier`.

    Parameters
    ----------
    model : str
        Name of a class in `braindecode.models`.
    model_parameters : dict or None
        Its own parameters; shape, sampling rate and channels are filled in.
    sfreq : float or None
        Sampling rate in Hz, for the models that need it.
    ch_names : tuple of str or None
        Names of the channels, for the models that need them.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((24, 3, 128)), np.repeat(["left", "right"], 12)
    >>> model = BraindecodeClassifier(model="EEGNet", model_parameters={"F1": 4}, epochs=2)
    >>> model.fit(X, y).predict_proba(X).shape
    (24, 2)
    """

    needs: ClassVar[tuple[str, ...]] = ("braindecode",)

    model: str = "EEGNet"
    model_parameters: dict[str, Any] | None = None
    sfreq: float | None = None
    ch_names: tuple[str, ...] | None = None

    def keep(self, network: nn.Module, history: list[dict[str, float]]) -> Self:
        """Become fitted by a trained network, its weights free of constraints."""
        from eegvit.networks.logits import bake_constraints

        super().keep(network, history)
        bake_constraints(network)
        return self

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return the untrained model."""
        from eegvit.data.montage import channel_info
        from eegvit.networks.logits import Logits

        cls = braindecode_model(self.model)
        given = dict(self.model_parameters or {})
        known = inspect.signature(cls).parameters
        unknown = [name for name in given if name not in known]
        if unknown and not any(p.kind is p.VAR_KEYWORD for p in known.values()):
            raise ValueError(
                f"{self.model} has no parameter '{unknown[0]}'{suggest(unknown[0], known)}"
            )
        rate = self.sfreq or self.sfreq_
        names = self.ch_names or self.ch_names_
        from_data: dict[str, Any] = {
            "n_chans": n_channels,
            "n_times": n_times,
            "n_outputs": n_classes,
            "sfreq": rate,
            "chs_info": channel_info(tuple(names), rate) if names and rate else None,
        }
        filled = {k: v for k, v in from_data.items() if k in known and v is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return Logits(cls(**filled | given), n_classes)
            except Exception as error:
                raise ValueError(
                    f"braindecode's {self.model} cannot be built for {n_channels} channels x"
                    f" {n_times} times{f' at {rate:g} Hz' if rate else ''}:"
                    f" {type(error).__name__}: {error}"
                    + ("" if rate else " (no sampling rate was given: sfreq=...)")
                ) from error


def braindecode_model(name: str) -> Any:
    """Return the model class of this name, or say what is wrong.

    Examples
    --------
    >>> braindecode_model("ATCNet").__name__
    'ATCNet'
    """
    models = optional("braindecode.models")
    known = [n for n in models.__all__ if inspect.isclass(getattr(models, n, None))]
    if name not in known:
        raise ValueError(f"braindecode.models has no '{name}'{suggest(name, known)}")
    return getattr(models, name)
