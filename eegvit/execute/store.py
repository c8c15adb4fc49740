"""The store of predictions: what a fit said about which trials, written whole or not at all.

Every file carries a checksum; one that is damaged is set aside and counts as not there.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eegvit.execute.npz import read_arrays
from eegvit.sealed import (
    clear_half_made,
    is_stale,
    read_mapping,
    read_sealed,
    recall,
    write_sealed,
)

FINISHED = (".npz", ".safetensors")  # what a fit or a pretraining ends with


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted probabilities of some trials by one fit.

    Parameters
    ----------
    ids : array of str, shape (n,)
        Which trials: subject/session/run/index.
    blocks : array of str, shape (n,)
        Key of the data block that each trial came from.
    probabilities : array of float64, shape (n, classes)
        One column for each class of the study, in its order.
    about : dict
        Seconds, parameters, peak memory, warnings, versions.

    Examples
    --------
    >>> one = Prediction(np.array(["1/0/0/0", "1/0/0/1"]), np.array(["b", "b"]), np.eye(2), {})
    >>> one.select(np.array(["1/0/0/1"]), np.array(["b"])).tolist()
    [[0.0, 1.0]]
    """

    ids: NDArray[np.str_]
    blocks: NDArray[np.str_]
    probabilities: NDArray[np.float64]
    about: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> dict[tuple[str, str], int]:
        """Return where each trial is."""
        return {
            trial: row
            for row, trial in enumerate(zip(self.blocks.tolist(), self.ids.tolist(), strict=True))
        }

    def covers(self, ids: NDArray[np.str_], blocks: NDArray[np.str_]) -> bool:
        """Say whether all these trials were predicted."""
        wanted = set(zip(blocks.tolist(), ids.tolist(), strict=True))
        return wanted <= set(zip(self.blocks.tolist(), self.ids.tolist(), strict=True))

    def select(self, ids: NDArray[np.str_], blocks: NDArray[np.str_]) -> NDArray[np.float64]:
        """Return the probabilities of these trials, in their order."""
        known = self.rows()
        order = [known[trial] for trial in zip(blocks.tolist(), ids.tolist(), strict=True)]
        return self.probabilities[order]

    def joined(self, other: Prediction) -> Prediction:
        """Return these predictions and those of the other that are not among them."""
        known = self.rows()
        new = [row for trial, row in other.rows().items() if trial not in known]
        return Prediction(
            np.concatenate([self.ids, other.ids[new]]),
            np.concatenate([self.blocks, other.blocks[new]]),
            np.concatenate([self.probabilities, other.probabilities[new]]),
            self.about,
        )


class Store:
    """Predictions and failures of fits in a folder, by the keys of the fits.

    A key is ``family/digest``: fits of one branch with one set of parameters share a family,
    so that how long such a fit takes can be looked up.

    Parameters
    ----------
    root : Path
        The folder; it is made when something is saved.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        for family in self.root.glob("*/"):
            clear_half_made(family)
        for left in self.root.glob("*/*.checkpoint"):
            if is_stale(left) and any(left.with_suffix(end).exists() for end in FINISHED):
                left.unlink(missing_ok=True)  # its process was killed when it had finished

    def has(self, key: str, ids: NDArray[np.str_], blocks: NDArray[np.str_]) -> bool:
        """Say whether this fit has predicted these trials."""
        known = self.load(key)
        return known is not None and known.covers(ids, blocks)

    def load(self, key: str) -> Prediction | None:
        """Return what a fit predicted, or None if it is not here or was damaged."""
        return recall(self._file(key), _read)

    def save(self, key: str, prediction: Prediction) -> None:
        """Keep what a fit predicted, beside what it predicted before."""
        known = self.load(key)
        if known is not None:
            prediction = prediction.joined(known)
        names, block = np.unique(prediction.blocks, return_inverse=True)
        content = io.BytesIO()
        np.savez(
            content,
            ids=prediction.ids,
            block=block,
            block_names=names,
            probabilities=prediction.probabilities,
            about=np.array(json.dumps(prediction.about)),
        )
        write_sealed(self._file(key), content.getvalue())
        self._failure_file(key).unlink(missing_ok=True)

    def fail(self, key: str, reason: str, traceback: str = "", **about: Any) -> None:
        """Keep why a fit failed; the next run tries it again."""
        text = json.dumps({"reason": reason, "traceback": traceback, **about}, indent=1)
        write_sealed(self._failure_file(key), text.encode("utf-8"))

    def failure(self, key: str) -> dict[str, Any] | None:
        """Return why a fit failed, or None if it did not."""
        return recall(self._failure_file(key), read_mapping)

    def seconds(self, family: str, most: int = 20) -> float | None:
        """Return how long fits of this family took on average, or None if none is known."""
        times = []
        for path in sorted((self.root / family).glob("*.npz"))[:most]:
            known = self.load(f"{family}/{path.stem}")
            if known is not None:
                times.append(known.about["seconds_fit"] + known.about["seconds_predict"])
        return sum(times) / len(times) if times else None

    def checkpoint(self, key: str) -> Path:
        """Return the file that a fit in progress may continue from."""
        path = self.root / f"{key}.checkpoint"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def weights(self, key: str) -> Path:
        """Return the file of the weights of a pretraining."""
        return self.root / f"{key}.safetensors"

    def note(self, key: str) -> dict[str, Any] | None:
        """Return what was noted under a key, or None if nothing was."""
        return recall(self.root / f"{key}.json", read_mapping)

    def keep_note(self, key: str, about: Mapping[str, Any]) -> None:
        """Note something under a key."""
        write_sealed(self.root / f"{key}.json", json.dumps(about).encode("utf-8"))

    def _file(self, key: str) -> Path:
        return self.root / f"{key}.npz"

    def _failure_file(self, key: str) -> Path:
        return self.root / f"{key}.failed.json"


def _read(path: Path) -> Prediction:
    """Return the predictions in a file; an error if they do not fit together."""
    saved = read_arrays(read_sealed(path))
    names, about = saved["block_names"], json.loads(str(saved["about"]))
    found = Prediction(saved["ids"], names[saved["block"]], saved["probabilities"], about)
    if not len(found.ids) == len(found.blocks) == len(found.probabilities):
        raise ValueError("ids, blocks and probabilities differ in length")
    return found
