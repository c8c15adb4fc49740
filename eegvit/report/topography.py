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
    """Draw what each electrode has in each stretch of time as a row of heads.

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
    from matplotlib.figure import Figure

    points = flat_positions(ch_names)
    parts = np.array_split(np.asarray(values, dtype=np.float64), min(n_heads, values.shape[1]), 1)
    means = np.stack([part.mean(axis=1) for part in parts])  # (heads, channels)
    edges = np.cumsum([0, *(part.shape[1] for part in parts)]) / values.shape[1]
    seconds = window[0] + edges * (window[1] - window[0])
    # drawn by the figure's own canvas: nothing is shared with the user's plots
    figure = Figure(figsize=(1.5 * len(means) + 0.8, 2.1), dpi=150, layout="constrained")
    axes = figure.subplots(1, len(means), squeeze=False)[0]
    limits = float(means.min()), float(means.max())
    for number, (axis, mean) in enumerate(zip(axes, means, strict=True)):
        picture = _draw_head(axis, points, mean, limits)
        axis.set_title(f"{seconds[number]:.2g} to {seconds[number + 1]:.2g} s", fontsize=8)
    bar = figure.colorbar(picture, ax=list(axes), shrink=0.7, pad=0.01)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.savefig(path)
    return path


def flat_positions(ch_names: Sequence[str]) -> Array:
    """Return where electrodes are on a head seen from above, whose radius is 1: (channels, 2).

    Examples
    --------
    >>> flat_positions(("C3", "C4"))[:, 0].round(1).tolist()
    [-0.5, 0.5]
    """
    from eegvit.data.montage import electrode_directions

    known = electrode_directions(tuple(ch_names))
    unknown = [name for name in ch_names if name not in known]
    if unknown:
        raise ValueError(
            f"no position is known for {', '.join(unknown)}: a topography needs names of the"
            " 10-05 system"
        )
    directions = np.stack([known[name] for name in ch_names])
    from_crown = np.arccos(np.clip(directions[:, 2], -1, 1))
    sideways = directions[:, :2]
    length = np.linalg.norm(sideways, axis=1, keepdims=True)
    unit = np.divide(sideways, length, out=np.zeros_like(sideways), where=length > 1e-9)
    flat: Array = unit * (from_crown / (np.pi / 2))[:, None]
    return flat


def _draw_head(axis: Any, points: Array, values: Array, limits: tuple[float, float]) -> Any:
    """Draw one head and return its picture, for the scale of colours."""
    from matplotlib.patches import Circle
    from scipy.interpolate import RBFInterpolator

    side = np.linspace(-1.05, 1.05, 80)
    grid = np.stack(np.meshgrid(side, side), axis=-1)  # (80, 80, 2)
    spread = RBFInterpolator(points, values, kernel="linear", degree=0, smoothing=1e-6)
    field = spread(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    picture = axis.pcolormesh(
        side, side, field, vmin=limits[0], vmax=limits[1], cmap="viridis", shading="auto"
    )
    picture.set_clip_path(Circle((0, 0), 1, transform=axis.transData))
    turn = np.linspace(0, 2 * np.pi, 100)
    axis.plot(np.cos(turn), np.sin(turn), color="black", linewidth=1)
    axis.plot([-0.12, 0, 0.12], [0.99, 1.15, 0.99], color="black", linewidth=1)  # nose
    axis.plot(*points.T, "o", color="black", markersize=2)
    axis.set_aspect("equal")
    axis.axis("off")
    return picture
