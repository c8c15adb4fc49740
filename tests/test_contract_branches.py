"""The contract that every registered branch keeps."""

from __future__ import annotations

import inspect
import pickle
import warnings
from typing import Any, get_type_hints

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.utils import get_tags

from eegvit.branches.base import about
from eegvit.config import sha256
from eegvit.registry import BRANCHES, resolve

NAMES = sorted(BRANCHES)
SHORT = {"epochs": 2, "batch_size": 16, "device": "cpu"}  # of training, where there is any
NEEDED = {
    "braindecode": {"model": "EEGNet"},
    "fusion": {"branches": ["fbcsp", "eegnet"]},
    "pipeline": {
        "steps": [
            {"from": "pyriemann.estimation", "name": "Covariances"},
            {"from": "pyriemann.classification", "name": "MDM"},
        ]
    },
}
WITH_PATTERNS = ("csp_lda", "fbcsp", "tangent_space", "fb_tangent_space", "eegnet")
LEARNS = [name for name in NAMES if name != "chance"]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


def parameters_of(name: str, trials: Any) -> dict[str, Any]:
    """Return constructor arguments as a study would give them, with short training."""
    known = inspect.signature(resolve(BRANCHES[name])).parameters
    from_data = {"sfreq": trials.sfreq, "ch_names": trials.ch_names}
    given = {key: value for key, value in {**SHORT, **from_data}.items() if key in known}
    return given | NEEDED.get(name, {})


def build(name: str, trials: Any, **changes: Any) -> Any:
    """Return an unfitted estimator for these trials."""
    return resolve(BRANCHES[name])(**parameters_of(name, trials) | changes)


def probabilities(name: str, trials: Any) -> np.ndarray:
    """Return what a fresh estimator, fitted on the trials, gives for them."""
    return build(name, trials).fit(trials.X, trials.labels).predict_proba(trials.X)


@pytest.fixture(scope="module")
def fitted_once() -> dict[str, Any]:
    """Hold one fitted estimator a branch, for the tests that only read it."""
    return {}


@pytest.fixture
def fitted(name: str, trials: Any, fitted_once: dict[str, Any]) -> Any:
    """Return the branch fitted on `trials`; it must not be changed."""
    if name not in fitted_once:
        fitted_once[name] = build(name, trials).fit(trials.X, trials.labels)
    return fitted_once[name]


@pytest.mark.parametrize("name", NAMES)
def test_is_a_scikit_learn_classifier_of_three_dimensional_input(name: str, trials: Any) -> None:
    estimator = build(name, trials)
    assert isinstance(estimator, ClassifierMixin) and isinstance(estimator, BaseEstimator)
    tags = get_tags(estimator)
    assert tags.estimator_type == "classifier"
    assert tags.input_tags.three_d_array and not tags.input_tags.two_d_array


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_keyword_only_annotated_and_documented(name: str) -> None:
    cls = resolve(BRANCHES[name])
    doc = inspect.getdoc(cls) or ""
    parameters = inspect.signature(cls).parameters
    hints = get_type_hints(cls)
    assert doc and not doc.startswith(cls.__name__ + "("), "the class has no docstring of its own"
    for parameter in parameters.values():
        assert parameter.kind is parameter.KEYWORD_ONLY, parameter
        assert parameter.name in hints, f"{parameter.name} has no annotation"
    undocumented = [p for p in parameters if p not in documented_parameters(cls)]
    assert not undocumented, f"not in any Parameters section: {undocumented}"
    assert ">>>" in doc, "the docstring has no example"


def documented_parameters(cls: type) -> set[str]:
    """Return the names in the Parameters sections of a class and those it inherits from."""
    names: set[str] = set()
    for base in cls.__mro__:
        doc = inspect.cleandoc(base.__doc__ or "")
        if base.__module__.startswith("eegvit.") and "Parameters\n------" in doc:
            section = doc.split("Parameters\n", 1)[1].split("\n\n", 1)[0]
            for line in section.splitlines()[1:]:
                if line and not line.startswith(" "):
                    names |= {part.strip() for part in line.partition(" :")[0].split(",")}
    return names


@pytest.mark.parametrize("name", NAMES)
def test_constructor_stores_what_it_is_given(name: str, trials: Any) -> None:
    given = parameters_of(name, trials)
    estimator = resolve(BRANCHES[name])(**given)
    for key, value in given.items():
        assert getattr(estimator, key) is value, key
    assert set(vars(estimator)) == set(estimator.get_params(deep=False))


@pytest.mark.parametrize("name", NAMES)
def test_clone_has_the_same_parameters_and_no_state(name: str, fitted: Any) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not [key for key in vars(copy) if key.endswith("_")]


@pytest.mark.parametrize("name", NAMES)
def test_set_params_equals_construct(name: str, trials: Any) -> None:
    cls = resolve(BRANCHES[name])
    constructed = build(name, trials)
    changed = cls(**NEEDED.get(name, {})).set_params(**parameters_of(name, trials))
    changed.fit(trials.X, trials.labels)
    np.testing.assert_array_equal(
        changed.predict_proba(trials.X), probabilities(name, trials), strict=True
    )
    assert changed.get_params() == constructed.get_params()


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_result(name: str, trials: Any) -> None:
    np.testing.assert_array_equal(probabilities(name, trials), probabilities(name, trials))


@pytest.mark.parametrize(
    "name",
    [n for n in NAMES if "random_state" in inspect.signature(resolve(BRANCHES[n])).parameters],
)
def test_the_seed_is_used_where_there_is_one(name: str, trials: Any) -> None:
    other = build(name, trials, random_state=1).fit(trials.X, trials.labels)
    assert not np.array_equal(other.predict_proba(trials.X), probabilities(name, trials))


@pytest.mark.parametrize("name", NAMES)
def test_fitting_leaves_parameters_and_input_alone(name: str, trials: Any) -> None:
    estimator = build(name, trials)
    before, X = estimator.get_params(), trials.X.copy()
    assert estimator.fit(trials.X, trials.labels) is estimator
    estimator.predict(trials.X)
    assert estimator.get_params() == before
    np.testing.assert_array_equal(trials.X, X)


@pytest.mark.parametrize("name", NAMES)
def test_refit_forgets_the_first_fit(name: str, trials: Any, make_trials: Any) -> None:
    other = make_trials(n_channels=3, classes=("feet", "hands", "tongue"), seed=5)
    changes = {"ch_names": other.ch_names} if "ch_names" in parameters_of(name, trials) else {}
    estimator = build(name, trials).set_params(**changes).fit(other.X, other.labels)
    estimator.set_params(**parameters_of(name, trials)).fit(trials.X, trials.labels)
    np.testing.assert_array_equal(estimator.predict_proba(trials.X), probabilities(name, trials))
    assert estimator.classes_.tolist() == ["left_hand", "right_hand"]


@pytest.mark.parametrize("name", NAMES)
def test_no_method_passes_for_the_steps_of_a_pipeline(name: str, trials: Any) -> None:
    assert not callable(getattr(build(name, trials), "steps", None)), "MOABB iterates over it"


@pytest.mark.parametrize("name", NAMES)
def test_refuses_to_predict_before_fit(name: str, trials: Any) -> None:
    with pytest.raises(NotFittedError):
        build(name, trials).predict(trials.X)


@pytest.mark.parametrize("name", NAMES)
def test_string_and_number_labels(name: str, fitted: Any, trials: Any) -> None:
    assert set(fitted.predict(trials.X)) <= {"left_hand", "right_hand"}
    assert fitted.classes_.tolist() == ["left_hand", "right_hand"]
    numbers = build(name, trials).fit(trials.X, 3 + 4 * trials.y)
    assert numbers.classes_.tolist() == [3, 7]
    np.testing.assert_array_equal(
        numbers.predict_proba(trials.X), fitted.predict_proba(trials.X), strict=True
    )


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_agree_with_predict(name: str, fitted: Any, trials: Any) -> None:
    p = fitted.predict_proba(trials.X)  # (n, classes)
    assert p.shape == (len(trials), 2) and np.isfinite(p).all() and (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(fitted.predict(trials.X), fitted.classes_[p.argmax(axis=1)])


@pytest.mark.parametrize("name", NAMES)
def test_logarithms_and_decisions_agree_with_probabilities(
    name: str, fitted: Any, trials: Any, make_trials: Any
) -> None:
    p, logs = fitted.predict_proba(trials.X), fitted.predict_log_proba(trials.X)
    np.testing.assert_allclose(np.exp(logs), p, atol=1e-9)
    odds = fitted.decision_function(trials.X)
    assert odds.shape == (len(trials),) and np.isfinite(odds).all()
    np.testing.assert_allclose(odds, logs[:, 1] - logs[:, 0])
    sure = np.abs(odds) > 1e-9
    np.testing.assert_array_equal(
        fitted.predict(trials.X)[sure], fitted.classes_[(odds > 0).astype(int)][sure]
    )
    three = make_trials(classes=("a", "b", "c"), n_trials=24)
    of_three = build(name, three).fit(three.X, three.labels)
    scores = of_three.decision_function(three.X)
    assert scores.shape == (24, 3)
    np.testing.assert_array_equal(of_three.predict(three.X), of_three.classes_[scores.argmax(1)])


@pytest.mark.parametrize("name", NAMES)
def test_says_what_it_is(name: str, trials: Any) -> None:
    estimator = build(name, trials)
    assert about(estimator) is estimator
    assert sha256(estimator.identity()) == sha256(clone(estimator).identity())
    signature = inspect.signature(estimator.fit).parameters
    assert estimator.fit_takes() == set(signature) - {"X", "y"}
    assert estimator.takes_seed() == ("random_state" in estimator.get_params())
    assert {"numpy"} <= estimator.packages() and "eegvit" not in estimator.packages()
    for key, value in estimator.get_params(deep=False).items():
        other = 7 if isinstance(value, int | float | None) else value
        changed = clone(estimator).set_params(**{key: other})
        same = sha256(changed.identity()) == sha256(estimator.identity())
        assert same == (key == "verbose" or other is value), key


@pytest.mark.parametrize("name", NAMES)
def test_steps_that_learn_nothing_and_the_rest_are_the_whole(
    name: str, fitted: Any, trials: Any
) -> None:
    leading, rest = build(name, trials).per_trial()
    X = trials.X if leading is None else leading.fit_transform(trials.X)
    rest.fit(X, trials.labels)
    np.testing.assert_array_equal(rest.predict(X), fitted.predict(trials.X))


@pytest.mark.parametrize("name", NAMES)
def test_patterns_where_there_are_spatial_filters(name: str, fitted: Any, trials: Any) -> None:
    assert hasattr(fitted, "patterns_") == (name in WITH_PATTERNS)
    assert not hasattr(build(name, trials), "patterns_")
    if name in WITH_PATTERNS:
        patterns = fitted.patterns_  # ([bands,] channels, components)
        assert patterns.ndim == 2 + name.startswith("fb") and np.isfinite(patterns).all()
        assert patterns.shape[-2] == trials.n_channels


@pytest.mark.parametrize("name", NAMES)
def test_pickle_round_trip(name: str, fitted: Any, trials: Any) -> None:
    back = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(back.predict_proba(trials.X), fitted.predict_proba(trials.X))
    assert back.get_params() == fitted.get_params()


@pytest.mark.parametrize("name", NAMES)
def test_read_only_and_double_precision_input(name: str, fitted: Any, trials: Any) -> None:
    X = trials.X.copy()
    X.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # torch warns of a read-only array
        warnings.filterwarnings("ignore", "groups were not given")
        same = build(name, trials).fit(X, trials.labels).predict_proba(X)
    np.testing.assert_array_equal(same, fitted.predict_proba(trials.X))
    double = trials.X.astype(np.float64)
    double_p = build(name, trials).fit(double, trials.labels).predict_proba(double)
    np.testing.assert_allclose(double_p, same, atol=2e-2)


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_is_predicted_the_same_in_any_company(name: str, fitted: Any, trials: Any) -> None:
    whole = fitted.predict_proba(trials.X)
    order = np.random.default_rng(0).permutation(len(trials))
    np.testing.assert_allclose(fitted.predict_proba(trials.X[order]), whole[order], atol=1e-5)
    np.testing.assert_allclose(fitted.predict_proba(trials.X[3:10]), whole[3:10], atol=1e-5)
    np.testing.assert_allclose(fitted.predict_proba(trials.X[[6]]), whole[[6]], atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_refuses_values_that_are_not_finite(
    name: str, bad: float, fitted: Any, trials: Any
) -> None:
    X = trials.X.copy()
    X[4, 2, 7] = bad
    for call in (lambda: build(name, trials).fit(X, trials.labels), lambda: fitted.predict(X)):
        with pytest.raises(ValueError, match=r"(?s)NaN or infinity.*trial 4, channel 2"):
            call()


@pytest.mark.parametrize("name", NAMES)
def test_refuses_wrong_shapes(name: str, fitted: Any, trials: Any) -> None:
    with pytest.raises(ValueError, match="shape"):
        build(name, trials).fit(trials.X[0], trials.labels)
    with pytest.raises(ValueError, match="no trials"):
        build(name, trials).fit(trials.X[:0], trials.labels[:0])
    with pytest.raises(ValueError, match="trials"):
        build(name, trials).fit(trials.X, trials.labels[:-1])
    with pytest.raises(ValueError, match="one class"):
        build(name, trials).fit(trials.X, np.repeat("left_hand", len(trials)))
    with pytest.raises(ValueError, match=r"X\[None\]"):
        fitted.predict(trials.X[0])
    with pytest.raises(ValueError, match="7 channels"):
        fitted.predict(trials.X[:, :7])
    with pytest.raises(ValueError, match="100 times"):
        fitted.predict(trials.X[:, :, :100])


@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c", "d")], ids=["2", "4"])
@pytest.mark.parametrize("n_channels", [3, 8, 22])
@pytest.mark.parametrize("name", NAMES)
def test_any_number_of_channels_and_classes(
    name: str, n_channels: int, classes: tuple[str, ...], make_trials: Any
) -> None:
    data = make_trials(n_channels=n_channels, classes=classes, n_times=192)
    p = build(name, data).fit(data.X, data.labels).predict_proba(data.X)
    assert p.shape == (len(data), len(classes)) and np.isfinite(p).all()


@pytest.mark.parametrize("name", LEARNS)
def test_learns_an_easy_contrast(name: str, make_trials: Any) -> None:
    train = make_trials(n_trials=60, seed=1, contrast=8.0)
    test = make_trials(n_trials=40, seed=2, contrast=8.0)
    long = {"epochs": 40, "learning_rate": 5e-3} if "epochs" in parameters_of(name, train) else {}
    score = build(name, train, **long).fit(train.X, train.labels).score(test.X, test.labels)
    assert score > 0.8


@pytest.mark.parametrize(
    "name", [n for n in NAMES if "groups" in inspect.signature(resolve(BRANCHES[n]).fit).parameters]
)
def test_groups_may_be_a_list_of_subjects(name: str, people: Any) -> None:
    estimator = build(name, people)
    estimator.fit(people.X, people.labels, groups=people.subject.tolist())
    again = build(name, people).fit(people.X, people.labels, groups=people.subject)
    np.testing.assert_array_equal(estimator.predict_proba(people.X), again.predict_proba(people.X))


def epochs_of(trials: Any) -> Any:
    """Return trials as an mne.Epochs."""
    import mne

    info = mne.create_info(list(trials.ch_names), trials.sfreq, "eeg")
    return mne.EpochsArray(1e-6 * trials.X.astype(np.float64), info, verbose="error")


def told_nothing(name: str, trials: Any) -> Any:
    """Return an estimator that knows neither sampling rate nor channels."""
    estimator = build(name, trials)
    unknown = {key: None for key in ("sfreq", "ch_names") if key in estimator.get_params()}
    return estimator.set_params(**unknown)


@pytest.mark.parametrize("name", NAMES)
def test_epochs_are_read_by_the_names_of_their_channels(name: str, trials: Any) -> None:
    epochs = epochs_of(trials)
    estimator = told_nothing(name, trials).fit(epochs, trials.labels)
    whole = estimator.predict_proba(epochs)
    np.testing.assert_allclose(whole, probabilities(name, trials), atol=2e-2)
    turned = epochs.copy().reorder_channels(epochs.ch_names[::-1])
    np.testing.assert_array_equal(estimator.predict_proba(turned), whole)
    single = [turned[i] for i in range(20)]  # as scikit-learn takes trials out
    np.testing.assert_allclose(estimator.predict_proba(single), whole[:20], atol=1e-5)
    with pytest.raises(ValueError, match="lacks 1 of the 8 channels of this .*: EEG3"):
        estimator.predict(epochs.copy().drop_channels("EEG3"))
    with pytest.raises(ValueError, match="sampled at 64 Hz, but this .* is for 128 Hz"):
        estimator.predict(epochs.copy().decimate(2))


@pytest.mark.parametrize("name", NAMES)
def test_epochs_must_fit_the_parameters(name: str, trials: Any) -> None:
    known = parameters_of(name, trials)
    if "sfreq" in known:
        with pytest.raises(ValueError, match="sampled at 128 Hz, but this .* is for 100 Hz"):
            build(name, trials, sfreq=100.0).fit(epochs_of(trials), trials.labels)
    if "ch_names" in known:
        names = (*trials.ch_names[:3], "Cz")
        with pytest.raises(ValueError, match="lacks 1 of the 4 channels of this .*: Cz"):
            build(name, trials, ch_names=names).fit(epochs_of(trials), trials.labels)


@pytest.mark.parametrize("name", NAMES)
def test_cross_validation_takes_epochs(name: str, trials: Any) -> None:
    few = trials[:24]
    scores = [
        cross_val_score(model, X, few.labels, cv=2, scoring="neg_log_loss", error_score="raise")
        for model, X in ((told_nothing(name, few), epochs_of(few)), (build(name, few), few.X))
    ]
    np.testing.assert_allclose(scores[0], scores[1], atol=5e-2)


@pytest.mark.parametrize("name", ["fbcsp", "fb_tangent_space"])
def test_a_branch_that_needs_the_sampling_rate_says_so(name: str, trials: Any) -> None:
    with pytest.raises(ValueError, match="needs the sampling rate"):
        build(name, trials, sfreq=None).fit(trials.X, trials.labels)
