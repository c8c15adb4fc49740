"""What there is to know of any classifier of scikit-learn: packages, steps that learn nothing."""

from __future__ import annotations

import inspect
import pickle
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from eegvit.features.covariances import PerRecording, PerTrial

CLASSICAL = frozenset({"numpy", "scipy", "scikit-learn", "pyriemann"})
DISTRIBUTIONS = {"sklearn": "scikit-learn"}  # import names that are not the package's name


class Classifier(Protocol):
    """What scikit-learn calls a classifier."""

    classes_: NDArray[Any]

    def fit(self, X: Any, y: ArrayLike) -> Any:
        """Fit on trials and their labels."""

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each trial."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters."""

    def set_params(self, **params: Any) -> Any:
        """Change parameters."""


@dataclass(frozen=True, eq=False)
class Plain:
    """What there is to know of any other classifier of scikit-learn."""

    model: Any

    def identity(self) -> dict[str, Any]:
        """Return all parameters."""
        return dict(self.model.get_params(deep=False))

    def packages(self) -> frozenset[str]:
        """Return the packages of the classifier or of the steps of a pipeline."""
        return packages_of(self.model)

    def per_trial(self) -> tuple[Pipeline | None, Classifier]:
        """Split a pipeline."""
        return split_leading(self.model) if isinstance(self.model, Pipeline) else (None, self.model)

    def fit_takes(self) -> frozenset[str]:
        """Return the named parameters of `fit`."""
        return fit_parameters(self.model)

    def takes_seed(self) -> bool:
        """Say whether there is a parameter `random_state`."""
        return "random_state" in self.model.get_params(deep=False)

    def uses_of_session(self) -> frozenset[str]:
        """Return what the steps use of whom is predicted."""
        return used_by(self.model)

    def by_session(self) -> bool:
        """Say no."""
        return False

    def training(self) -> None:
        """Return None: it is no network."""

    def trains_together(self) -> bool:
        """Say no."""
        return False


def packages_of(model: Any) -> frozenset[str]:
    """Return the packages that decide what a classifier or the steps of a pipeline compute.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import SVC
    >>> packages_of(make_pipeline("passthrough", SVC())) == CLASSICAL
    True
    """
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    return CLASSICAL.union(*map(home_of, steps))


def used_by(model: Any) -> frozenset[str]:
    """Return what the steps of a pipeline use of the session that is predicted.

    Examples
    --------
    >>> from eegvit.features.tangent import SeenFromOwnMean
    >>> used_by(Pipeline([("seen", SeenFromOwnMean(causal=True)), ("classify", None)]))
    frozenset({'causal'})
    """
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else []
    own = [step.uses_of_session() for step in steps if isinstance(step, PerRecording)]
    return frozenset().union(*own)


def home_of(model: object) -> frozenset[str]:
    """Return the package that a class comes from, none of this house.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> home_of(SVC()), home_of(PerTrial())
    (frozenset({'scikit-learn'}), frozenset())
    """
    top = type(model).__module__.partition(".")[0]
    return frozenset({DISTRIBUTIONS.get(top, top)} - {"eegvit", "builtins"})


def fit_parameters(model: Any) -> frozenset[str]:
    """Return the names of what a model's `fit` takes beside trials and labels.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> sorted(fit_parameters(SVC()))
    ['sample_weight']
    """
    parameters = inspect.signature(model.fit).parameters.values()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return frozenset(named) - {"X", "y"}


def split_leading(pipeline: Pipeline) -> tuple[Pipeline | None, Pipeline]:
    """Split a pipeline into the leading steps that learn nothing, if any, and the rest.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.preprocessing import FunctionTransformer, StandardScaler
    >>> model = Pipeline(
    ...     [
    ...         ("log", FunctionTransformer(np.log)),
    ...         ("scale", StandardScaler()),
    ...         ("classify", LogisticRegression()),
    ...     ]
    ... )
    >>> leading, rest = split_leading(model)
    >>> list(leading.named_steps), list(rest.named_steps)
    (['log'], ['scale', 'classify'])
    """
    n_leading = 0
    probe: NDArray[Any] | None = np.random.default_rng(0).standard_normal((4, 4, 256))
    for _, step in pipeline.steps[:-1]:
        made = _made_of(step, probe)
        if made is None and not isinstance(step, PerTrial):
            break
        n_leading += 1
        probe = made
    late = [name for name, step in pipeline.steps[n_leading:] if isinstance(step, PerRecording)]
    if late:
        raise ValueError(
            f"step '{late[0]}' sees each recording by itself: steps before it must learn nothing"
        )
    if n_leading == 0:
        return None, pipeline
    return pipeline[:n_leading], pipeline[n_leading:]


def _made_of(step: Any, probe: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return what a step makes of trials, or None if it learns or if trials change each other.

    The tag alone would not do: a function may be stateless and yet subtract the mean trial.
    """
    if step in (None, "passthrough") or probe is None:
        return probe
    step = clone(step)
    codes = np.array([0, 1, 0, 1])
    try:
        before = pickle.dumps(vars(step))
        with np.errstate(all="ignore"):
            whole = np.asarray(step.fit(probe, codes).transform(probe))
            if isinstance(step, PerTrial):
                return whole
            alone = np.concatenate([step.transform(probe[i : i + 1]) for i in range(len(probe))])
        after = pickle.dumps(vars(step))
    except Exception:  # whatever it says of the probe, it is not known to learn nothing
        return None
    if get_tags(step).requires_fit and before != after:
        return None
    same = whole.shape == alone.shape and np.allclose(whole, alone, equal_nan=True)
    return whole if same else None
