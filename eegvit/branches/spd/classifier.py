"""A network of covariances with a norm for each person, as a classifier."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.neural import NeuralClassifier
from eegvit.features.geometric_mean import geometric_mean
from eegvit.preprocess.sessions import by_session
from eegvit.preprocess.signals import EEG, Signals

if TYPE_CHECKING:
    from torch import nn

    from eegvit.networks.spd.network import SPDNet

MOST = 1024  # trials that a mean is taken of
Seen = tuple[NDArray[np.float64], float]  # a mean, and the spread around it


@dataclass(kw_only=True, eq=False, repr=False)
class SPDNetClassifier(NeuralClassifier):
    """Learned filters, and their covariance seen from the mean of each training person [1]_.

    Temporal and spatial filters, the covariance of what they let through, its eigenvalues no
    smaller than a threshold, a norm of covariances, their logarithm, a linear layer.

    In training the norm has a geometric mean and a spread for each person (the `groups` of `fit`;
    without them all trials are one person's). Who is predicted is not known, and by default nothing
    of them is used: all are seen from the mean of the training people's means. So recordings should
    be aligned, each by itself, before. With `mean_of="session"` each is seen from its own mean, and
    `seen_from` takes the mean of any unlabelled trials.

    The parameters of training are those of `NeuralClassifier`.

    Parameters
    ----------
    n_temporal : int
        Temporal filters.
    n_spatial : int
        Spatial filters over all temporal ones.
    n_mixed : int
        Orthonormal mixtures of those, whose covariance is taken; no more than there are temporal
        filters times channels.
    kernel_length : int
        Samples in a temporal filter.
    threshold : float
        Least eigenvalue of a covariance.
    momentum : float
        By how much of the way a batch moves mean and spread of its people.
    mean_of : {"training", "session"}
        Whose mean trials are seen from when they are predicted: that of the training people's
        means, or that of all trials of their session, without labels.
    bias : {"information"} or None
        What is learned of each session beside its mean, without labels: "information" moves the
        mean to where trials are told from each other with less doubt, and classes come out more
        even [2]_. It takes `mean_of: session`.

    Notes
    -----
    For power in bands across people: what `tangent_space` sees, with filters that are learned.
    Align recordings (`align`). Lengths are in samples and made for 125 Hz.

    References
    ----------
    .. [1] Kobler et al., SPD domain-specific batch normalization to crack interpretable
       unsupervised domain adaptation in EEG. NeurIPS 2022.
    .. [2] Li et al., SPDIM: Source-free unsupervised conditional and label shift adaptation in
       EEG. ICLR 2025.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.repeat(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> people = np.arange(40) % 2
    >>> X[people == 1] *= 5
    >>> model = SPDNetClassifier(epochs=10, batch_size=8).fit(X, y, groups=people)
    >>> model.seen_from(X[people == 1]).score(X[people == 1], y[people == 1])
    1.0
    """

    n_temporal: int = 4
    n_spatial: int = 40
    n_mixed: int = 20
    kernel_length: int = 25
    threshold: float = 1e-4
    momentum: float = 0.1
    mean_of: Literal["training", "session"] = "training"
    bias: Literal["information"] | None = None

    @classmethod
    def mistakes(
        cls, parameters: Mapping[str, Any], allowed: Collection[str] = ()
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield (path, sentence) for what is wrong with parameters."""
        known = {name: parameters.get(name, getattr(cls, name)) for name in ("mean_of", "bias")}
        if known["mean_of"] not in ("training", "session"):
            yield ("mean_of",), f"mean_of={known['mean_of']!r}: it is training or session"
        if known["bias"] not in (None, "information"):
            yield ("bias",), f"bias={known['bias']!r}: it is information, or none at all"
        elif known["bias"] and known["mean_of"] != "session":
            yield ("bias",), "a bias is learned beside the mean of a session: mean_of is session"

    def uses_of_session(self) -> frozenset[str]:
        """Return all its trials, and for a bias that classes are about equally frequent."""
        uses = {"unlabelled"} if self.mean_of == "session" else set()
        return frozenset(uses | {"class shares"} if self.bias else uses)

    def by_session(self) -> bool:
        """Say whether trials of a session change what it is seen from."""
        return self.mean_of == "session"

    def beside(
        self, X: Signals, rows: NDArray[np.int64], groups: ArrayLike | None
    ) -> NDArray[np.float32]:
        """Return the number of each trial's person, as one more sample of the first channel."""
        for _, sentence in self.mistakes(self.get_params(deep=False)):
            raise ValueError(sentence)
        people = np.zeros(len(X), dtype=int) if groups is None else np.asarray(groups)
        if people.shape != (len(X),):
            raise ValueError(f"groups has shape {people.shape} for {len(X)} trials")
        names = np.unique(people[rows])
        if self.mixup and len(names) > 1:
            raise ValueError(
                f"mixup={self.mixup}: it mixes trials of several people, and the norm has a mean"
                " for each. Take mixup=0, or another model"
            )
        self.n_people_, self.people_ = len(names), np.searchsorted(names, people)
        samples = np.zeros((len(X), X.shape[1], 1), np.float32)
        samples[:, 0, 0] = self.people_
        return samples

    def finish(self, X: Signals, codes: NDArray[np.int64], rows: NDArray[np.int64]) -> Self:
        """See all from the mean of the training people's means, found over all their trials."""
        own = self.people_[rows]
        del self.people_
        return self.settle(
            between([of_trials(self.covariances(X, rows[own == name])) for name in np.unique(own)])
        )

    def why_not_pretrained(self) -> str | None:
        """Say that its norm wants to know people, which pretraining does not tell it."""
        return (
            "its norm has a mean for each person, and pretraining sees trials of many without"
            " saying whose. Take another network"
        )

    def trains_together(self) -> bool:
        """Say no: a norm with people of its own, for each fit."""
        return False

    def network(self, n_channels: int, n_times: int, n_classes: int) -> nn.Module:
        """Return an untrained network."""
        from eegvit.networks.spd.network import SPDNet

        return SPDNet(
            n_channels,
            n_times,
            n_classes,
            n_temporal=self.n_temporal,
            n_spatial=self.n_spatial,
            n_mixed=self.n_mixed,
            kernel_length=self.kernel_length,
            threshold=self.threshold,
            momentum=self.momentum,
            n_people=getattr(self, "n_people_", 1),
        )

    def builder(self, X: Signals, rows: NDArray[np.int64]) -> Callable[[], nn.Module]:
        """Return what builds the network behind a standardisation that keeps what is beside."""
        from eegvit.networks.layers import Standardise

        build = super().builder(X, rows)

        def whole() -> nn.Module:
            network: Any = build()
            network[0] = Standardise(
                network[0].mean[:, 0], network[0].scale[:, 0], n_times=self.n_times_in_
            )
            return network

        return whole

    def predict_proba(self, X: EEG, *, sessions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes).

        Parameters
        ----------
        X : array or mne.Epochs
        sessions : array or None
            The session of each trial, where each is seen from its own mean. None: all are of one.
        """
        predict = super().predict_proba
        if self.mean_of == "training":
            return predict(X)
        check_is_fitted(self, "module_")
        return by_session(
            lambda own: self.seen_from(own).predict_proba(own), self.check_X(X), sessions
        )

    def seen_from(self, X: EEG) -> Self:
        """Return a copy that sees all trials from the mean of some, of one person or recording.

        What is published of this network: the mean and the spread of whom it has not seen are
        those of their unlabelled trials. It uses these trials, which a score has to say. Where
        there is a `bias`, these trials move the mean.

        Parameters
        ----------
        X : array or mne.Epochs
            Trials (n, channels, times), which may be those to predict.
        """
        check_is_fitted(self, "module_")
        X, there = self.check_X(X), copy.deepcopy(self)
        C = self.covariances(X, np.arange(len(X)))
        seen = of_trials(C)
        if self.bias:
            seen = there.biased(C, seen)
        return there.settle(seen).set_params(mean_of="training", bias=None)

    def biased(self, C: NDArray[np.float64], seen: Seen) -> Seen:
        """Return where trials are seen from after a bias is learned, from their mean."""
        import torch

        from eegvit.branches.spd.bias import biased

        (mean, spread), layers = seen, cast("nn.Sequential", self.module_)
        network = cast("SPDNet", layers[1])
        moved = biased(network, torch.from_numpy(C), torch.from_numpy(mean), spread)
        return moved.numpy(), spread

    def covariances(self, X: Signals, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return covariances as the norm is given them, of some trials, at most about `MOST`."""
        import torch

        layers: Any = self.module_.double()
        standardise, network = layers
        rows = rows[:: -(-len(rows) // MOST)]
        with torch.inference_mode():
            parts = [
                network.covariances(standardise(torch.from_numpy(np.array(X[part], np.float64))))
                for part in np.array_split(rows, -(-len(rows) // 128))
            ]
        self.module_.float()
        return torch.cat(parts).numpy()

    def settle(self, seen: Seen) -> Self:
        """See all trials from a mean, and keep nothing of single people."""
        import torch

        mean, spread = seen
        network: Any = self.module_
        network[1].norm.settle(torch.from_numpy(mean), torch.tensor(spread))
        self.n_people_ = 1
        return self


def of_trials(C: NDArray[np.float64]) -> Seen:
    """Return the geometric mean of covariances, and their spread around it.

    Examples
    --------
    >>> mean, spread = of_trials(np.array([[[1.0]], [[np.e**2]]]))
    >>> mean.round(4).tolist(), round(spread, 4)
    ([[2.7183]], 1.0)
    """
    mean = geometric_mean(C)
    root = np.linalg.inv(mean.whitener)
    return root @ root, float(np.square(mean.logs).sum((1, 2)).mean())


def between(each: list[Seen]) -> Seen:
    """Return the geometric mean of means, and the mean of spreads.

    Examples
    --------
    >>> mean, spread = between([(np.eye(2), 1.0), (4 * np.eye(2), 3.0)])
    >>> mean.round(6).tolist(), spread
    ([[2.0, 0.0], [0.0, 2.0]], 2.0)
    """
    root = np.linalg.inv(geometric_mean(np.stack([mean for mean, _ in each])).whitener)
    return root @ root, float(np.mean([spread for _, spread in each]))
