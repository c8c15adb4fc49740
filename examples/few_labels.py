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
# # Few labels
#
# How many labelled trials of the training people does a model need? Labels are drawn class by
# class, several times; all models are given the same draws. The people are simulated: no score
# below says anything about real EEG.

# %%
import pandas as pd

from eegvit import run_study

study = {
    "name": "few",
    "data": {
        "card": "simulated",
        "subjects": [1, 2, 3],
        "channels": ["FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4"],
        "classes": ["left_hand", "right_hand"],
        "options": {"n_sessions": 1, "n_trials": 64, "n_runs": 1, "difficulty": 0.5},
    },
    "align": "euclidean",
    "view": {"resample": 100, "window": [0.5, 3.5]},
    "evaluate": {
        "protocol": "cross_subject",
        "labels_per_class": [2, 8, 32],
        "draws": 3,
    },
    "models": {
        "csp": {"branch": "csp_lda"},
        "tangent": {"branch": "tangent_space"},
        "mdm": {"branch": "mdm"},
    },
}
results = run_study(study, jobs=1)

# %% [markdown]
# ## Score against labels
#
# Means over people and draws. Intervals need four people or more: three give none.

# %%
points = results.details.efficiency.points
curve = pd.DataFrame(
    {"model": p.model, "labels a class": int(p.amount), "accuracy": 100 * p.mean} for p in points
)
table = curve.pivot(index="model", columns="labels a class", values="accuracy")
print(table.round(1).to_string())
print("accuracy in %; chance is 50 %")

# %%
axes = table.T.plot(marker="o", logx=True, ylabel="accuracy %", figsize=(6, 3.5))
axes.axhline(50, color="grey", linestyle=":")

# %% [markdown]
# ## People
#
# A mean hides whom labels help. With the most labels:

# %%
most = max(p.amount for p in points)
people = pd.DataFrame({p.model: p.subjects for p in points if p.amount == most})
print((100 * people).round(1).to_string())
