"""EEGNet as a classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.neural import NeuralClassifier
from eegvit.features.covariances import covariances
from eegvit.preprocess.signals import Signals

if TYPE_CHECKING:
    from torch import nn

MOST = 256  # trials that the covariance behind patterns is taken of


@dataclass(kw_only=True, eq=False, repr=False)
class EEGNetClassifier(NeuralClassifier):
    """EEGNet: temporal filters, spatial filters of each, a separable convolution [1]_.

    The parameters of training are those of `NeuralClassifier`.

    Parameters
    ----------
    n_filters : int
        Temporal filters.
    depth : int
        Spatial filters for each temporal filter.
    kernel_length : int
        Samples in a temporal filter.
    separable_length : int
        Samples in a filter of the separable convolution.
    pool_1, pool_2 : int
        Samples averaged into one after the first and the second stage.
    dropout : float
        Share of features set to zero in training.

    Attributes
    ----------
    patterns_ : array, shape (channels, n_filters * depth)
        How what each spatial filter sees shows at the channels [2]_, by the covariance of the
        training signals; the filters of the first temporal filter come first.

    Notes
    -----
    The network to begin with: a few thousand parameters, for any paradigm, event-related
    potentials included. Lengths are in samples and made for 128 Hz: resample the trials, or
    change them with the sampling rate.

    References
    ----------
    .. [1] Lawhern et al., EEGNet: a compact convolutional neural network for EEG-based
       brain-computer interfaces. Journal of Neural Engineering 15(5), 2018.
    .. [2] Haufe et al., On the interpretation of weight vectors of linear models in
       multivariate neuroimaging. NeuroImage 87, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> model = EEGNetClassifier(epochs=40, batch_size=8, learning_rate=0.01).fit(X, y)
    >>> model.score(X, y)
    1.0
    """

    prunable: ClassVar[bool] = True

    n_filters: int = 8
    depth: int = 2
    kernel_length: int = 64
    separable_length: int = 16
    pool_1: int = 4
    pool_2: int = 8
    dropout: float = 0.25

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return an untrained EEGNet."""
        from eegvit.networks.eegnet import EEGNet

        return EEGNet(
            n_channels,
            n_times,
            n_classes,
            n_filters=self.n_filters,
            depth=self.depth,
            kernel_length=self.kernel_length,
            separable_length=self.separable_length,
            pool_1=self.pool_1,
            pool_2=self.pool_2,
            dropout=self.dropout,
        )

    def builder(self, X: Signals, rows: NDArray[np.int64]) -> Callable[[], nn.Module]:
        """Return what builds the network, and keep the covariance of the training signals."""
        some = rows[:: -(-len(rows) // MOST)]
        self.covariance_ = covariances(X[some]).mean(axis=0)
        return super().builder(X, rows)

    @property
    def patterns_(self) -> NDArray[np.float64]:
        check_is_fitted(self, "module_")
        layers: Any = self.module_
        standardise, network = layers
        scale = standardise.scale.numpy().reshape(1, -1)
        filters = network.front.spatial.detach().double().numpy() / scale
        spread = self.covariance_ @ filters.T  # (channels, filters)
        found: NDArray[np.float64] = spread / np.einsum("fc,cf->f", filters, spread)
        return found
