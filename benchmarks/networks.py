"""EEGNet and ShallowConvNet against braindecode's: one training step, one thread, same weights.

python benchmarks/networks.py eegnet --channels 22
python benchmarks/networks.py shallow
"""

from __future__ import annotations

import argparse
import warnings

from timing import compare, one_thread

one_thread()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from braindecode import models as peers  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from eegvit.networks.eegnet import EEGNet  # noqa: E402
from eegvit.networks.shallow import ShallowConvNet  # noqa: E402

PAIRS = {
    "eegnet": (EEGNet, peers.EEGNet),
    "shallow": (ShallowConvNet, peers.ShallowFBCSPNet),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", nargs="?", choices=PAIRS, default="eegnet")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    own_class, peer_class = PAIRS[options.network]
    own = own_class(options.channels, options.times, 4, dropout=0.0)
    peer = peer_class(n_chans=options.channels, n_times=options.times, n_outputs=4, drop_prob=0.0)
    transplant(peer, own)
    torch.manual_seed(0)
    x = torch.randn(options.batch, options.channels, options.times)
    y = torch.randint(4, (options.batch,))
    difference = float((step(own, x, y) - step(peer, x, y)).detach().abs().max())
    assert difference < 1e-4, f"the two networks differ by {difference}"
    print(
        f"{options.network} {tuple(x.shape)}, outputs in training mode differ by {difference:.1e}"
    )
    compare(lambda: step(own, x, y), lambda: step(peer, x, y), options.repeats)


def step(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Forward and backward of one batch."""
    network.train().zero_grad()
    logits = network(x)
    F.cross_entropy(logits, y).backward()
    return logits


def transplant(peer: nn.Module, own: nn.Module) -> None:
    """Give our network the peer's weights: both list weights of one size in the same order."""
    theirs = list(peer.parameters())
    for mine in own.parameters():
        match = next(p for p in theirs if p.numel() == mine.numel())
        theirs = [p for p in theirs if p is not match]
        with torch.no_grad():
            mine.copy_(match.reshape(mine.shape))


if __name__ == "__main__":
    main()
