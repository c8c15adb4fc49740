"""What was decided in rounds of pruning, in a file: a fit that is killed decides it once."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from eegvit.sealed import read_mapping, recall, write_sealed

Round = list[dict[str, list[int]]]  # units left, and then those of them that are there again


class Decided:
    """What the whole network costs, and which units each round left.

    A latency that is measured again is another one, and so would be what follows from it.

    Parameters
    ----------
    path : Path or None
        The file; None keeps nothing.
    fingerprint : str
        Of the pruning. Decisions of another one are not taken over.

    Attributes
    ----------
    whole : float or None
    rounds : list of Round

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "decided"
    >>> first = Decided(path, "a")
    >>> first.keep(10.0, [{":filters": [0, 2]}])
    >>> again = Decided(path, "a")
    >>> again.whole, again.rounds
    (10.0, [[{':filters': [0, 2]}]])
    """

    def __init__(self, path: Path | None, fingerprint: str) -> None:
        self.path, self.fingerprint = path, fingerprint
        self.whole: float | None = None
        self.rounds: list[Round] = []
        told = None if path is None else recall(path, read_mapping)
        if told is None:
            return
        if told.get("fingerprint") != fingerprint:
            warnings.warn(f"{path} is of another pruning: pruning starts anew", stacklevel=3)
            return
        self.whole, self.rounds = told["whole"], told["rounds"]

    def keep(self, whole: float, decided: Round) -> None:
        """Note what a round decided."""
        self.whole = whole
        self.rounds.append(decided)
        if self.path is not None:
            told = {"fingerprint": self.fingerprint, "whole": whole, "rounds": self.rounds}
            write_sealed(self.path, json.dumps(told).encode())
