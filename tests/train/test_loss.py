"""The loss of logits, and of networks that are judged at several places."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from eegvit.networks.auxiliary import Judged
from eegvit.networks.fusion.branches import NetworkBranch
from eegvit.networks.fusion.network import FusedNetwork
from eegvit.train import Recipe, train
from eegvit.train.loss import cross_entropy


def test_plain_logits_have_the_usual_loss() -> None:
    logits, y, weight = torch.randn(7, 3), torch.arange(7) % 3, torch.tensor([1.0, 2.0, 3.0])
    expected = F.cross_entropy(logits, y, weight, label_smoothing=0.1)
    assert cross_entropy(logits, y, weight, 0.1).item() == expected.item()


def test_others_add_their_mean_by_weight() -> None:
    told = Judged(torch.randn(5, 2), (torch.randn(5, 2), torch.randn(5, 2)), weight=0.4)
    y = torch.arange(5) % 2
    fused, *others = (F.cross_entropy(x, y) for x in (told.logits, *told.others))
    expected = fused + 0.4 * (others[0] + others[1]) / 2
    torch.testing.assert_close(cross_entropy(told, y), expected)


class Part(nn.Module):
    """A small network that looks at some of the samples."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop, self.head = start, stop, nn.Linear(2, 2)
        self.body = nn.Sequential(nn.Linear(stop - start, 16), nn.Tanh(), nn.Linear(16, 2))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        return [self.body(x[:, 0, self.start : self.stop])[..., None]]

    def forward_head(self, maps: list[Tensor]) -> Tensor:
        return self.head(maps[-1].flatten(1))


def test_a_strong_branch_starves_a_weak_one_but_for_the_auxiliary_loss() -> None:
    rng = np.random.default_rng(0)
    slow = rng.standard_normal((2000, 6)).astype(np.float32)
    y = (slow[:, 0] * slow[:, 1] > 0).astype(np.int64)  # takes a while to be learned
    fast = 3 * (2 * y - 1)[:, None] + 0.1 * rng.standard_normal((2000, 4)).astype(np.float32)
    X = np.concatenate([fast, slow], 1, dtype=np.float32)[:, None]

    def learned_by_the_weak(auxiliary: float) -> float:
        def build() -> nn.Module:
            parts = [NetworkBranch(nn.Identity(), Part(*where)) for where in ((0, 4), (4, 10))]
            return FusedNetwork(parts, n_channels=1, n_times=10, n_classes=2, auxiliary=auxiliary)

        recipe = Recipe(epochs=20, learning_rate=0.05)
        network, _ = train(build, X[:1000], y[:1000], recipe=recipe)
        weak = network.branches[1]
        with torch.no_grad():
            seen = weak.vector(weak(torch.from_numpy(X))).numpy()
        probe = LogisticRegression().fit(seen[:1000], y[:1000])
        return float(probe.score(seen[1000:], y[1000:]))

    starved, fed = learned_by_the_weak(0.0), learned_by_the_weak(1.0)
    assert starved < 0.7 and fed > 0.85, (starved, fed)
