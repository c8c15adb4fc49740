"""An efficient vision transformer for EEG: a layout, the stages of a family, a head."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.config.presets import stages_of
from eegvit.networks.efficientvit.blocks import NormLinear, Stages
from eegvit.networks.efficientvit.maps.durations import STEP, samples
from eegvit.networks.efficientvit.maps.hemispheres import SharedScalpMap
from eegvit.networks.efficientvit.maps.layouts import make_layout
from eegvit.networks.efficientvit.maps.scalp_map import ScalpMap
from eegvit.networks.efficientvit.presets import EEG, usual_preset
from eegvit.networks.efficientvit.rows import (
    N_SUMS,
    FoldedHead,
    RowSums,
    SharedRowSums,
    segment_means,
)
from eegvit.networks.fold import within
from eegvit.registry import lookup, suggest

FAMILIES: dict[str, str] = {
    "cascaded": "eegvit.networks.efficientvit.families.cascaded:CascadedStages",
    "linear": "eegvit.networks.efficientvit.families.linear:LinearStages",
    "former": "eegvit.networks.efficientvit.families.former:FormerStages",
    "multiscale": "eegvit.networks.efficientvit.families.multiscale:MultiscaleStages",
}


class EfficientViT(nn.Module):
    """Trials on a map, stages of attention that get coarser, and a linear head.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
        Shape of a trial and number of logits. Longer and shorter trials work as well.
    sfreq : float
    ch_names : sequence of str or None
        For the layouts that place electrodes.
    family : str
        A name in `FAMILIES`.
    preset : str, mapping or None
        Settings of the stages: a name in `presets.EEG[family]`, or what a preset's file says.
        None is the layout's usual one.
    layout : str
        A name in `layouts.LAYOUTS`.
    dropout : float
        Of the features that the head sees.
    drop_path : float
        Share of residual branches that training leaves out at the last block, fewer before.
    multi_scale : bool
        Whether the head sees the maps of all stages or the last one only.
    segments : int
        Stretches of time whose means the head sees, so that it knows early from late.
    hemispheres : {"apart", "shared"}
        Whether places on the right of the scalp share the weights of those on the left, mirrored.
    settings : mapping or None
        Arguments of the stages that replace the preset's.

    Examples
    --------
    >>> network = EfficientViT(22, 1000, 4, sfreq=250.0)
    >>> network(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        sfreq: float,
        ch_names: Sequence[str] | None = None,
        family: str = "cascaded",
        preset: str | Mapping[str, Any] | None = None,
        layout: str = "scalp",
        dropout: float = 0.25,
        drop_path: float = 0.0,
        multi_scale: bool = False,
        segments: int = 4,
        hemispheres: str = "apart",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        shortest = samples(2 * STEP, sfreq)
        if n_times < shortest:
            raise ValueError(
                f"EfficientViT makes a column of {shortest} samples, but a trial has only"
                f" {n_times}: take a longer window"
            )
        if segments < 1:
            raise ValueError(f"segments={segments!r}: it must be 1 or more")
        self.dropout, self.multi_scale, self.segments = dropout, multi_scale, segments
        preset = preset or usual_preset(layout)
        given = stage_settings(family, preset, {"drop_path": drop_path, **(settings or {})})
        widths = given["widths"]
        self.layout = make_layout(
            layout,
            n_channels,
            n_times,
            widths[0],
            sfreq=sfreq,
            ch_names=ch_names,
            hemispheres=hemispheres,
        )
        shared = isinstance(self.layout, SharedScalpMap)
        if shared and family != "cascaded":
            raise ValueError(
                f"hemispheres 'shared' needs the family 'cascaded': to '{family}' places are lines"
                " of a picture, which a mirror puts in another order"
            )
        if isinstance(self.layout, ScalpMap) and family == "cascaded":
            given |= {"places": self.layout.places, "mirrored": shared}
        self.stages: Stages = lookup(FAMILIES, family)(**given)
        seen = widths if multi_scale else widths[-1:]
        self.rows = nn.ModuleList(self._sums(seen))
        n_sums = N_SUMS if self.rows else 1
        self.head = NormLinear(sum(seen) * n_sums * segments, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the map (n, width, rows, columns) of each stage."""
        # planes last in memory: quicker convolutions on a CPU, backwards too
        return self.stages(self.layout(x).contiguous(memory_format=torch.channels_last))

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the maps of all stages to logits (n, classes)."""
        seen = maps if self.multi_scale else maps[-1:]
        if self.rows:
            seen = [sums(x) for sums, x in zip(self.rows, seen, strict=True)]
        means = torch.cat([segment_means(x, self.segments) for x in seen], 1)
        return self.head(F.dropout(means, self.dropout, self.training))

    def features(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to the last map (n, width, places), flattened."""
        return self.forward_features(x)[-1].flatten(2)

    def folded(self) -> nn.Module:
        """Return a network without norms that does the same at inference."""
        inner = within(self)
        return FoldedEfficientViT(inner) if isinstance(inner.head, nn.Linear) else inner

    def _sums(self, widths: Sequence[int]) -> list[nn.Module]:
        """Return the sums over rows of the maps of these widths, if rows are places."""
        if isinstance(self.layout, SharedScalpMap):
            return [SharedRowSums(width, self.layout.halves) for width in widths]
        if not isinstance(self.layout, ScalpMap):
            return []
        return [*map(RowSums, widths, self._n_rows(self.layout)[-len(widths) :])]

    def _n_rows(self, layout: ScalpMap) -> list[int]:
        """Return the rows of each stage's map."""
        map_ = torch.zeros(1, self.stages.widths[0], layout.n_rows, 1)
        with torch.no_grad():
            n_rows = [x.shape[2] for x in self.stages.eval()(map_)]
        self.stages.train()
        return n_rows


class FoldedEfficientViT(nn.Module):
    """What an `EfficientViT` does at inference.

    Parameters
    ----------
    network : EfficientViT
        Its norms are folded.

    Examples
    --------
    >>> from eegvit.networks.fold import fold
    >>> network, x = EfficientViT(3, 250, 4, sfreq=125.0).eval(), torch.randn(2, 3, 250)
    >>> torch.allclose(fold(network)(x), network(x), atol=1e-5)
    True
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.layout, self.stages = network.layout, network.stages
        self.head = FoldedHead(network.head, network.rows, network.segments)
        self.multi_scale = network.multi_scale

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials (n, channels, times) to the map (n, width, rows, columns) of each stage."""
        return self.stages(self.layout(x))

    def forward_head(self, maps: Sequence[Tensor]) -> Tensor:
        """Map the maps of all stages to logits (n, classes)."""
        return self.head(maps if self.multi_scale else maps[-1:])

    def features(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to the last map (n, width, places), flattened."""
        return self.forward_features(x)[-1].flatten(2)


def stage_settings(
    family: str, preset: str | Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of a family's stages: a preset's, but for those given.

    Examples
    --------
    >>> stage_settings("cascaded", "eeg_s", {"cascade": False})["widths"]
    (16, 24, 36)
    """
    known = inspect.signature(lookup(FAMILIES, family)).parameters
    if isinstance(preset, str) and preset not in EEG[family]:
        raise ValueError(f"there is no preset '{preset}'{suggest(preset, EEG[family])}")
    of_preset = EEG[family][preset] if isinstance(preset, str) else stages_of(preset)
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ValueError(
            f"the family '{family}' has no setting '{unknown[0]}'{suggest(unknown[0], known)}"
        )
    return {**of_preset, **settings}
