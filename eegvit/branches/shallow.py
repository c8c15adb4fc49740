"""ShallowConvNet as a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from eegvit.branches.neural import NeuralClassifier

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class ShallowConvNetClassifier(NeuralClassifier):
    """ShallowConvNet: temporal and spatial filters, then the logarithm of pooled power [1]_.

    The parameters of training are those of `NeuralClassifier`.

    Parameters
    ----------
    n_temporal, n_spatial : int
        Temporal and spatial filters.
    kernel_length : int
        Samples in a temporal filter.
    pool_length, pool_stride : int
        Samples that power is averaged over, and samples from one average to the next.
    dropout : float
        Share of features set to zero in training.

    Notes
    -----
    For imagined movement with several hundred trials or more: it learns the filters of `fbcsp` by
    descent. It sees power and no phase, so it is not for event-related potentials. Lengths are in
    samples and made for 250 Hz.

    References
    ----------
    .. [1] Schirrmeister et al., Deep learning with convolutional neural networks for EEG
       decoding and visualization. Human Brain Mapping 38(11), 2017.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> model = ShallowConvNetClassifier(epochs=10, batch_size=8).fit(X, y)
    >>> model.score(X, y)
    1.0
    """

    prunable: ClassVar[bool] = True

    n_temporal: int = 40
    n_spatial: int = 40
    kernel_length: int = 25
    pool_length: int = 75
    pool_stride: int = 15
    dropout: float = 0.5

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return an untrained ShallowConvNet."""
        from eegvit.networks.shallow import ShallowConvNet

        return ShallowConvNet(
            n_channels,
            n_times,
            n_classes,
            n_temporal=self.n_temporal,
            n_spatial=self.n_spatial,
            kernel_length=self.kernel_length,
            pool_length=self.pool_length,
            pool_stride=self.pool_stride,
            dropout=self.dropout,
        )
