"""One row of all seeds: the mean of what networks predict, for whatever builds on it."""

from __future__ import annotations

import numpy as np
import pytest

from eegvit.config import StudyErrors, load_study
from eegvit.deploy.decoder import Decoder
from eegvit.results.outcomes import Outcome
from eegvit.results.seeds import mean_over_seeds
from eegvit.study import run_study
from eegvit.trials import Trials, concatenate

NET = {"branch": "eegnet", "epochs": 2, "kernel_length": 16}
STUDY = {
    "name": "seeds",
    "evaluate": {"seeds": [0, 1, 2]},
    "models": {"csp": {"branch": "csp_lda"}, "each": NET, "mean": {**NET, "seeds": "mean"}},
    "ensembles": {"with-csp": {"of": ["csp", "mean"], "rule": "weighted"}},
}


@pytest.fixture(scope="module")
def trials() -> Trials:
    from conftest import simulate_trials

    people = [simulate_trials(n_trials=16, n_times=64, subject=s, seed=int(s)) for s in "123"]
    return concatenate(people)


@pytest.fixture(scope="module")
def told(trials, tmp_path_factory):
    return run_study(STUDY, trials, jobs=0, cache=tmp_path_factory.mktemp("cache"))


def test_the_row_is_the_mean_of_the_networks_and_costs_no_fit(told) -> None:
    each = [told.details.predictions["each", seed].probabilities for seed in (0, 1, 2)]
    assert np.abs(each[0] - each[1]).max() > 1e-3
    for seed in (0, 1, 2):
        mean = told.details.predictions["mean", seed].probabilities
        np.testing.assert_allclose(mean, np.mean(each, axis=0), atol=1e-12)
    networks = {fit for fit in told.plan.fits.values() if fit.recipe.branch == "eegnet"}
    assert {request.key for request in told.plan.requests if request.model == "mean"} <= {
        fit.key for fit in networks
    }
    assert len(networks) == 3 * 3 + 3 * 3  # of splits, and within them, by seeds


def test_the_board_shows_one_row_that_depends_on_no_seed(told) -> None:
    rows = {row.model: row for row in told.details.board}
    assert rows["each"].n_seeds == 3 and rows["mean"].n_seeds == 1
    assert np.isnan(rows["mean"].seed_sd) and rows["mean"].n_fits == 9
    assert rows["mean"].n_parameters == 3 * rows["each"].n_parameters
    assert rows["mean"].branch == "eegnet, mean over seeds"
    assert rows["with-csp"].status == "ok" and rows["with-csp"].n_seeds == 1


def test_without_one_seed_there_is_no_mean(told) -> None:
    names = np.array(["a", "b"])
    about = {name: names for name in ("ids", "data", "subject", "session")}
    about |= {"split": "1 left out", "target": "none", "y": np.array([0, 1])}
    own = [Outcome("mean", seed=s, key=f"k{s}", probabilities=np.eye(2), **about) for s in (0, 2)]
    lacking = Outcome("mean", seed=1, key="k1", reason="no memory", failed=True, **about)
    assert {o.status for o in mean_over_seeds(told.plan.study, own)} == {"ok"}
    made = mean_over_seeds(told.plan.study, [own[0], lacking, own[1]])
    assert [o.seed for o in made] == [0, 1, 2] and {o.reason for o in made} == {"no memory"}
    assert {o.status for o in made} == {"failed"}


def test_a_decoder_and_few_labels_are_refused(told) -> None:
    with pytest.raises(ValueError, match="'mean' is the mean of networks over seeds"):
        Decoder.fit(told, "mean")
    few = {**STUDY, "data": "simulated", "ensembles": {}}
    few["evaluate"] = {"labels_per_class": [5]}
    with pytest.raises(StudyErrors, match="judges each seed by itself"):
        load_study(few)
