"""Labels of a batch: class codes, perhaps with what somebody says of each class beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]  # (n,) codes; or (n, 1 + classes): the code, and a number for each class


def codes_of(y: Labels) -> NDArray[np.int64]:
    """Return the class codes of labels that may have more beside them.

    Examples
    --------
    >>> codes_of(np.array([[1.0, 0.5, 0.5], [0.0, 0.2, 0.8]])).tolist()
    [1, 0]
    """
    return (y[:, 0] if y.ndim == 2 else y).astype(np.int64, copy=False)
