"""What the families cost against braindecode's networks: parameters, MACs, and time in turn.

python benchmarks/cost.py
python benchmarks/cost.py --channels 3 --times 250 --sfreq 125 --batch 8 --repeats 1

One thread. `forward` is at inference, ours with batch norms folded; `step` is forward and
backward in training mode; `one trial` is the latency of a single one. MACs are of one trial,
attention included. "plain" has the same layout, widths and tokens as "cascaded", with multi-head
attention instead and the block of a plain transformer: one feed-forward network of ratio 4.
The ratio at the end is a step of EEGConformer or of ATCNet, the faster, to one of "cascaded".
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from typing import Any

from timing import one_thread

one_thread()

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from braindecode import models as peers  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from eegvit.networks.efficientvit.model import FAMILIES, EfficientViT  # noqa: E402
from eegvit.networks.fold import fold  # noqa: E402
from eegvit.networks.macs import count  # noqa: E402

PEERS = ("EEGNet", "ShallowFBCSPNet", "EEGConformer", "ATCNet", "CTNet")
PLAIN = {"attention": "plain", "sandwich": False, "interaction": False, "ffn_ratio": 4.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="eeg_s")
    parser.add_argument("--layout", default="conv")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--sfreq", type=float, default=250.0)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    networks = build(options)
    x = torch.randn(options.batch, options.channels, options.times)
    y = torch.arange(options.batch) % 4
    folded = {name: fold(network) for name, network in networks.items()}
    forward = in_turn({n: lambda n=n: infer(folded[n], x) for n in networks}, options.repeats)
    single = in_turn({n: lambda n=n: infer(folded[n], x[:1]) for n in networks}, options.repeats)
    train = in_turn({n: lambda n=n: step(networks[n], x, y) for n in networks}, options.repeats)
    print(f"{options.batch} x {options.channels} x {options.times}, medians of {options.repeats}")
    print(f"{'':16} parameters     MACs  one trial   forward      step")
    for name, network in networks.items():
        n_parameters = sum(p.numel() for p in network.parameters())
        macs = count(network, x[:1])
        print(
            f"{name:16} {n_parameters:10,} {macs / 1e6:7.1f}M {single[name]:7.2f} ms"
            f" {forward[name]:6.1f} ms {train[name]:6.1f} ms"
        )
    for name in ("plain", "linear", "EEGNet"):
        print(
            f"{name} to cascaded: forward {forward[name] / forward['cascaded']:.2f},"
            f" step {train[name] / train['cascaded']:.2f}"
        )
    nearest = min(train["EEGConformer"], train["ATCNet"])
    print(f"ratio {nearest / train['cascaded']:.1f}x")


def build(options: argparse.Namespace) -> dict[str, nn.Module]:
    """Return our families, the plain transformer, and the peers."""
    shape = (options.channels, options.times, 4)
    own: dict[str, Any] = {"sfreq": options.sfreq, "layout": options.layout}
    own["preset"] = options.preset
    found: dict[str, nn.Module] = {
        family: EfficientViT(*shape, family=family, **own) for family in FAMILIES
    }
    found["plain"] = EfficientViT(*shape, settings=PLAIN, **own)
    for name in PEERS:
        sizes = {"n_chans": shape[0], "n_times": shape[1], "n_outputs": shape[2]}
        found[name] = getattr(peers, name)(**sizes, sfreq=options.sfreq)
    return found


def in_turn(runs: dict[str, Any], repeats: int) -> dict[str, float]:
    """Run all in turn, several times; return the median milliseconds of each."""
    milliseconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()  # warm up
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            milliseconds[name].append(1e3 * (time.perf_counter() - start))
    return {name: statistics.median(values) for name, values in milliseconds.items()}


def infer(network: nn.Module, x: Tensor) -> Tensor:
    """Return what a network gives at inference."""
    with torch.inference_mode():
        return network(x)


def step(network: nn.Module, x: Tensor, y: Tensor) -> None:
    """Forward and backward of one batch."""
    network.train().zero_grad()
    F.cross_entropy(network(x), y).backward()


if __name__ == "__main__":
    main()
