"""Networks of other houses, made to give logits (n, classes)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils import parametrize


class Logits(nn.Module):
    """The class scores among the outputs of a network.

    Scores may be logits or logarithms of probabilities; both mean the same to softmax and
    cross-entropy. Of several outputs the first is taken, and of scores per time step the mean.

    Examples
    --------
    >>> import torch
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(6, 2), nn.LogSoftmax(1))
    >>> Logits(network, n_classes=2)(torch.zeros(5, 2, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(self, network: nn.Module, n_classes: int) -> None:
        super().__init__()
        self.network = network
        self.n_classes = n_classes

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        out = self.network(x)
        while isinstance(out, (tuple, list)):
            out = out[0]
        if out.ndim > 2 and out.shape[1] == self.n_classes:
            out = out.flatten(2).mean(2)
        if out.shape != (len(x), self.n_classes):
            raise ValueError(
                f"{type(self.network).__name__} gives an output of shape {tuple(out.shape)} for"
                f" {len(x)} trials of {self.n_classes} classes: it is not a classifier of trials"
            )
        return out


def bake_constraints(network: nn.Module) -> None:
    """Replace weights that are computed from others, as by a max-norm, by their values.

    A network with such weights cannot be pickled.

    Examples
    --------
    >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    >>> bake_constraints(layer)
    >>> parametrize.is_parametrized(layer)
    False
    """
    for module in list(network.modules()):
        if parametrize.is_parametrized(module):
            constrained = module.parametrizations
            assert isinstance(constrained, nn.ModuleDict)
            for name in list(constrained):
                parametrize.remove_parametrizations(module, name)
