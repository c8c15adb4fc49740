"""Values on the scalp over time, one head for each stretch of the trial."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def draw_topography(
    values: Array,
    ch_names: Sequence[str],
    path: Path,
    *,
    window: tuple[float, float],
    label: str = "attention received",
    n_heads: int = 8,
) -> Path:
    """Draw what each electrode has in each stretch of time as a row of heads, by MNE.

    Parameters
    ----------
    values : array, shape (channels, steps)
        For example the mean over trials of `EfficientViTClassifier.attention_received`.
    ch_names : sequence of str
        Names of the 10-05 system.
    path : Path
        The picture; its ending says of which kind.
    window : (float, float)
        When the first step begins and the last one ends, in seconds.
    label : str
        What the values are.
    n_heads : int
        Most heads to draw; steps are averaged to as many.

    Examples
    --------
    >>> import tempfile
    >>> values = np.random.default_rng(0).random((3, 20))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = draw_topography(
    ...         values, ("C3", "Cz", "C4"), Path(folder) / "a.png", window=(0, 4)
    ...     )
    ...     path.stat().st_size > 1000
    True
    """
    import mne
    from matplotlib.figure import Figure

    info = _info(ch_names)
    parts = np.array_split(np.asarray(values, dtype=np.float64), min(n_heads, values.shape[1]), 1)
    means = np.stack([part.mean(axis=1) for part in parts])  # (heads, channels)
    edges = np.cumsum([0, *(part.shape[1] for part in parts)]) / values.shape[1]
    seconds = window[0] + edges * (window[1] - window[0])
    limits = float(means.min()), float(means.max())
    # drawn by the figure's own canvas: nothing is shared with the user's plots
    figure = Figure(figsize=(1.5 * len(means) + 0.8, 2.1), dpi=150, layout="constrained")
    axes = figure.subplots(1, len(means), squeeze=False)[0]
    for number, (axis, mean) in enumerate(zip(axes, means, strict=True)):
        picture, _ = mne.viz.plot_topomap(
            mean,
            info,
            axes=axis,
            show=False,
            vlim=limits,
            cmap="viridis",
            contours=0,
            extrapolate="local",  # nothing is drawn where no electrode is near
        )
        axis.set_title(f"{seconds[number]:.2g} to {seconds[number + 1]:.2g} s", fontsize=8)
    bar = figure.colorbar(picture, ax=list(axes), shrink=0.7, pad=0.01)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.savefig(path)
    return path


def _info(ch_names: Sequence[str]) -> Any:
    """Return MNE's description of the electrodes, with their places."""
    import mne

    from eegvit.data.montage import standard_montage

    montage = standard_montage()
    known = {name.lower() for name in montage.ch_names}
    if unknown := [name for name in ch_names if name.lower() not in known]:
        raise ValueError(
            f"no position is known for {', '.join(unknown)}: a topography needs names of the"
            " 10-05 system"
        )
    info = mne.create_info(list(ch_names), 1.0, "eeg")
    return info.set_montage(montage, match_case=False)
