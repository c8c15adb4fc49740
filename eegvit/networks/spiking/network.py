"""A spiking network that classifies trials by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.spiking.front import SpikingFront
from eegvit.networks.spiking.lif import LIF

Readout = Literal["rate", "membrane"]


class SpikingNetwork(nn.Module):
    """One or two layers of spiking neurons, means over stretches of time, a linear head.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
        Shape of a trial and number of logits.
    sfreq : float
        Sampling rate in Hz.
    n_features : int or None
        Neurons of the first layer; None as for `SpikingFront`.
    n_hidden : int
        Neurons of the second layer; 0 leaves it out.
    encoder, step
        As for `SpikingFront`.
    readout : {"rate", "membrane"}
        Whether the head sees how often the last neurons spike, or their mean potential.
    segments : int
        Stretches of time whose means the head sees.
    dropout : float
        Share of these means set to zero in training.
    neurons
        The other parameters of `LIF`.

    Examples
    --------
    >>> network = SpikingNetwork(22, 500, n_classes=4, sfreq=250.0)
    >>> network(torch.randn(2, 22, 500)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        sfreq: float,
        n_features: int | None = 32,
        n_hidden: int = 32,
        encoder: str = "direct",
        step: float = 0.5,
        readout: Readout = "rate",
        segments: int = 4,
        dropout: float = 0.25,
        **neurons: Any,
    ) -> None:
        super().__init__()
        if readout not in get_args(Readout):
            raise ValueError(f"readout={readout!r}: it is one of {', '.join(get_args(Readout))}")
        if not 1 <= segments <= n_times:
            raise ValueError(f"segments={segments}: it is from 1 to a trial's {n_times} samples")
        if n_hidden < 0:
            raise ValueError(f"n_hidden={n_hidden}: it must be 0 or more")
        self.readout, self.segments, self.dropout = readout, segments, dropout
        self.front = SpikingFront(
            n_channels, sfreq=sfreq, n_features=n_features, encoder=encoder, step=step, **neurons
        )
        n_first = self.front.n_features
        self.synapses = nn.Linear(n_first, n_hidden) if n_hidden else None
        self.neurons = LIF(n_hidden, sfreq=sfreq, **neurons) if n_hidden else None
        self.head = nn.Linear((n_hidden or n_first) * segments, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head([self.features(x)])

    def features(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to means (n, features, segments)."""
        return self.means(*self.layers(x)[-1])

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the means (n, features, segments) of each layer."""
        return [self.means(*layer) for layer in self.layers(x)]

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the means of all layers to logits (n, classes)."""
        return self.head(F.dropout(maps[-1].flatten(1), self.dropout, self.training))

    def layers(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Map trials to spikes and membrane potentials (times, n, features) of each layer."""
        told = [self.front.run(x)]
        if self.synapses is not None and self.neurons is not None:
            told.append(self.neurons(self.synapses(told[0][0])))
        return told

    def means(self, spikes: Tensor, membrane: Tensor) -> Tensor:
        """Return the means (n, features, segments) of what the head sees of a layer."""
        seen = spikes if self.readout == "rate" else membrane
        return torch.stack([part.mean(0) for part in seen.tensor_split(self.segments)], dim=-1)
