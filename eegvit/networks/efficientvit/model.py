"""An efficient vision transformer for EEG: a layout, the stages of a family, a head."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from eegvit.networks.efficientvit.blocks import NormLinear
from eegvit.networks.efficientvit.durations import STEP, samples
from eegvit.networks.efficientvit.layouts import make_layout
from eegvit.networks.efficientvit.presets import EEG
from eegvit.registry import lookup, suggest

FAMILIES: dict[str, str] = {
    "cascaded": "eegvit.networks.efficientvit.cascaded:CascadedStages",
    "linear": "eegvit.networks.efficientvit.linear:LinearStages",
    "former": "eegvit.networks.efficientvit.former:FormerStages",
    "multiscale": "eegvit.networks.efficientvit.multiscale:MultiscaleStages",
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
    preset : str
        Settings of the stages, a name in `presets.EEG[family]`.
    layout : str
        A name in `layouts.LAYOUTS`.
    dropout : float
        Of the features that the head sees.
    drop_path : float
        Share of residual branches that training leaves out at the last block, fewer before.
    multi_scale : bool
        Whether the head sees the maps of all stages or the last one only.
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
        preset: str = "eeg_s",
        layout: str = "conv",
        dropout: float = 0.25,
        drop_path: float = 0.0,
        multi_scale: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if n_times < samples(STEP, sfreq):
            raise ValueError(
                f"EfficientViT makes a column of {samples(STEP, sfreq)} samples, but a trial has"
                f" only {n_times}: take a longer window"
            )
        self.dropout, self.multi_scale = dropout, multi_scale
        self.stages = make_stages(family, preset, {"drop_path": drop_path, **(settings or {})})
        widths = self.stages.widths
        self.layout = make_layout(layout, n_channels, widths[0], sfreq=sfreq, ch_names=ch_names)
        self.head = NormLinear(sum(widths) if multi_scale else widths[-1], n_classes)

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
        means = torch.cat([x.mean((2, 3)) for x in seen], 1)
        return self.head(F.dropout(means, self.dropout, self.training))

    def features(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to the last map (n, width, places), flattened."""
        return self.forward_features(x)[-1].flatten(2)


def make_stages(family: str, preset: str, settings: Mapping[str, Any]) -> Any:
    """Return the stages of a family, with a preset's settings but for those given.

    Examples
    --------
    >>> make_stages("cascaded", "eeg_s", {"drop_path": 0.1, "cascade": False}).widths[0] > 4
    True
    """
    cls = lookup(FAMILIES, family)
    if preset not in EEG[family]:
        raise ValueError(f"there is no preset '{preset}'{suggest(preset, EEG[family])}")
    known = inspect.signature(cls).parameters
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise ValueError(
            f"the family '{family}' has no setting '{unknown[0]}'{suggest(unknown[0], known)}"
        )
    return cls(**{**EEG[family][preset], **settings})
