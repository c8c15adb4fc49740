"""Each trial of a recording predicted, and then the network updated by it: no label is seen.

The method is that of T-TIME [1]_.

.. [1] Li et al., T-TIME: Test-time information maximization ensemble for plug-and-play BCIs.
   IEEE Transactions on Biomedical Engineering 71(2), 2024.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from eegvit.networks.predict import move, predict_proba, to_device
from eegvit.train.information import information_loss

CONFIDENT = 0.7  # a probability above it counts as seen


def predicted(
    network: nn.Module,
    X: NDArray[np.float32],
    *,
    window: int = 8,
    learning_rate: float = 1e-3,
    temperature: float = 2.0,
    balanced: bool = True,
    device: str = "cpu",
) -> NDArray[np.float64]:
    """Return the probabilities of trials in their order, by a copy that is updated after each.

    A trial is predicted by the network as the trials before it left it. Then one step of Adam
    goes by the last `window` trials; before there are so many, nothing is updated. Predictions
    and steps are both of the network in inference, with the running statistics of its training
    and nothing dropped. With live statistics and dropout, as in the paper, a step would go by
    another function than the one that predicts.

    Parameters
    ----------
    network : Module
        Trained: trials in, logits out. It stays as it is.
    X : array, shape (trials, channels, times)
        The trials of one recording, in the order of time.
    window, learning_rate, temperature, balanced
        As for `AdaptingClassifier`.
    device : str

    Examples
    --------
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    >>> X = np.random.default_rng(0).standard_normal((9, 2, 3)).astype(np.float32)
    >>> told, plain = predicted(network, X, learning_rate=0.1), predict_proba(network, X)
    >>> same = np.isclose(told, plain).all(axis=1)
    >>> same.tolist()
    [True, True, True, True, True, True, True, True, False]
    """
    network = copy.deepcopy(network).eval()
    able = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(able, lr=learning_rate)
    told, seen = [], None
    for i in range(len(X)):
        told.append(predict_proba(network, X[i : i + 1], device=device))
        if i + 1 < window:
            continue
        move(network, device)
        logits = network(to_device(X[i + 1 - window : i + 1], device))
        P = (logits / temperature).softmax(1)
        optimizer.zero_grad()
        information_loss(P, None if balanced or seen is None else seen).backward()
        optimizer.step()
        seen = confident(P) if seen is None else seen + confident(P[-1:])
    return np.concatenate(told)


def confident(P: Tensor) -> Tensor:
    """Return how many trials are taken to be of each class for sure.

    Examples
    --------
    >>> confident(torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]])).tolist()
    [2.0, 0.0]
    """
    return (P.detach() > CONFIDENT).sum(0).to(P.dtype)
