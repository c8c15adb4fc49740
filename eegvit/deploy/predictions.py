"""What a decoder says of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities of each window of some recordings.

    Parameters
    ----------
    recording : array of str, shape (n,)
        Which recording.
    onset : array of float, shape (n,)
        Second of its cue, or at which a window without a cue begins; nan if not known.
    probabilities : array, shape (n, classes)
    classes : tuple of str
        Names of the columns.

    Examples
    --------
    >>> told = Predictions(
    ...     np.array(["a.edf"]), np.array([2.5]), np.array([[0.25, 0.75]]), ("left", "right")
    ... )
    >>> told.labels.tolist()
    ['right']
    >>> print(told.tsv(), end="")
    recording	onset	p_left	p_right	class
    a.edf	2.500	0.250000	0.750000	right
    """

    recording: NDArray[np.str_]
    onset: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def labels(self) -> NDArray[np.str_]:
        """The most probable class of each window."""
        return np.asarray(self.classes)[self.probabilities.argmax(axis=1)]

    def tsv(self) -> str:
        """Return a table: recording, onset, a probability for each class, and the class."""
        head = ["recording", "onset", *(f"p_{name}" for name in self.classes), "class"]
        lines = ["\t".join(head)]
        for place, onset, told, name in zip(
            self.recording, self.onset, self.probabilities, self.labels, strict=True
        ):
            when = "n/a" if np.isnan(onset) else f"{onset:.3f}"
            lines.append("\t".join([str(place), when, *(f"{p:.6f}" for p in told), str(name)]))
        return "".join(f"{line}\n" for line in lines)


def joined(parts: Sequence[Predictions]) -> Predictions:
    """Return the predictions of several recordings as one.

    Examples
    --------
    >>> one = Predictions(np.array(["a"]), np.zeros(1), np.array([[1.0, 0.0]]), ("x", "y"))
    >>> len(joined([one, one]))
    2
    """
    return Predictions(
        np.concatenate([part.recording for part in parts]),
        np.concatenate([part.onset for part in parts]),
        np.concatenate([part.probabilities for part in parts]),
        parts[0].classes,
    )
