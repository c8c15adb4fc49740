"""An epoch of EEGNet on 1, 3 and 9 folds: trained together against one by one, one thread.

python benchmarks/folds_together.py
python benchmarks/folds_together.py --device cuda
python benchmarks/folds_together.py --batch 16 --channels 8 --times 128 --trials 144

Before it is timed the results are compared: after the epoch the probabilities differ by less
than 1e-4 and, in double precision and for up to three folds, so does every weight.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from timing import compare, one_thread

one_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from eegvit.networks.device import choose_device  # noqa: E402
from eegvit.networks.eegnet import EEGNet  # noqa: E402
from eegvit.networks.layers import Standardise  # noqa: E402
from eegvit.networks.predict import predict_proba  # noqa: E402
from eegvit.train import Recipe, train, train_together  # noqa: E402

Fits = list[tuple[nn.Module, Any]]
FOLDS = (1, 3, 9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, default=22)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=144, help="of which a ninth is a fold")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = choose_device(options.device)
    rng = np.random.default_rng(0)
    shape = (options.trials, options.channels, options.times)
    X, y = rng.standard_normal(shape, dtype=np.float32), np.arange(options.trials) % 4
    name = torch.cuda.get_device_name() if device == "cuda" else device
    print(f"EEGNet, batches of {options.batch} of {shape} on {name}, one epoch")
    for n_folds in FOLDS:
        together, alone = ways(X, y, n_folds, options.batch, device)
        differ = difference(together, alone, X, device)
        assert differ < 1e-4, f"fits together and one by one differ by {differ}"
        print(f"\n{n_folds} fold{'s' * (n_folds > 1)}, results differ by {differ:.1e}")
        compare(together, alone, options.repeats, ("together", "one by one"))


def ways(
    X: Any, y: Any, n_folds: int, batch: int, device: str
) -> tuple[Callable[..., Fits], Callable[..., Fits]]:
    """Return the two ways to train on a number of folds, in a precision."""
    recipe = Recipe(epochs=1, batch_size=batch)
    trial = np.arange(len(y))
    folds = [np.flatnonzero(trial * 9 // len(y) != fold) for fold in range(n_folds)]

    def build(dtype: torch.dtype) -> nn.Module:
        n_channels, n_times = X.shape[1:]
        standardise = Standardise(torch.zeros(n_channels), torch.ones(n_channels))
        return nn.Sequential(standardise, EEGNet(n_channels, n_times, 4)).to(dtype)

    def together(dtype: torch.dtype = torch.float32) -> Fits:
        builds = [lambda: build(dtype)] * n_folds
        seeds = range(n_folds)
        return train_together(builds, X, y, recipe=recipe, rows=folds, seeds=seeds, device=device)

    def alone(dtype: torch.dtype = torch.float32) -> Fits:
        return [
            train(lambda: build(dtype), X, y, recipe=recipe, rows=rows, seed=seed, device=device)
            for seed, rows in enumerate(folds)
        ]

    return together, alone


def difference(
    together: Callable[..., Fits], alone: Callable[..., Fits], X: Any, device: str
) -> float:
    """Return how much the results differ."""
    found = []
    for (network, _), (other, _) in zip(together(), alone(), strict=True):
        told = predict_proba(network, X, device=device) - predict_proba(other, X, device=device)
        found.append(np.abs(told).max())
    if len(found) > 3:
        return max(found)
    # in single precision, AdamW makes steps of the rounding errors of weights without effect
    for (network, _), (other, _) in zip(together(torch.float64), alone(torch.float64), strict=True):
        its = other.state_dict()
        found += [float((w - its[name]).abs().max()) for name, w in network.state_dict().items()]
    return max(found)


if __name__ == "__main__":
    main()
