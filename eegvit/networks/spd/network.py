"""A network that learns filters and sees their covariances from each person's mean [1]_.

.. [1] Kobler et al., SPD domain-specific batch normalization to crack interpretable unsupervised
   domain adaptation in EEG. NeurIPS 2022.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.spd.eigenvalues import rectified
from eegvit.networks.spd.person_norm import PersonNorm


class SPDNet(nn.Module):
    """Temporal and spatial filters, a covariance, its logarithm seen from a mean, a linear layer.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
        Shape of a trial and number of logits.
    n_temporal, n_spatial : int
        Temporal filters, and spatial filters over all of them.
    n_mixed : int
        Orthonormal mixtures of those: rows of the covariance. No more than there are temporal
        filters times channels.
    kernel_length : int
        Samples in a temporal filter.
    threshold : float
        Least eigenvalue of a covariance.
    momentum : float
        Of the norm.
    n_people : int
        People in training, each with a mean.

    Examples
    --------
    >>> network = SPDNet(n_channels=22, n_times=500, n_classes=4)
    >>> network(torch.randn(2, 22, 500)).shape
    torch.Size([2, 4])

    In training the number of a trial's person may come as one more sample of the first channel:

    >>> network = SPDNet(n_channels=3, n_times=500, n_classes=2, n_people=9)
    >>> network(F.pad(torch.randn(2, 3, 500), (0, 1), value=8.0)).shape
    torch.Size([2, 2])
    """

    over_time = False

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        n_temporal: int = 4,
        n_spatial: int = 40,
        n_mixed: int = 20,
        kernel_length: int = 25,
        threshold: float = 1e-4,
        momentum: float = 0.1,
        n_people: int = 1,
    ) -> None:
        super().__init__()
        if n_times < 2 * kernel_length:
            raise ValueError(
                f"SPDNet needs trials of {2 * kernel_length} samples or more (twice kernel_length"
                f" {kernel_length}), these have {n_times}: take a longer window or a smaller"
                " kernel_length"
            )
        size = min(n_mixed, n_spatial, n_temporal * n_channels)
        self.n_times, self.threshold = n_times, threshold
        self.temporal = nn.Parameter(torch.empty(n_temporal, kernel_length))
        self.spatial = nn.Parameter(torch.empty(n_spatial, n_temporal, n_channels))
        self.mixing = nn.Parameter(torch.randn(n_spatial, size))
        self.norm = PersonNorm(size, n_people, momentum)
        self.head = nn.Linear(size * (size + 1) // 2, n_classes)
        nn.init.xavier_uniform_(self.temporal[:, None])  # fans of a convolution
        nn.init.xavier_uniform_(self.spatial)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to what the head sees (n, features, 1)."""
        x, beside = x[..., : self.n_times], x[:, 0, self.n_times :]
        people = beside[:, 0].round().long() if beside.shape[1] else None
        logs = self.norm(self.covariances(x), people)
        return [upper(logs).to(x.dtype)[..., None]]

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map that to logits (n, classes)."""
        return self.head(maps[-1].flatten(1))

    def covariances(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to covariances of filtered signals (n, size, size)."""
        # nothing nonlinear lies between the filters and their mixtures: they are one convolution
        spatial = torch.einsum("sm,stc->mtc", orthonormal(self.mixing), self.spatial)
        x = F.conv1d(x, torch.einsum("tk,mtc->mck", self.temporal, spatial))
        x = precise(x)
        x = x - x.mean(2, keepdim=True)
        return rectified(x @ x.mT / x.shape[2], self.threshold)


def orthonormal(weight: Tensor) -> Tensor:
    """Return orthonormal columns that span those of a matrix; orthonormal ones are themselves.

    They change as the matrix does, without jumps from one sign to the other.

    Examples
    --------
    >>> orthonormal(torch.tensor([[-2.0], [0.0]]))
    tensor([[-1.],
            [ 0.]])
    """
    Q, R = torch.linalg.qr(weight)
    return Q * torch.where(R.diagonal() < 0, -1.0, 1.0).to(Q)


def precise(x: Tensor) -> Tensor:
    """Return double precision, where the device has it.

    A trial with an artifact has large eigenvalues beside the smallest that are let through: seen
    from a mean, rounding of single precision would make them negative.

    Examples
    --------
    >>> precise(torch.ones(1)).dtype
    torch.float64
    """
    return x if x.device.type == "mps" else x.double()


def upper(symmetric: Tensor) -> Tensor:
    """Return half of symmetric matrices (..., n, n) as vectors of the same length.

    Examples
    --------
    >>> upper(torch.tensor([[1.0, 2.0], [2.0, 3.0]]))
    tensor([1.0000, 2.8284, 3.0000])
    """
    n = symmetric.shape[-1]
    rows, columns = torch.triu_indices(n, n, device=symmetric.device)
    weights = torch.where(rows == columns, 1.0, 2**0.5).to(symmetric.dtype)
    return symmetric[..., rows, columns] * weights
