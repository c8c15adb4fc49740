"""A classification network up to its last layers, whatever the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.fusion.network import FusedNetwork

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d)


class Encoder(nn.Module):
    """What a network's last layers are given: an embedding of each trial.

    Nothing is taken out of the network, so its weights keep their names.

    Parameters
    ----------
    network : nn.Module
        Maps trials (n, channels, times) to logits.
    example : Tensor, shape (n, channels, times)

    Attributes
    ----------
    last : tuple of str
        Names of the last layers.

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    >>> encoder = Encoder(network, torch.zeros(1, 2, 3))
    >>> encoder.last, encoder(torch.randn(4, 2, 3)).shape
    (('3',), torch.Size([4, 5]))
    """

    def __init__(self, network: nn.Module, example: Tensor) -> None:
        super().__init__()
        self.network = network
        self.last = last_layers(network, example)

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to embeddings (n, d)."""
        with inputs_of([self.network.get_submodule(name) for name in self.last]) as seen:
            self.network(x)
        return torch.cat([each.flatten(1) for each in seen], 1)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Map trials to the maps (n, width, rows, columns) of the network's stages.

        The network is a `Standardise` and the network proper, or several such side by side. One
        that has no maps gives its embedding as a map of one place.
        """
        layers: Any = self.network
        if isinstance(layers, FusedNetwork):
            return [each for own in layers.grids(layers.maps(x, [])) for each in own]
        standardise, inner = layers
        if hasattr(inner, "forward_features"):
            maps = list(inner.forward_features(standardise(x)))
        elif hasattr(inner, "features"):
            maps = [inner.features(standardise(x))]
        else:
            maps = [self(x)[:, :, None]]
        return [each[:, :, None] if each.ndim == 3 else each for each in maps]


@contextmanager
def inputs_of(modules: Sequence[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect what modules are called with.

    Examples
    --------
    >>> layer = nn.Linear(2, 1)
    >>> with inputs_of([layer]) as seen:
    ...     _ = layer(torch.ones(1, 2))
    >>> seen
    [tensor([[1., 1.]])]
    """
    seen: list[Tensor] = []
    hooks = [
        module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
        for module in modules
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def last_layers(network: nn.Module, example: Tensor) -> tuple[str, ...]:
    """Return the names of the linear layers and convolutions that no other follows.

    A network of several streams has several.

    Examples
    --------
    >>> last_layers(nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), torch.zeros(1, 2))
    ('1',)
    """
    made: dict[Any, str] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, given: Any, output: Tensor) -> None:
            made[output.grad_fn] = name

        return hook

    hooks = [
        module.register_forward_hook(note(name))
        for name, module in network.named_modules()
        if isinstance(module, WEIGHTED)
    ]
    try:
        with still(network), torch.enable_grad():
            root = network(example).sum().grad_fn
    finally:
        for hook in hooks:
            hook.remove()
    found, seen, stack = set(), {root}, [root]
    while stack:
        node = stack.pop()
        if node in made:
            found.add(made[node])
            continue
        following = [each for each, _ in getattr(node, "next_functions", ()) if each is not None]
        stack += [each for each in following if each not in seen]
        seen.update(following)
    if not found:
        raise ValueError(f"{type(network).__name__} has no linear layer or convolution at its end")
    return tuple(dict.fromkeys(name for name in made.values() if name in found))


def depths(network: nn.Module, example: Tensor) -> dict[str, float]:
    """Return how deep each parameter lies: 0 at the output, 1 at the input.

    Depth is the longest way from the logits through the computation, in its steps.

    Examples
    --------
    >>> network = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2), nn.Linear(2, 1))
    >>> found = depths(network, torch.zeros(1, 2))
    >>> [round(found[f"{i}.weight"], 2) for i in (0, 2, 3)]
    [1.0, 0.5, 0.25]
    """
    with still(network), torch.enable_grad():
        root = network(example).sum().grad_fn
    order = in_order(root)
    distance = dict.fromkeys(order, 0)
    for node in order:
        for inner, _ in node.next_functions:
            if inner is not None:
                distance[inner] = max(distance[inner], distance[node] + 1)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    found = {
        names[id(node.variable)]: float(steps)
        for node, steps in distance.items()
        if id(getattr(node, "variable", None)) in names
    }
    near, far = min(found.values()), max(found.values())
    return {name: (steps - near) / max(1.0, far - near) for name, steps in found.items()}


def in_order(root: Any) -> list[Any]:
    """Return the nodes of a graph of gradients, each before all that it leads to."""
    done: list[Any] = []
    seen, stack = {root}, [(root, iter(root.next_functions))]
    while stack:
        node, inner = stack[-1]
        for following, _ in inner:
            if following is not None and following not in seen:
                seen.add(following)
                stack.append((following, iter(following.next_functions)))
                break
        else:
            done.append(node)
            stack.pop()
    return done[::-1]


@contextmanager
def still(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and back."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
