"""One network that holds the weights of all smaller ones, trained by the sandwich rule [1]_.

.. [1] Yu and Huang, Universally slimmable networks and improved training techniques. ICCV 2019.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.compress.search.shared import Index, Shared, shared
from eegvit.compress.search.space import Shape, Space
from eegvit.networks.device import seeded
from eegvit.train.batches import Batches
from eegvit.train.lesson import Taught
from eegvit.train.run import Run

AT_RANDOM = 2  # shapes drawn for each step, beside the largest and the smallest
CALIBRATION = 8  # batches whose statistics the norms of a shape are given
MOST_KNOWN = 64  # shapes whose networks are kept for the next time


class Supernet(nn.Module):
    """A network whose first units are those of every smaller shape.

    The weights are shared; norms keep their gain and shift in common and no statistics: those of
    a shape are of what it gives on training trials, see `extracted`.

    Parameters
    ----------
    space : Space
    build : callable
        Returns an untrained network of a shape, behind a standardisation.

    Attributes
    ----------
    whole : nn.Module
        The network of the largest shape.
    now : Shape
        What `forward` is of.

    Examples
    --------
    >>> from eegvit.compress.search.space import settings_of
    >>> from eegvit.networks.efficientvit.model import EfficientViT
    >>> base = {"widths": (16,), "depths": (1,), "heads": (2,), "kernels": (3, 3)}
    >>> def build(shape):
    ...     network = EfficientViT(3, 250, 2, sfreq=125.0, preset=settings_of(shape, base))
    ...     return nn.Sequential(nn.Identity(), network)
    >>> supernet = Supernet(Space.of(base), build)
    >>> supernet.part(supernet.space.smallest)(torch.randn(4, 3, 250)).shape
    torch.Size([4, 2])
    """

    def __init__(self, space: Space, build: Callable[[Shape], nn.Module]) -> None:
        super().__init__()
        self.space, self.build = space, build
        self.whole = build(space.largest)
        self.now = space.largest
        self.known: dict[Shape, tuple[nn.Module, Shared]] = {}

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to the logits of the shape that it is `now`."""
        logits: Tensor = self.part(self.now)(x)
        return logits

    def part(self, shape: Shape) -> nn.Module:
        """Return the network of a shape, its weights what they are now in the whole."""
        if shape == self.space.largest:
            return self.whole
        network, places = self._of(shape)
        with torch.no_grad():
            for name, its, own in self._pairs(network):
                its.copy_(own[places.get(name, ())])
        return network.train(self.training)

    def gather(self, shapes: Iterable[Shape]) -> None:
        """Add the gradients of the networks of shapes to those of the whole."""
        for shape in set(shapes) - {self.space.largest}:
            network, places = self._of(shape)
            for name, its, own in self._pairs(network):
                if its.grad is not None:
                    if own.grad is None:
                        own.grad = torch.zeros_like(own)
                    own.grad[places.get(name, ())] += its.grad
                    its.grad = None

    def extracted(self, shape: Shape, trials: Sequence[Tensor], seed: int = 0) -> nn.Module:
        """Return a network of its own with the weights of a shape, at inference.

        Parameters
        ----------
        shape : Shape
        trials : sequence of Tensor
            Batches of training trials: the norms keep the mean of their statistics.
        seed : int
            Of dropout meanwhile, which the statistics see as in any training.
        """
        return calibrated(copy.deepcopy(self.part(shape)), trials, seed)

    def _of(self, shape: Shape) -> tuple[nn.Module, Shared]:
        if shape not in self.known:
            if len(self.known) >= MOST_KNOWN:  # shapes drawn at random seldom come again
                self.known.pop(next(iter(self.known)))
            device = next(self.whole.parameters()).device
            with seeded(0, str(device)):  # no other number is drawn for what was built before
                network: Any = self.build(shape).to(device)
            whole: Any = self.whole
            found = shared(whole[1], network[1])
            places = {f"1.{name}": _on(index, device) for name, index in found.items()}
            for name, its, own in self._pairs(network):
                if own[places.get(name, ())].shape != its.shape:
                    raise ValueError(f"it is not known what {name} shares of the largest's")
            self.known[shape] = network, places
        return self.known[shape]

    def _pairs(self, network: nn.Module) -> Iterator[tuple[str, nn.Parameter, nn.Parameter]]:
        whole = dict(self.whole.named_parameters())
        for name, parameter in network.named_parameters():
            yield name, parameter, whole[name]


def _on(index: Index, device: torch.device) -> Index:
    return tuple(part.to(device) if isinstance(part, Tensor) else part for part in index)


def calibrated(network: nn.Module, trials: Sequence[Tensor], seed: int = 0) -> nn.Module:
    """Give the norms of a network the statistics of some batches, and return it at inference.

    Examples
    --------
    >>> norm = calibrated(nn.BatchNorm1d(1), [torch.zeros(2, 1), torch.ones(2, 1)])
    >>> norm.running_mean.tolist(), norm.momentum
    ([0.5], 0.1)
    """
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    network.train()
    for norm in norms:
        norm.reset_running_stats()
    with torch.no_grad(), seeded(seed, str(trials[0].device)):
        for number, batch in enumerate(trials):
            for norm in norms:  # the mean over batches
                norm.momentum = 1 / (number + 1)
            network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.eval()


class SandwichRun(Run):
    """A training of a supernet: every step is of its largest and smallest shape and two others.

    Parameters are those of `Run`; the network is a `Supernet`.
    """

    network: Supernet
    shapes: tuple[Shape, ...] = ()

    def loss(self, X: Tensor, y: Tensor | Taught, label_smoothing: float = 0.0) -> Tensor:
        """Return the mean loss of the shapes of a step."""
        space, losses = self.network.space, []
        drawn = (space.random(self.rng) for _ in range(AT_RANDOM))
        self.shapes = (space.largest, space.smallest, *drawn)
        for shape in dict.fromkeys(self.shapes):
            self.network.now = shape
            losses.append(super().loss(X, y, label_smoothing))
        self.network.now = space.largest
        return torch.stack(losses).mean()

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of a loss, those of all shapes in the weights they share."""
        loss.backward()
        self.network.gather(self.shapes)


def calibration_trials(batches: Batches, rows: NDArray[np.int64]) -> list[Tensor]:
    """Return some batches of training trials, not augmented, for the norms of a shape."""
    order = np.random.default_rng(0).permutation(rows)
    return [batches.take(batch)[0] for batch in batches.cut(order)[:CALIBRATION]]
