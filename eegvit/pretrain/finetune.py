"""Fine-tuning: a training that starts from weights and treats layers by their depth."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from eegvit.pretrain.encoder import depths, last_layers
from eegvit.pretrain.weights import Weights
from eegvit.train.batches import Batches
from eegvit.train.decay import decays
from eegvit.train.recipe import Recipe
from eegvit.train.run import Run

Finetune = Literal["probe", "partial", "full"]
PARTIAL = 0.5  # depth down to which "partial" trains


class FinetuneRun(Run):
    """A fine-tuning under way.

    Parameters
    ----------
    network : nn.Module
        On the device.
    recipe : Recipe
    batches : Batches
    rows, held_out : arrays of int64
        As for `Run`.
    seed : int
    weights : Weights or None
        What the network starts from.
    finetune : {"probe", "partial", "full"}
        Train the last layers only, the later half of the network, or all of it. Batch norms
        of what is not trained keep their statistics.
    layer_decay : float
        Learning rate at the input over that at the output; layers between lie on a geometric
        line by their depth.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 2))
    >>> X, y, rows = np.zeros((4, 2, 3), np.float32), np.array([0, 1, 0, 1]), np.arange(4)
    >>> recipe = Recipe(epochs=1)
    >>> batches = Batches(X, y, recipe, "cpu")
    >>> how = {"weights": None, "finetune": "probe", "layer_decay": 1.0}
    >>> run = FinetuneRun(network, recipe, batches, rows, None, 0, **how)
    >>> [name for name, p in network.named_parameters() if p.requires_grad]
    ['3.weight', '3.bias']
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        batches: Batches,
        rows: NDArray[np.int64],
        held_out: NDArray[np.int64] | None,
        seed: int,
        *,
        weights: Weights | None,
        finetune: Finetune,
        layer_decay: float,
    ) -> None:
        example = torch.zeros(2, *batches.X.shape[1:], device=batches.device)
        self.finetune = finetune
        self.last = last_layers(network, example)
        if weights is not None:
            weights.put_into(network, self.last)
        depth = depths(network, example)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(self.is_trained(name, depth))
        super().__init__(network, recipe, batches, rows, held_out, seed)
        groups = rated_groups(network, recipe.weight_decay, depth, layer_decay)
        self.optimiser = torch.optim.AdamW(groups)

    def is_trained(self, name: str, depth: dict[str, float]) -> bool:
        """Return whether a parameter is trained."""
        if self.finetune == "full" or name.rpartition(".")[0] in self.last:
            return True
        return self.finetune == "partial" and depth.get(name, 1.0) <= PARTIAL

    def begin_epoch(self) -> None:
        """Make what is trained ready to be trained."""
        if self.finetune == "probe":
            self.network.eval()
            return
        self.network.train()
        for module in self.network.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                own = list(module.parameters())
                if own and not any(parameter.requires_grad for parameter in own):
                    module.eval()

    def result(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """Return the network, all of it ready to be trained again, and its history."""
        self.network.requires_grad_(True)
        return super().result()


def rated_groups(
    network: nn.Module, weight_decay: float, depth: dict[str, float], layer_decay: float
) -> list[dict[str, Any]]:
    """Return a group of parameters for each depth and weight decay, with its rate.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    >>> groups = rated_groups(network, 0.1, {"0.weight": 1.0, "1.weight": 0.0}, 0.25)
    >>> [(group["rate"], group["weight_decay"]) for group in groups]
    [(0.25, 0.1), (1.0, 0.1)]
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            decay = weight_decay if decays(name, parameter.ndim) else 0.0
            groups.setdefault((layer_decay ** depth.get(name, 0.0), decay), []).append(parameter)
    return [
        {"params": members, "weight_decay": decay, "rate": rate}
        for (rate, decay), members in groups.items()
    ]
