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
# # Where a model looks
#
# Patterns of spatial filters, and attention of a network whose map keeps electrodes apart, drawn on
# the scalp. The people are simulated with a spherical head model: imagined movements of the left or
# right hand weaken rhythms over the other side.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import mne
import numpy as np

from eegvit import CSPLDAClassifier, EfficientViTClassifier
from eegvit.config import Card
from eegvit.data import read_subject
from eegvit.data.simulation.headmodel import head_model
from eegvit.data.simulation.people import person
from eegvit.preprocess.alignment import align_offline
from eegvit.report.topography import draw_topography
from eegvit.trials import concatenate

# %%
card = Card(
    name="two_people",
    source="simulated",
    simulated=True,
    options={"n_subjects": 2, "n_sessions": 1, "n_trials": 96, "n_runs": 2, "difficulty": 0.5},
    classes=("left_hand", "right_hand"),
    channels=("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4"),
    band=(4, 40),
    window=(0.5, 3.5),
    resample=100.0,
)
train, test = (
    part.replace(X=align_offline(part.X, "euclidean"))
    for part in (concatenate(read_subject(card, subject)) for subject in ("1", "2"))
)

# %% [markdown]
# ## Patterns
#
# One person trains, the other is looked at. A filter says how to weigh electrodes; its *pattern*
# says how the source that it picks out shows at them, and only patterns may be read as places.
# Those of common spatial patterns come with the model: `patterns_`.

# %%
csp = CSPLDAClassifier(n_components=2).fit(train.X, train.labels)
print(f"person 2: {100 * csp.score(test.X, test.labels):.1f} %")
strength = np.abs(csp.patterns_)  # (electrodes, filters)
for number, column in enumerate(strength.T, start=1):
    strongest = [train.ch_names[i] for i in column.argsort()[::-1][:3]]
    print(f"filter {number}: {', '.join(strongest)}")

# %%
info = mne.create_info(list(train.ch_names), train.sfreq, "eeg").set_montage("standard_1005")
figure, axes = plt.subplots(1, strength.shape[1], figsize=(6, 3))
for number, (column, ax) in enumerate(zip(strength.T, axes, strict=True), start=1):
    mne.viz.plot_topomap(column, info, axes=ax, show=False)
    ax.set_title(f"filter {number}")

# %% [markdown]
# ## Attention
#
# `attention_received` says how much attention each electrode receives over time, for each trial.

# %%
model = EfficientViTClassifier(epochs=60, sfreq=train.sfreq, ch_names=train.ch_names)
model.fit(train.X, train.labels)
print(f"person 2: {100 * model.score(test.X, test.labels):.1f} %")
received = model.attention_received(test.X)
print(f"{received.shape[0]} trials, {received.shape[1]} electrodes, {received.shape[2]} steps")

# %%
path = Path(tempfile.mkdtemp()) / "attention.png"
draw_topography(received.mean(axis=0), test.ch_names, path, window=card.window)

# %% [markdown]
# ## How far that is the truth
#
# These people are simulated, so the cortex that tells left from right is known, and what it gives
# at each electrode. Patterns lie over it. Attention does so loosely, and another seed of the
# network moves it: it says where the network gathers, which need not be where the answer lies. On
# 22 electrodes and four classes, `python benchmarks/attention_over_source.py`, its correlation with
# the source of a class is .35, that of the gradient's size .71.

# %%
rows, answer = head_model().rows(test.ch_names), np.zeros(len(test.ch_names))
for rhythm in person(seed=0, subject=2, session=0, difficulty=0.5).rhythms:
    told_apart = abs(rhythm.response["left_hand"] - rhythm.response["right_hand"])
    answer += told_apart * rhythm.scalp_map[rows] ** 2
for name, seen in (("patterns", strength.sum(axis=1)), ("attention", received.mean(axis=(0, 2)))):
    print(f"{name}: correlation with the source {np.corrcoef(seen, np.sqrt(answer))[0, 1]:.2f}")
