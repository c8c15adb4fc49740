"""Classifiers that misbehave, for the tests of the workers."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

from eegvit.trials import Trials


class Guess(ClassifierMixin, BaseEstimator):
    """Fits slowly and leaves a line in a file for each fit that it finished."""

    def __init__(self, seconds: float = 0.0, mishap: str = "") -> None:
        self.seconds = seconds
        self.mishap = mishap

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.mean_ = np.asarray(X, dtype=np.float64).reshape(len(X), -1).mean(0)
        if self.mishap == "raise":
            raise ValueError("this model\ncannot be fitted")
        if self.mishap == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mishap == "says":
            print("noise on standard output", flush=True)
        time.sleep(self.seconds)
        if "FINISHED_FITS" in os.environ:
            with Path(os.environ["FINISHED_FITS"]).open("a", encoding="utf-8") as file:
                file.write(f"{os.getpid()} {self.mean_.sum():.6f}\n")
        return self

    def predict_proba(self, X):
        score = 1 / (1 + np.exp(-(np.asarray(X).reshape(len(X), -1) @ self.mean_)))
        return np.stack([score, 1 - score], axis=1)


class Logged(TransformerMixin, BaseEstimator):
    """A step that learns nothing and notes each call."""

    def __init__(self, log: str = "") -> None:
        self.log = log

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        with Path(self.log).open("a", encoding="utf-8") as file:
            file.write(f"{len(X)}\n")
        return np.log(np.var(X, axis=2))


class TinySource:
    """Two people of two sessions; `shift` moves labels and channels between data sets."""

    def __init__(self, card, *, seed: int = 0, extra: str = "", n_dropped: int = 0) -> None:
        self.card, self.seed, self.extra, self.n_dropped = card, seed, extra, n_dropped

    def subjects(self):
        return self.card.subjects or ("1", "2")

    def fingerprint(self, subject):
        return {"made": [self.seed, self.extra, subject]}

    def read(self, subject):
        if subject == "broken":
            raise ValueError("the file is cut short")
        channels = ["C3", "Cz", "C4"] if not self.extra else [self.extra, "C4", "C3"]
        n_times = round((self.card.window[1] - self.card.window[0]) * 32)
        sessions = []
        for session in "12":
            rng = np.random.default_rng([self.seed, int(subject), int(session)])
            y = np.tile(self.card.classes, 12 // len(self.card.classes))
            X = rng.standard_normal((12, 3, 64))[:, :, :n_times]
            sessions.append(
                Trials.from_arrays(
                    X[self.n_dropped :], y[self.n_dropped :], sfreq=32.0, subject=subject,
                    session=session, classes=self.card.classes, ch_names=channels,
                )
            )  # fmt: skip
        return sessions
