"""From signals to what goes into spiking neurons: currents, or spikes at changes.

Each maps (times, n, channels) to (times, n, features). Spikes have no gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eegvit.networks.choice import traced


class DirectCurrent(nn.Module):
    """The signal itself is the current.

    Examples
    --------
    >>> encoder = DirectCurrent(n_channels=3)
    >>> encoder.n_features, encoder(torch.ones(10, 2, 3)).shape
    (3, torch.Size([10, 2, 3]))
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.n_features = n_channels

    def forward(self, x: Tensor) -> Tensor:
        """Return x."""
        return x


class Delta(nn.Module):
    """A spike where a signal has risen, another where it has fallen, since the sample before.

    Parameters
    ----------
    n_channels : int
        Channels of the signal. There are twice as many features: all rises, then all falls.
    step : float
        The least change that counts.

    Examples
    --------
    >>> encoder = Delta(n_channels=1, step=1.0)
    >>> encoder(torch.tensor([0.0, 0.9, 2.0, 0.5])[:, None, None])[:, 0].T.tolist()
    [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """

    def __init__(self, n_channels: int, step: float) -> None:
        super().__init__()
        if step <= 0:
            raise ValueError(f"step={step}: a change that counts is above zero")
        self.n_features = 2 * n_channels
        self.step = step

    def forward(self, x: Tensor) -> Tensor:
        """Map (times, n, channels) to (times, n, 2 * channels)."""
        change = torch.diff(x, dim=0, prepend=x[:1])
        return torch.cat([change >= self.step, change <= -self.step], dim=-1).to(x.dtype)


class StepForward(Delta):
    """A spike where a signal leaves a baseline, which then moves one step after it [1]_.

    Slow changes are seen as well, and the signal can be told from the spikes to a step.

    Parameters
    ----------
    n_channels : int
        Channels of the signal. There are twice as many features: all rises, then all falls.
    step : float
        How far from the baseline a signal must be, and how far the baseline moves.

    References
    ----------
    .. [1] Petro, Kasabov and Kiss, Selection and optimization of temporal spike encoding
       methods for spiking neural networks. IEEE Transactions on Neural Networks and Learning
       Systems 31(2), 2020.

    Examples
    --------
    >>> encoder = StepForward(n_channels=1, step=1.0)
    >>> encoder(torch.tensor([0.0, 0.9, 2.5, 2.5, 0.5])[:, None, None])[:, 0].T.tolist()
    [[0.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (times, n, channels) to (times, n, 2 * channels)."""
        moves = self._moves_plainly(x) if traced(x) else self._moves(x)
        return torch.cat([moves > 0, moves < 0], dim=-1).to(x.dtype)

    def _moves(self, x: Tensor) -> Tensor:
        """Return 1, 0 or -1 for each sample."""
        with torch.no_grad():
            moves = torch.empty_like(x, memory_format=torch.contiguous_format)
            baseline = x[0].clone(memory_format=torch.contiguous_format)
            for sample, move in zip(x.contiguous().unbind(), moves.unbind(), strict=True):
                torch.sub(sample, baseline, out=move)
                torch.hardshrink(move, self.step, out=move)  # zero within a step
                baseline.add_(move.sign_(), alpha=self.step)
        return moves

    def _moves_plainly(self, x: Tensor) -> Tensor:
        moves, baseline = [], x[0]
        for sample in x.unbind():
            move = torch.hardshrink(sample - baseline, self.step).sign()
            baseline = baseline + self.step * move
            moves.append(move)
        return torch.stack(moves)


def make_encoder(name: str, n_channels: int, step: float) -> DirectCurrent | Delta:
    """Return the encoder that a name stands for.

    Examples
    --------
    >>> make_encoder("step_forward", 3, step=0.5).n_features
    6
    """
    if name == "direct":
        return DirectCurrent(n_channels)
    kinds = {"delta": Delta, "step_forward": StepForward}
    if name not in kinds:
        raise ValueError(f"encoder={name!r}: it is one of direct, {', '.join(kinds)}")
    return kinds[name](n_channels, step)
