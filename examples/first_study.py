# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first study, in scikit-learn
#
# Every model of eegvit is a scikit-learn classifier of arrays (trials, channels, times). Here three
# of them meet four people whose recordings are simulated: nothing is downloaded, and no score below
# says anything about real EEG. `python -m eegvit.run` does the same from a study file, with a store
# that survives interruptions, statistics and a page.

# %%
import numpy as np
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, cross_val_score

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.fbcsp import FBCSPClassifier
from eegvit.branches.tangent import TangentSpaceClassifier
from eegvit.config import Card
from eegvit.data import read_subject
from eegvit.preprocess.alignment import align_offline
from eegvit.trials import concatenate

# %% [markdown]
# ## Trials
#
# A card says what a data set is and how it is cut into trials: here nine electrodes over the motor
# areas, at 100 Hz. `Trials` holds the signals, the classes, and who was recorded when. For a data
# set whose card is shipped, `load_card("bci_iv_2a")` reads it.

# %%
card = Card(
    name="four_people",
    source="simulated",
    simulated=True,
    options={"n_subjects": 4, "n_sessions": 1, "n_trials": 96, "n_runs": 2, "difficulty": 0.7},
    classes=("left_hand", "right_hand", "feet"),
    channels=("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4"),
    band=(4, 40),
    window=(0.5, 3.5),
    resample=100.0,
)
sessions = [part for subject in ("1", "2", "3", "4") for part in read_subject(card, subject)]
trials = concatenate(sessions)
print(f"{len(trials)} trials, {trials.n_channels} electrodes, {trials.n_times} samples")
print(f"classes: {', '.join(trials.classes)}")

# %% [markdown]
# ## Across people
#
# Leave one person out: the person under test is never trained on. Chance is one in the number of
# classes.

# %%
models = {
    "CSP + LDA": CSPLDAClassifier(),
    "filter-bank CSP": FBCSPClassifier(sfreq=trials.sfreq),
    "tangent space": TangentSpaceClassifier(),
}


def scores_of(model, X):
    """Return the accuracy on each person, by models trained on the others."""
    return cross_val_score(
        model, X, trials.labels, groups=trials.subject, cv=LeaveOneGroupOut(), error_score="raise"
    )


raw = {name: scores_of(model, trials.X) for name, model in models.items()}
for name, scores in raw.items():
    print(f"{name:<16} {100 * scores.mean():.1f} % ({', '.join(f'{100 * s:.0f}' for s in scores)})")
print(f"chance           {100 / len(trials.classes):.1f} %")

# %% [markdown]
# ## Alignment
#
# Recordings of different people and sessions differ in scale and in how electrodes mix. Euclidean
# alignment whitens each session by its mean covariance. It needs no labels, but it does look at the
# whole session under test, so a leaderboard marks such rows *unlabelled* and ranks them apart.

# %%
aligned = np.concatenate([align_offline(part.X, "euclidean") for part in sessions])
with_alignment = {name: scores_of(model, aligned) for name, model in models.items()}
for name, scores in with_alignment.items():
    print(f"{name:<16} {100 * raw[name].mean():.1f} % -> {100 * scores.mean():.1f} %")

# %% [markdown]
# ## Choosing a parameter
#
# A parameter is chosen on the training people only: the person under test is put aside first.

# %%
test = trials.subject == "4"
search = GridSearchCV(CSPLDAClassifier(), {"n_components": [2, 4, 6]}, cv=LeaveOneGroupOut())
search.fit(aligned[~test], trials.labels[~test], groups=trials.subject[~test])
print(f"chosen on people 1 to 3: {search.best_params_}")
print(f"person 4: {100 * search.score(aligned[test], trials.labels[test]):.1f} %")
