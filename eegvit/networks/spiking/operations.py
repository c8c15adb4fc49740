"""What a spiking network does on some trials, and what that costs beside a dense network.

Where the input of a synapse is 0 or 1, a spike costs an addition and its absence nothing.
Energies are those of 32-bit floating point in 45 nm [1]_: 0.9 pJ an addition, 3.7 pJ a
multiplication. They leave out moving numbers, which often costs more.

.. [1] Horowitz, Computing's energy problem (and what we can do about it). ISSCC 2014.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from eegvit.networks.spiking.lif import LIF

ADDITION = 0.9  # picojoules
MULTIPLY_ACCUMULATE = 4.6
RASTER_NEURONS = 32


@dataclass(frozen=True)
class Operations:
    """Operations of a spiking network for one trial, beside the same network without spikes.

    Attributes
    ----------
    synaptic : float
        Additions: a spike times the neurons that it reaches.
    analogue : float
        Multiply-accumulates of linear layers whose input is not spikes.
    leak : float
        Multiply-accumulates of the neurons: one a sample, spike or not.
    dense : float
        Multiply-accumulates of all linear layers, were no input spikes.

    Examples
    --------
    >>> Operations(synaptic=1000.0, analogue=100.0, leak=10.0, dense=5000.0).ratio
    16.3...
    """

    synaptic: float
    analogue: float
    leak: float
    dense: float

    @property
    def energy(self) -> float:
        """Picojoules with spikes."""
        return ADDITION * self.synaptic + MULTIPLY_ACCUMULATE * (self.analogue + self.leak)

    @property
    def dense_energy(self) -> float:
        """Picojoules without spikes; neither leak nor activation is counted."""
        return MULTIPLY_ACCUMULATE * self.dense

    @property
    def ratio(self) -> float:
        """How often the energy with spikes goes into that without."""
        return self.dense_energy / self.energy


def spike_trains(network: nn.Module, x: Tensor, batch_size: int = 64) -> dict[str, Tensor]:
    """Return the spikes (n, features, times) of each `LIF` in a network, by its name.

    Examples
    --------
    >>> from eegvit.networks.spiking.front import SpikingFront
    >>> trains = spike_trains(SpikingFront(3, sfreq=250.0), torch.ones(2, 3, 100))
    >>> trains["neurons"].shape, trains["neurons"].dtype
    (torch.Size([2, 3, 100]), torch.bool)
    """
    found: dict[str, list[Tensor]] = {}

    def note(name: str, _: nn.Module, __: Tensor, output: Any) -> None:
        found.setdefault(name, []).append(output[0].bool().permute(1, 2, 0))

    with _watched(network, note, (LIF,)):
        _run(network, x, batch_size)
    return {name: torch.cat(parts) for name, parts in found.items()}


def count_operations(network: nn.Module, x: Tensor, batch_size: int = 64) -> Operations:
    """Count what linear layers and neurons do for a trial, on average over trials x.

    Other layers are not counted.

    Examples
    --------
    >>> from eegvit.networks.spiking.network import SpikingNetwork
    >>> network = SpikingNetwork(3, 100, 2, sfreq=250.0, n_features=8, n_hidden=4)
    >>> done = count_operations(network, torch.randn(2, 3, 100))
    >>> done.leak, done.dense - done.analogue == 100 * 8 * 4
    (1200.0, True)
    """
    synaptic = analogue = leak = dense = 0.0

    def note(_: str, module: nn.Module, given: Tensor, output: Any) -> None:
        nonlocal synaptic, analogue, leak, dense
        if isinstance(module, LIF):
            leak += given.numel()
            if module.recurrent is not None:
                reached = module.recurrent.shape[0]
                synaptic += float(output[0][:-1].sum()) * reached
                dense += output[0][:-1].numel() * reached
        elif isinstance(module, nn.Linear):
            reached = module.out_features
            dense += given.numel() * reached
            if given.ndim == 3 and bool(((given == 0) | (given == 1)).all()):  # spikes in time
                synaptic += float(given.sum()) * reached
            else:
                analogue += given.numel() * reached

    with _watched(network, note, (LIF, nn.Linear)):
        _run(network, x, batch_size)
    return Operations(*(count / len(x) for count in (synaptic, analogue, leak, dense)))


def activity(network: nn.Module, x: Tensor, sfreq: float) -> dict[str, Any]:
    """Return what the spiking layers of a network do on some trials, as plain values.

    Returns
    -------
    dict
        "layers": neurons and mean spikes a second of each; "operations": those of a trial, as
        in `Operations`, and the energies in picojoules; "raster": the spike times in seconds
        of the first layer's first neurons, in the first trial. Empty without spiking layers.

    Examples
    --------
    >>> from eegvit.networks.spiking.front import SpikingFront
    >>> told = activity(SpikingFront(3, sfreq=250.0), torch.ones(2, 3, 100), 250.0)
    >>> told["layers"][0]["neurons"], len(told["raster"]), sorted(told)
    (3, 3, ['layers', 'operations', 'raster', 'seconds'])
    """
    trains = spike_trains(network, x)
    if not trains:
        return {}
    done = count_operations(network, x)
    first = next(iter(trains.values()))[0, :RASTER_NEURONS]  # (neurons, times)
    return {
        "layers": [
            {
                "name": name,
                "neurons": train.shape[1],
                "rate": float(train.double().mean()) * sfreq,
            }
            for name, train in trains.items()
        ],
        "operations": asdict(done) | {"energy": done.energy, "dense_energy": done.dense_energy},
        "raster": [
            [round(int(t) / sfreq, 4) for t in neuron.nonzero().flatten()] for neuron in first
        ],
        "seconds": first.shape[1] / sfreq,
    }


@contextmanager
def _watched(
    network: nn.Module,
    note: Callable[[str, nn.Module, Tensor, Any], None],
    kinds: tuple[type[nn.Module], ...],
) -> Iterator[None]:
    """Call `note` with name, module, input and output whenever a module of some kind has run."""

    def hook(name: str) -> Callable[..., None]:
        return lambda module, inputs, output: note(name, module, inputs[0], output)

    handles = [
        module.register_forward_hook(hook(name))
        for name, module in network.named_modules()
        if isinstance(module, kinds)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _run(network: nn.Module, x: Tensor, batch_size: int) -> None:
    """Compute a network at inference, and leave its modes as they were."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        with torch.inference_mode():
            for part in x.split(batch_size):
                network(part)
    finally:
        for module, training in modes:
            module.training = training
