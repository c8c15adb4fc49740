"""EfficientViT for EEG as a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.neural import NeuralClassifier
from eegvit.preprocess.reflection import opposite
from eegvit.preprocess.signals import EEG, Signals

if TYPE_CHECKING:
    from torch import nn

LONG_TRIAL = 2.0  # seconds from which trials are put together from parts of others
CASCADED_ONLY = ("cascade", "sandwich", "interaction", "key_dim", "ffn_ratio", "attention")


@dataclass(kw_only=True, eq=False, repr=False)
class EfficientViTClassifier(NeuralClassifier):
    """Efficient vision transformers on places of the scalp x time, and on filtered signals.

    By default two small networks side by side, each judged by itself, and three straight lines
    beside them; the probabilities are a mean of all. One network has a map of at most 6
    places x 16 columns of time. A row is the place of an electrode: eight filters over time, each
    with a spatial filter of its own there that sees all electrodes. Their log-power and their
    mean about each column are the planes. One block of cascaded group attention [1]_ follows, in
    which every place and moment sees every other, with a learned bias for the distance and
    direction between places and for the time between columns. The head sees weighted sums over
    the places in four stretches of the trial. The other has linear attention [2]_ over one row of
    filtered signals, a column every 64 ms. The lines are logistic regressions of a trial's
    covariance, of its course and of its spectrum: they hold for people not seen where trials are
    too few for networks. Networks count alike. Lines do too, but where four people or more train,
    they share what is theirs by how well each tells the classes of people who are left out.

    The parameters of training are those of `NeuralClassifier`; what is its own by default was
    chosen for a few thousand trials.

    Parameters
    ----------
    family : {"cascaded", "linear", "former", "multiscale"} or None
        Cascaded group attention [1]_, linear attention [2]_, EfficientFormerV2 [3]_, or windows
        of several sizes. None is linear on the one row of filtered signals and cascaded on all
        else, or cascaded everywhere if a setting of that family is given. Only the cascaded one
        knows rows of the scalp as places; to the others they are lines of a picture.
    preset : {"eeg_xxs", "eeg_xs", "eeg_s", "eeg_m"}, dict or None
        About 4, 10, 60 or 300 thousand parameters in one, two, three and three stages, the map
        coarser from each to the next. None is eeg_xxs on the scalp and eeg_xs on all else. Or what
        `eegvit.load_preset` reads from a file that `eegvit search` wrote; in a study, the file.
    layout : {"both", "scalp", "conv", "grid"}
        How a trial becomes a map: places on the scalp x time; temporal and spatial filters (one
        row); both of these, on a network each, whose probabilities are averaged; virtual
        electrodes that any montage is interpolated to.
    augment : str, tuple of str or None
        Names in `eegvit.preprocess.augment.AUGMENTATIONS`. None is "segment_recombine" where
        trials last two seconds or more; shorter ones are responses to an event, whose course
        must stay whole.
    lines : bool or None
        Whether straight lines judge beside the networks. None: in the layout "both", but not in a
        model fused of several branches.
    dropout : float
        Share of the features that the head sees set to zero in training.
    drop_path : float
        Share of residual branches that training leaves out at the last block, fewer before.
    multi_scale : bool
        Whether the head sees the maps of all stages or the last one only.
    segments : int
        Stretches of time whose means the head sees, so that it knows early from late.
    hemispheres : {"apart", "shared"}
        "shared" has places on the right of the scalp be those on the left in a mirror, so that a
        mirrored trial gives the mirrored map: their spatial filters are their partners' over
        mirrored electrodes, symmetric on the midline; norms, biases of places and what attention
        adds for two places are those of the mirror image. Of the two sums over places that the
        head sees of each plane, one counts left and right alike, one with opposite signs. It is of
        the cascaded family, in the layouts "scalp" and "both", there of the network on the scalp
        alone. Every electrode needs the one on the other side.
    cascade : bool or None
        Whether a head of attention sees what the one before it gave. This and all below are of
        the cascaded family only, and None is the preset's.
    sandwich : bool or None
        Whether a feed-forward network is on both sides of attention, or only after it.
    interaction : bool or None
        Whether depthwise convolutions come before attention and feed-forward networks.
    key_dim : int, "full" or None
        Width of a head's queries and keys; "full" is as wide as its values.
    ffn_ratio : float or None
        Hidden over outer planes of a feed-forward network.
    attention : {"cascaded", "plain"} or None
        "plain" is multi-head attention in the same windows.
    sfreq : float or None
        Sampling rate in Hz; not needed for an mne.Epochs.
    ch_names : tuple of str or None
        Names of the channels, for the layouts that place electrodes.

    Notes
    -----
    For a few thousand trials of several people, or for fewer after pretraining; with less,
    `eegnet`. All layouts but `conv` show attention on the scalp; the weights of `grid` are the
    same for every montage, so that one network serves several data sets. How channels are listed
    changes nothing in `scalp` and `grid`; where they are does.

    References
    ----------
    .. [1] Liu et al., EfficientViT: Memory efficient vision transformer with cascaded group
       attention. CVPR 2023.
    .. [2] Cai et al., EfficientViT: Multi-scale linear attention for high-resolution dense
       prediction. ICCV 2023.
    .. [3] Li et al., Rethinking vision transformers for MobileNet size and speed. ICCV 2023.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((24, 3, 64)), np.repeat(["left", "right"], 12)
    >>> X[y == "left", 0] *= 3
    >>> model = EfficientViTClassifier(preset="eeg_xs", sfreq=128.0, epochs=20, batch_size=8)
    >>> model.fit(X, y).score(X, y) > 0.8
    True
    """

    usual_epochs: ClassVar[int] = 20
    prunable: ClassVar[bool] = True

    family: Literal["cascaded", "linear", "former", "multiscale"] | None = None
    augment: str | tuple[str, ...] | None = None
    preset: Literal["eeg_xxs", "eeg_xs", "eeg_s", "eeg_m"] | dict[str, Any] | None = None
    layout: Literal["both", "scalp", "conv", "grid"] = "both"
    lines: bool | None = None
    dropout: float = 0.25
    drop_path: float = 0.0
    multi_scale: bool = False
    segments: int = 4
    hemispheres: Literal["apart", "shared"] = "apart"
    cascade: bool | None = None
    sandwich: bool | None = None
    interaction: bool | None = None
    key_dim: int | Literal["full"] | None = None
    ffn_ratio: float | None = None
    attention: Literal["cascaded", "plain"] | None = None
    sfreq: float | None = None
    ch_names: tuple[str, ...] | None = None

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return an untrained network."""
        from eegvit.networks.efficientvit.model import EfficientViT
        from eegvit.networks.efficientvit.twin import STREAMS, TwinEfficientViT

        shape = n_channels, n_times, n_classes
        settings: dict[str, Any] = {
            "sfreq": self.sampling_rate(),
            "ch_names": self.ch_names or self.ch_names_,
            "preset": self.preset,
            "dropout": self.dropout,
            "drop_path": self.drop_path,
            "multi_scale": self.multi_scale,
            "segments": self.segments,
            "hemispheres": self.hemispheres,
            "settings": self._cascaded_settings(),
        }
        if self.layout == "both":
            families = [self._family(stream) for stream in STREAMS]
            return TwinEfficientViT(*shape, family=families, **settings)
        family = self._family(self.layout)
        return EfficientViT(*shape, layout=self.layout, family=family, **settings)

    def unfitted(self, X: Signals) -> nn.Module:
        """Return the network that `fit` leaves, its lines included, before it has learned."""
        made: Any = super().unfitted(X)
        self._add_lines(made[1])
        return made

    def beside(
        self, X: Signals, rows: NDArray[np.int64], groups: ArrayLike | None
    ) -> NDArray[np.float32] | None:
        """Remember whose the trials are until `finish`; nothing is appended to them."""
        self.people_ = None if groups is None else np.asarray(groups)
        if self.people_ is not None and self.people_.shape != (len(X),):
            raise ValueError(f"groups has shape {self.people_.shape} for {len(X)} trials")
        return None

    def finish(self, X: Signals, codes: NDArray[np.int64], rows: NDArray[np.int64]) -> Self:
        """Find the lines beside the networks, and how much each counts, on training trials."""
        made: Any = self.module_
        people = self.__dict__.pop("people_", None)
        if self._add_lines(made[1]):
            balanced = self.class_weight == "balanced"
            find_lines(made, X, codes, rows, people=people, balanced=balanced)
        return self.keep(made, self.history_)

    def augmentations(self) -> tuple[str, ...]:
        """Return what was given, or what trials of this length are put together from."""
        if self.augment is not None:
            return super().augmentations()
        n_times = getattr(self, "n_times_in_", None)
        if n_times is not None and n_times / self.sampling_rate() < LONG_TRIAL:
            return ()
        return ("segment_recombine",)

    def moments(self, X: Signals, rows: NDArray[np.int64]) -> tuple[Signals, Signals]:
        """Return the mean and the deviation of each channel; partners may share them."""
        mean, scale = super().moments(X, rows)
        names = self.ch_names or self.ch_names_
        if self.hemispheres != "shared" or names is None:
            return mean, scale
        other = list(opposite(names, "hemispheres 'shared'"))
        return (mean + mean[other]) / 2, (scale + scale[other]) / 2

    def identity(self) -> dict[str, Any]:
        """Return the parameters that decide what it computes: not whence a preset came."""
        known = super().identity()
        if isinstance(self.preset, dict):
            known["preset"] = {k: v for k, v in self.preset.items() if k != "searched"}
        return known

    def attention_received(self, X: EEG) -> NDArray[np.float32]:
        """Return how much attention each electrode receives over time: (n, channels, steps).

        `eegvit.report.topography.draw_topography` draws it. For the layouts that keep
        electrodes apart: "both", "scalp" and "grid".
        """
        import torch

        from eegvit.networks.efficientvit.attention_maps import electrode_attention

        check_is_fitted(self, "module_")
        layers: Any = self.module_
        signals = torch.from_numpy(np.array(self.check_X(X), dtype=np.float32))
        return electrode_attention(layers[1], layers[0](signals)).numpy()

    def stages(self) -> tuple[str, dict[str, Any]]:
        """Return the family of its stages and what they are given, where it has one network."""
        from eegvit.networks.efficientvit.model import stage_settings
        from eegvit.networks.efficientvit.presets import usual_preset

        if self.layout == "both":
            raise ValueError("layout='both' is two networks: take 'scalp', 'conv' or 'grid'")
        family = self._family(self.layout)
        preset = self.preset or usual_preset(self.layout)
        return family, stage_settings(family, preset, self._cascaded_settings())

    def _add_lines(self, network: Any) -> bool:
        if self.lines and self.layout != "both":
            raise ValueError("lines=True: they stand beside the networks of layout='both'")
        if self.layout != "both" or self.lines is False:
            return False
        shape = self.n_channels_in_, self.n_times_in_, len(self.classes_)
        network.lines = network.lines_for(*shape, self.sampling_rate())
        return True

    def _family(self, layout: str) -> str:
        of_preset = self.preset["family"] if isinstance(self.preset, dict) else self.family
        if self.family not in (None, of_preset):
            raise ValueError(f"family='{self.family}': the preset is of '{of_preset}'")
        if of_preset is not None:
            return of_preset
        return "linear" if layout == "conv" and not self._cascaded_settings() else "cascaded"

    def _cascaded_settings(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in CASCADED_ONLY}
        given = {name: value for name, value in given.items() if value is not None}
        if given and self.family not in ("cascaded", None):
            raise ValueError(
                f"{', '.join(given)}: only the family 'cascaded' has this, not '{self.family}'"
            )
        if self.key_dim == "full":
            given["key_dim"] = None
        return given


def find_lines(
    network: Any,
    X: Signals,
    codes: NDArray[np.int64],
    rows: NDArray[np.int64],
    *,
    people: NDArray[Any] | None = None,
    balanced: bool = False,
    chunk: int = 256,
) -> None:
    """Find the lines of a standardised network on some trials, in bounded memory."""
    from torch import from_numpy, no_grad

    from eegvit.train.run import class_weights

    standardise, twin = network
    rows = np.sort(rows)
    parts = (rows[i : i + chunk] for i in range(0, len(rows), chunk))
    own, whose = codes[rows], None
    if people is not None:
        whose = from_numpy(np.unique(people[rows], return_inverse=True)[1])
    weight = class_weights(own, twin.lines.n_classes) if balanced else None
    with no_grad():
        batches = (standardise(from_numpy(np.array(X[part], np.float32))) for part in parts)
        twin.lines.settle(batches, from_numpy(own), weight, whose)
