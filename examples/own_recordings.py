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
# # Recordings of your own, from Python
#
# Arrays, a study as a dictionary, and results as pandas frames. The people are simulated: put
# your own arrays in their place. No score below says anything about real EEG.

# %%
import numpy as np

from eegvit import run_study
from eegvit.config import Card
from eegvit.data import read_subject

# %% [markdown]
# ## Arrays
#
# Trials (trials, channels, times) in microvolts, filtered and cut; a class and a person for each.

# %%
card = Card(
    name="four_people",
    source="simulated",
    simulated=True,
    options={"n_subjects": 4, "n_sessions": 1, "n_trials": 48, "n_runs": 1, "difficulty": 0.6},
    classes=("left_hand", "right_hand"),
    channels=("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4"),
    band=(8, 30),
    window=(0.5, 3.5),
    resample=100.0,
)
recorded = [session for person in ("1", "2", "3", "4") for session in read_subject(card, person)]
X = np.concatenate([session.X for session in recorded])
y = np.concatenate([session.labels for session in recorded])
person = np.concatenate([session.subject for session in recorded])
print(X.shape, y[:3].tolist(), sorted(set(person.tolist())))

# %% [markdown]
# ## A study
#
# The same keys as in a file. Each person is tested by models that were trained on the others.

# %%
study = {
    "name": "my_arrays",
    "align": {"method": "euclidean", "domain": "session"},
    "evaluate": {"protocol": "cross_subject"},
    "models": {
        "chance": {"branch": "chance", "align": "none"},
        "csp": {"branch": "csp_lda"},
        "tangent": {"branch": "tangent_space"},
    },
    "ensembles": {"average": {"of": ["csp", "tangent"]}},
}
data = {"X": X, "y": y, "subject": person, "sfreq": 100.0, "ch_names": card.channels}
results = run_study(study, data, jobs=1, out="reports")

# %%
board = results.leaderboard[["target", "model", "accuracy"]].copy()
board["accuracy"] = [f"{100 * accuracy:.1f} %" for accuracy in board["accuracy"]]
print(board.to_string(index=False))

# %% [markdown]
# Every person under every model:

# %%
axes = results.plot_subjects()

# %% [markdown]
# ## The model itself
#
# Fitted on everyone, with the alignment of the study in front: it takes new trials, all of one
# recording.

# %%
model = results.model("tangent")
new = X[person == "4"]
print(model.predict(new)[:5])
