"""Spiking neurons in front of another network."""

from __future__ import annotations

from typing import Any, Literal, get_args

from torch import Tensor, nn

from eegvit.networks.spiking.encoders import make_encoder
from eegvit.networks.spiking.lif import LIF

Output = Literal["spikes", "membrane"]


class SpikingFront(nn.Module):
    """Encoder, mixing of channels, and neurons with time constants of their own.

    Parameters
    ----------
    n_channels : int
    sfreq : float
        Sampling rate in Hz.
    n_features : int or None
        Neurons, each with its own mixture of the channels. None: one for each feature of the
        encoder, unmixed.
    encoder : {"direct", "delta", "step_forward"}
    step : float
        Change of the signal that makes a spike, for the encoders "delta" and "step_forward".
    output : {"spikes", "membrane"}
        What the next network sees.
    neurons
        The other parameters of `LIF`.

    Attributes
    ----------
    n_features : int
        Features of the output.

    Examples
    --------
    >>> import torch
    >>> from eegvit.networks.eegnet import EEGNet
    >>> front = SpikingFront(22, sfreq=250.0, output="membrane")
    >>> network = nn.Sequential(front, EEGNet(front.n_features, 500, n_classes=4))
    >>> x = torch.randn(2, 22, 500)
    >>> front(x).shape, network(x).shape
    (torch.Size([2, 22, 500]), torch.Size([2, 4]))
    """

    def __init__(
        self,
        n_channels: int,
        *,
        sfreq: float,
        n_features: int | None = None,
        encoder: str = "direct",
        step: float = 0.5,
        output: Output = "spikes",
        **neurons: Any,
    ) -> None:
        super().__init__()
        if output not in get_args(Output):
            raise ValueError(f"output={output!r}: it is one of {', '.join(get_args(Output))}")
        if n_features is not None and n_features < 1:
            raise ValueError(f"n_features={n_features}: one neuron or more, or None")
        self.output = output
        self.encoder = make_encoder(encoder, n_channels, step)
        n_encoded = self.encoder.n_features
        self.n_features = n_features or n_encoded
        self.mixing = nn.Linear(n_encoded, n_features) if n_features else nn.Identity()
        self.neurons = LIF(self.n_features, sfreq=sfreq, **neurons)

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to (n, features, times)."""
        spikes, membrane = self.run(x)
        return (spikes if self.output == "spikes" else membrane).permute(1, 2, 0)

    def run(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map trials to spikes and membrane potentials, both (times, n, features)."""
        signals = x.permute(2, 0, 1).contiguous()
        return self.neurons(self.mixing(self.encoder(signals)))
