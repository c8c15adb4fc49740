"""A network against braindecode's with the same weights: equal first, then timed in turn."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterable, Sequence

from timing import compare, one_thread

one_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from braindecode import models as peers  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from eegvit.networks.eegnet import EEGNet  # noqa: E402
from eegvit.networks.shallow import ShallowConvNet  # noqa: E402
from eegvit.preprocess.augment import augmenter  # noqa: E402

NETWORKS = {"EEGNet": EEGNet, "ShallowConvNet": ShallowConvNet}
AUGMENT = ("segment_recombine", "time_shift", "noise")
TOLERANCE = 1e-5


def against(own: str, peer: str, about: str | None, channels: Sequence[int]) -> None:
    """Compare two networks for some numbers of channels; the last one's ratio comes last."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, nargs="+", default=channels)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for n_channels in options.channels:
        torch.manual_seed(0)
        sizes = {"n_chans": n_channels, "n_times": options.times, "n_outputs": 4}
        networks = (
            NETWORKS[own](n_channels, options.times, 4, dropout=0.0),
            getattr(peers, peer)(**sizes, drop_prob=0.0),
        )
        transplant(*networks)
        rng = np.random.default_rng(0)
        X = rng.standard_normal((options.batch, n_channels, options.times), dtype=np.float32)
        y = np.arange(options.batch) % 4
        print(f"{own}, {options.batch} x {n_channels} x {options.times}")
        for what, (signals, labels) in {
            "in training mode": (X, y),
            "on an augmented batch": augmenter(AUGMENT)(X, y, rng),
        }.items():
            check(networks, torch.from_numpy(signals), torch.from_numpy(labels), what)
        batch = torch.from_numpy(X), torch.from_numpy(y)
        compare(lambda n=networks, b=batch: step(n[0], *b),
                lambda n=networks, b=batch: step(n[1], *b), options.repeats)  # fmt: skip


def step(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Forward and backward of one batch."""
    network.train().zero_grad()
    logits = network(x)
    F.cross_entropy(logits, y).backward()
    return logits.detach()


def check(networks: tuple[nn.Module, nn.Module], x: Tensor, y: Tensor, what: str) -> None:
    """Refuse networks whose outputs, gradients or running statistics differ."""
    own, peer = networks
    found = {"outputs": [(step(own, x, y), step(peer, x, y))]}
    found["gradients"] = [(a.grad, b.grad) for a, b in pairs(own.parameters(), peer.parameters())]
    found["running statistics"] = list(pairs(own.buffers(), peer.buffers()))
    told = []
    for name, couples in found.items():
        largest = np.max([float(b.abs().max()) for _, b in couples])
        off = [float((a - b.reshape(a.shape)).abs().max()) for a, b in couples]
        worst = np.max(off) / largest  # nan if one is
        assert worst < TOLERANCE, f"{what}, {name} differ by {worst} of the largest"
        told.append(f"{name} {worst:.0e}")
    print(f"largest difference {what}: {', '.join(told)} of the largest value")


def pairs(own: Iterable[Tensor], peer: Iterable[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Pair the tensors of two networks: both list those of one size in the same order."""
    left = [b for b in peer if b.is_floating_point()]
    found = []
    for mine in (a for a in own if a.is_floating_point()):
        match = next(b for b in left if b.numel() == mine.numel())
        left = [b for b in left if b is not match]
        found.append((mine, match))
    return found


def transplant(own: nn.Module, peer: nn.Module) -> None:
    """Give our network the peer's weights and running statistics."""
    with torch.no_grad():
        for mine, theirs in (
            *pairs(own.parameters(), peer.parameters()),
            *pairs(own.buffers(), peer.buffers()),
        ):
            mine.copy_(theirs.reshape(mine.shape))
