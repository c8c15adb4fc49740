"""What the store says of a request: its trials' probabilities, recentred where it asks for that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eegvit.ensemble.recentring import by_recording, recentred, recentred_so_far
from eegvit.execute.store import Prediction
from eegvit.plan.fit import Request


def told_of(request: Request, prediction: Prediction | None) -> NDArray[np.float64] | None:
    """Return what a fit's prediction says of the trials of a request; None if it lacks some.

    Parameters
    ----------
    request : Request
    prediction : Prediction or None
        As the store has it of the request's fit.
    """
    ids, blocks = request.view.ids[request.test], request.view.block_keys[request.test]
    if prediction is None or not prediction.covers(ids, blocks):
        return None
    told = prediction.select(ids, blocks)
    if request.shares is None:
        return told
    how = recentred_so_far if request.causal else recentred
    return by_recording(told, blocks, request.shares, how)
