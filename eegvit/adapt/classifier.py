"""A neural classifier that is updated while it is tested."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from eegvit.branches.around import Around
from eegvit.branches.fusion import FusionClassifier
from eegvit.branches.neural import NeuralClassifier
from eegvit.preprocess.sessions import by_session
from eegvit.preprocess.signals import EEG

OF_MODEL = ("history_", "n_parameters_", "units_", "weights_")  # attributes, where there are any


@dataclass(kw_only=True, eq=False, repr=False)
class AdaptingClassifier(Around):
    """A network that goes on learning from the trials it is asked about, without labels [1]_.

    Each trial of a session is predicted first; then all parameters take a step of Adam that makes
    the last trials less doubtful one by one, and their classes together more even. So a trial is
    predicted from itself and those before it, as can be done live, and trials must be given in
    the order of time. Every call begins with the network as it was trained, and so does every
    session: asked twice, it says the same.

    Steps are of the network as it predicts: batch norms go by the running statistics of training,
    and nothing is dropped. In that it differs from the paper, where they do both as in training.

    Parameters
    ----------
    model : NeuralClassifier or a classifier around one
        Any network of this house: fused, pretrained, pruned or distilled ones as well.
    window : int
        Trials that a step goes by: the last ones. Before there are so many, there is no step.
    learning_rate : float
        Of Adam.
    temperature : float
        Logits are divided by it in the step: the higher, the less a trial that is sure counts.
    balanced : bool
        Whether classes are taken to be equally frequent; otherwise as frequent as trials were
        confidently of each so far.
    random_state : int
        Seed of the model, in place of its own.

    Attributes
    ----------
    classes_ : array
        The labels, sorted.
    model_ : classifier
        The fitted model, which predicts without updates.
    n_parameters_ : int
        Number of learned numbers.

    Notes
    -----
    Where trials are aligned before, that is best done trial by trial too
    (`eegvit.preprocess.alignment.align_causal`), or updates are causal and alignment is not.

    References
    ----------
    .. [1] Li et al., T-TIME: Test-time information maximization ensemble for plug-and-play BCIs.
       IEEE Transactions on Biomedical Engineering 71(2), 2024.

    Examples
    --------
    >>> from eegvit.branches.eegnet import EEGNetClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((40, 3, 128)), np.tile(["left", "right"], 20)
    >>> X[y == "left", 0] *= 3
    >>> eegnet = EEGNetClassifier(n_filters=2, epochs=20, batch_size=8, learning_rate=0.01)
    >>> model = AdaptingClassifier(model=eegnet).fit(X, y)
    >>> told, plain = model.predict_proba(X), model.model_.predict_proba(X)
    >>> same = np.isclose(told, plain, atol=1e-6).all(axis=1)
    >>> bool(same[:8].all()), bool(same[8:].any())
    (True, False)
    """

    window: int = 8
    learning_rate: float = 1e-3
    temperature: float = 2.0
    balanced: bool = True
    random_state: int = 0

    def fit(self, X: EEG, y: ArrayLike, *, groups: ArrayLike | None = None, **given: Any) -> Self:
        """Train on trials (n, channels, times) and their labels: what the model's `fit` does.

        Parameters
        ----------
        X : array or mne.Epochs
        y : array of labels
        groups : array or None
            The person of each trial.
        **given
            What else the model's `fit` takes.
        """
        for _, sentence in self.mistakes():
            raise ValueError(sentence)
        inner = self.model
        while isinstance(inner, Around):
            inner = inner.model
        if not isinstance(inner, NeuralClassifier):
            raise TypeError(f"model={self.model!r}: it must be a neural classifier of this house")
        if inner.by_session():
            raise ValueError(
                f"model={self.model!r}: it sees each session from the mean of all its trials, and"
                " updates go trial by trial: take one of the two"
            )
        self.check_X(X, reset=True)
        model = clone(self.model).set_params(random_state=self.random_state)
        self.model_ = model.fit(X, y, groups=groups, **given)
        self.classes_ = self.model_.classes_
        for name in OF_MODEL:
            if hasattr(self.model_, name):
                setattr(self, name, getattr(self.model_, name))
        return self

    def fit_takes(self) -> frozenset[str]:
        """Return what the model's `fit` takes."""
        takes: frozenset[str] = self.model.fit_takes()
        return takes

    def by_session(self) -> bool:
        """Say yes: it is updated from trial to trial."""
        return True

    def uses_of_session(self) -> frozenset[str]:
        """Return what came before, and that classes are equally frequent where they are to be."""
        return frozenset({"causal", "class shares"} if self.balanced else {"causal"})

    def mistakes(self) -> list[tuple[str, str]]:
        """Return (parameter, sentence) for what is wrong with how it is updated.

        Examples
        --------
        >>> AdaptingClassifier(model=None, window=1).mistakes()
        [('window', 'window=1: classes are shared out over several trials, two or more')]
        """
        wrong = []
        if self.window < 2:
            text = (
                f"window={self.window!r}: classes are shared out over several trials, two or more"
            )
            wrong.append(("window", text))
        for name in ("learning_rate", "temperature"):
            if not getattr(self, name) > 0:
                wrong.append((name, f"{name}={getattr(self, name)!r}: it must be positive"))
        return wrong

    def predict_proba(self, X: EEG, *, sessions: ArrayLike | None = None) -> NDArray[np.float64]:
        """Return the probability of each class, shape (trials, classes), trial after trial.

        Parameters
        ----------
        X : array or mne.Epochs
            Trials in the order of time.
        sessions : array or None
            The session of each trial: each begins with the network as it was trained. None: all
            are of one.
        """
        from eegvit.adapt.updates import predicted
        from eegvit.networks.device import choose_device

        check_is_fitted(self, "model_")
        signals = self.check_X(X)
        inner = self.model_
        while isinstance(inner, Around):
            inner = inner.model_
        inputs = signals
        if isinstance(inner, FusionClassifier):  # one by one, or rounding depends on later trials
            inputs = np.concatenate([inner.inputs(signals[i : i + 1]) for i in range(len(signals))])
        told = partial(
            predicted,
            inner.module_,
            window=self.window,
            learning_rate=self.learning_rate,
            temperature=self.temperature,
            balanced=self.balanced,
            device=choose_device(inner.device),
        )
        return by_session(told, inputs, sessions)
