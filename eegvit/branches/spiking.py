"""A network of spiking neurons as a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.neural import NeuralClassifier
from eegvit.preprocess.signals import EEG

if TYPE_CHECKING:
    from torch import Tensor, nn

    from eegvit.networks.spiking.operations import Operations


@dataclass(kw_only=True, eq=False, repr=False)
class SpikingClassifier(NeuralClassifier):
    """Leaky integrate-and-fire neurons on mixed channels, read out in stretches of time.

    An encoder, linear mixtures of the channels, one or two layers of neurons that each learn a
    time constant and a threshold, means over stretches of time, a linear head. Trained by
    surrogate gradients [1]_. The parameters of training are those of `NeuralClassifier`.

    Parameters
    ----------
    n_features : int or None
        Neurons of the first layer, each with its own mixture of the channels. None: one for
        each feature of the encoder, unmixed, so that channels learn time constants of their own.
    n_hidden : int
        Neurons of the second layer; 0 leaves it out.
    encoder : {"direct", "delta", "step_forward"}
        The signal itself as a current, spikes at changes from sample to sample, or spikes
        where the signal leaves a baseline that follows it in steps.
    step : float
        Change that makes a spike, in deviations of the channel. Not for "direct".
    readout : {"rate", "membrane"}
        Whether the head sees how often the last neurons spike, or their mean potential.
    segments : int
        Stretches of time whose means the head sees.
    time_constants : (float, float)
        Seconds; the neurons' first values are spread from one to the other.
    reset : {"soft", "hard"}
        Subtract the threshold after a spike, or start again from zero.
    surrogate : {"arctan", "fast_sigmoid", "triangular"}
        The slope that stands in for the derivative of a spike; the fast sigmoid's is narrow,
        which recurrent layers need.
    recurrent : bool
        Whether the spikes of a layer come back to it one sample later.
    dropout : float
        Share of the features that the head sees set to zero in training.
    sfreq : float or None
        Sampling rate in Hz; not needed for an mne.Epochs.

    Notes
    -----
    Where what is computed must be spikes: for hardware that counts them, or in front of a network
    by `wiring: series`. Neurons are updated sample by sample, so on a CPU it takes longer than a
    convolution of as many parameters.

    References
    ----------
    .. [1] Neftci et al., Surrogate gradient learning in spiking neural networks. IEEE Signal
       Processing Magazine 36(6), 2019.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((24, 3, 64)), np.repeat(["left", "right"], 12)
    >>> X[y == "left", 0] *= 3
    >>> model = SpikingClassifier(sfreq=128.0, epochs=20, batch_size=8, learning_rate=0.01)
    >>> model.fit(X, y).score(X, y) > 0.8
    True
    >>> model.firing_rates(X)["front.neurons"].shape
    (32,)
    """

    prunable: ClassVar[bool] = True

    n_features: int | None = 32
    n_hidden: int = 32
    encoder: Literal["direct", "delta", "step_forward"] = "direct"
    step: float = 0.5
    readout: Literal["rate", "membrane"] = "rate"
    segments: int = 4
    time_constants: tuple[float, float] = (0.01, 0.1)
    reset: Literal["soft", "hard"] = "soft"
    surrogate: Literal["arctan", "fast_sigmoid", "triangular"] = "fast_sigmoid"
    recurrent: bool = False
    dropout: float = 0.25
    sfreq: float | None = None

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return an untrained network."""
        from eegvit.networks.spiking.network import SpikingNetwork

        return SpikingNetwork(
            n_channels,
            n_times,
            n_classes,
            sfreq=self.sampling_rate(),
            n_features=self.n_features,
            n_hidden=self.n_hidden,
            encoder=self.encoder,
            step=self.step,
            readout=self.readout,
            segments=self.segments,
            dropout=self.dropout,
            time_constants=self.time_constants,
            reset=self.reset,
            surrogate=self.surrogate,
            recurrent=self.recurrent,
        )

    def spike_trains(self, X: EEG) -> dict[str, NDArray[np.bool_]]:
        """Return the spikes of each layer, shape (n, features, times): what a raster shows."""
        from eegvit.networks.spiking.operations import spike_trains

        trains = spike_trains(*self._network_and_input(X))
        return {name: train.numpy() for name, train in trains.items()}

    def firing_rates(self, X: EEG) -> dict[str, NDArray[np.float64]]:
        """Return the spikes a second of each neuron, by layer."""
        trains = self.spike_trains(X)
        return {name: train.mean((0, 2)) * self.sampling_rate() for name, train in trains.items()}

    def count_operations(self, X: EEG) -> Operations:
        """Return what a trial of X takes on average, with spikes and without, and the energy."""
        from eegvit.networks.spiking.operations import count_operations

        return count_operations(*self._network_and_input(X))

    def spiking_activity(self, X: EEG) -> dict[str, Any]:
        """Return rates, operations and a raster of some trials, as plain values."""
        from eegvit.networks.spiking.operations import activity

        return activity(*self._network_and_input(X), self.sampling_rate())

    def _network_and_input(self, X: EEG) -> tuple[nn.Module, Tensor]:
        import torch

        check_is_fitted(self, "module_")
        layers: Any = self.module_
        return layers[1], layers[0](torch.from_numpy(np.array(self.check_X(X), dtype=np.float32)))
