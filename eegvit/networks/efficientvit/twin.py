"""Two EfficientViTs side by side, one of filtered signals, one of the scalp; lines beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from eegvit.networks.auxiliary import Judged
from eegvit.networks.efficientvit.lines import Lines
from eegvit.networks.efficientvit.model import EfficientViT
from eegvit.networks.fold import within

STREAMS = ("conv", "scalp")


class TwinEfficientViT(nn.Module):
    """A network for each layout in `STREAMS`; the prediction is the mean of theirs.

    Each learns from a loss of its own, so that neither leans on the other: trained on one
    joint map or loss, the two make the same mistakes. `Lines` may stand beside them: training
    passes them by, and a line counts in the mean by its share, a network by 1.

    Parameters
    ----------
    n_channels, n_times, n_classes : int
    family : str or sequence of str
        A name in `model.FAMILIES` for both, or one each.
    hemispheres : {"apart", "shared"}
        Of the scalp's places, as in `EfficientViT`.
    settings
        All else as in `EfficientViT`, but for `layout`.

    Examples
    --------
    >>> network = TwinEfficientViT(22, 1000, 4, sfreq=250.0).eval()
    >>> network(torch.randn(2, 22, 1000)).shape
    torch.Size([2, 4])
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_classes: int,
        *,
        family: str | Sequence[str] = "cascaded",
        hemispheres: str = "apart",
        **settings: Any,
    ) -> None:
        super().__init__()
        families = [family] * len(STREAMS) if isinstance(family, str) else family
        of_layout: list[dict[str, Any]] = [{}, {"hemispheres": hemispheres}]
        self.streams = nn.ModuleList(
            EfficientViT(
                n_channels, n_times, n_classes, layout=layout, family=own, **settings, **more
            )
            for layout, own, more in zip(STREAMS, families, of_layout, strict=True)
        )
        self.lines: Lines | None = None

    def forward(self, x: Tensor) -> Tensor | Judged:
        """Map trials (n, channels, times) to logits (n, classes), judged apart in training."""
        beside = [] if self.training or self.lines is None else self.lines(x)
        return self.forward_head(self.forward_features(x), beside)

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials to the map (n, width, rows, columns) of each stage, of one then the other."""
        return [each for stream in self._streams() for each in stream.forward_features(x)]

    def forward_head(
        self, maps: Sequence[Tensor], beside: Sequence[Tensor] = ()
    ) -> Tensor | Judged:
        """Map the maps of all stages, and the logits of lines, to logits (n, classes)."""
        logits = self.heads(maps)
        if self.training:
            return Judged(logits[0], tuple(logits[1:]), 1.0)
        return mean_logits([*logits, *beside], self.counts(len(beside)))

    def counts(self, n_beside: int) -> Tensor:
        """Return how much each network counts and each of some lines."""
        networks = next(self.parameters()).detach().new_ones(len(self.streams))
        if self.lines is None or not n_beside:
            return networks
        return torch.cat([networks, self.lines.shares])

    def heads(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Map the maps of all stages to the logits (n, classes) of each network."""
        logits, rest = [], list(maps)
        for stream in self._streams():
            n_stages = len(stream.stages.widths)
            logits.append(stream.forward_head(rest[:n_stages]))
            rest = rest[n_stages:]
        return logits

    def lines_for(self, n_channels: int, n_times: int, n_classes: int, sfreq: float) -> Lines:
        """Return lines that know nothing yet, with the channels in the order of the scalp's."""
        order: Any = self._streams()[STREAMS.index("scalp")].layout.order
        return Lines(n_channels, n_times, n_classes, sfreq=sfreq, order=order)

    def folded(self) -> FoldedTwin:
        """Return a network that says the same at inference, in fewer operations."""
        return FoldedTwin(within(self))

    def _streams(self) -> list[EfficientViT]:
        return cast(list[EfficientViT], list(self.streams))


class FoldedTwin(nn.Module):
    """What a `TwinEfficientViT` does at inference.

    Parameters
    ----------
    twin : TwinEfficientViT
        Its norms are folded.

    Examples
    --------
    >>> from eegvit.networks.fold import fold
    >>> twin, x = TwinEfficientViT(3, 250, 4, sfreq=125.0).eval(), torch.randn(2, 3, 250)
    >>> torch.allclose(fold(twin)(x), twin(x), atol=1e-5)
    True
    """

    counts: Tensor

    def __init__(self, twin: Any) -> None:
        super().__init__()
        self.twin = twin
        counts = twin.counts(0 if twin.lines is None else 1)
        self.register_buffer("counts", counts / counts.sum())

    def forward(self, x: Tensor) -> Tensor:
        """Map trials (n, channels, times) to logits (n, classes)."""
        lines = self.twin.lines
        return self.forward_head(self.forward_features(x), [] if lines is None else [lines(x)])

    def forward_features(self, x: Tensor) -> list[Tensor]:
        """Map trials to the map of each stage, of one network then the other."""
        return self.twin.forward_features(x)

    def forward_head(self, maps: Sequence[Tensor], beside: Sequence[Tensor] = ()) -> Tensor:
        """Map the maps of all stages, and the logits of all lines in one, to logits."""
        logits = self.twin.heads(maps)
        told = torch.cat([*logits, *beside], 1).unflatten(1, (-1, logits[0].shape[1])).softmax(2)
        return (self.counts @ told).clamp_min(torch.finfo(told.dtype).tiny).log()


def mean_logits(logits: Sequence[Tensor], counts: Tensor) -> Tensor:
    """Return the logarithm of the mean of the probabilities that some logits stand for.

    Examples
    --------
    >>> sure, unsure = torch.tensor([[9.0, -9.0]]), torch.zeros(1, 2)
    >>> [round(p, 4) for p in mean_logits([sure, unsure], torch.ones(2))[0].exp().tolist()]
    [0.75, 0.25]
    >>> told = mean_logits([sure, unsure], torch.tensor([1.0, 3.0]))
    >>> [round(p, 4) for p in told[0].exp().tolist()]
    [0.625, 0.375]
    """
    told = torch.stack(list(logits)).log_softmax(2)
    counts = counts.to(told)[:, None, None]
    return (told + counts.log()).logsumexp(0) - counts.sum().log()
