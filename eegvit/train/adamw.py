"""AdamW [1]_ for several fits at once, each with its own rate and its own count of steps.

.. [1] Loshchilov and Hutter, Decoupled weight decay regularization. ICLR 2019.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class StackedAdamW:
    """The weights of several fits, a row for each, and AdamW's moments of their gradients.

    Parameters
    ----------
    weights : Tensor, shape (fits, numbers)
        They are changed in place.
    betas, eps
        As in `torch.optim.AdamW`.

    Examples
    --------
    >>> weights = torch.ones(2, 3)
    >>> optimiser = StackedAdamW(weights)
    >>> gradient, decay = torch.ones(1, 3), torch.zeros(3)
    >>> optimiser.step(torch.tensor([1]), gradient, decay, rates=[0.25], counts=[1])
    >>> weights.tolist()
    [[1.0, 1.0, 1.0], [0.75, 0.75, 0.75]]
    """

    def __init__(
        self, weights: Tensor, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8
    ) -> None:
        self.weights, self.betas, self.eps = weights, betas, eps
        self.mean, self.square = torch.zeros_like(weights), torch.zeros_like(weights)

    def step(
        self, rows: Tensor, gradient: Tensor, decay: Tensor, rates: list[float], counts: list[int]
    ) -> None:
        """Change some rows.

        Parameters
        ----------
        rows : Tensor of int64, shape (n,)
        gradient : Tensor, shape (n, numbers)
        decay : Tensor, shape (numbers,)
            Weight decay of each number.
        rates : list of float
            Learning rate of each row.
        counts : list of int
            The number of each row's step, from 1.
        """

        def column(values: list[float]) -> Tensor:
            return torch.tensor(values, dtype=gradient.dtype, device=gradient.device)[:, None]

        first, second = self.betas
        mean = self.mean[rows].lerp_(gradient, 1 - first)
        square = self.square[rows].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        self.mean[rows], self.square[rows] = mean, square
        length = column([rate / (1 - first**n) for rate, n in zip(rates, counts, strict=True)])
        scale = square.sqrt_() / column([math.sqrt(1 - second**n) for n in counts]) + self.eps
        weights = self.weights[rows] * (1 - column(rates) * decay)
        self.weights[rows] = weights - length * mean / scale
