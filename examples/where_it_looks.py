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
# # Where EfficientViT looks
#
# Attention of a network whose map keeps electrodes apart, drawn on the scalp over time. The people
# are simulated with a spherical head model: imagined movements of the left or right hand weaken
# rhythms over the other side.

# %%
import tempfile
from pathlib import Path

from eegvit.branches.efficientvit import EfficientViTClassifier
from eegvit.config import Card
from eegvit.data import read_subject
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
# One person trains, the other is looked at. `attention_received` says how much attention each
# electrode receives over time, for each trial.

# %%
model = EfficientViTClassifier(layout="patch", sfreq=train.sfreq, ch_names=train.ch_names)
model.fit(train.X, train.labels)
print(f"person 2: {100 * model.score(test.X, test.labels):.1f} %")
received = model.attention_received(test.X)
print(f"{received.shape[0]} trials, {received.shape[1]} electrodes, {received.shape[2]} steps")

# %%
path = Path(tempfile.mkdtemp()) / "attention.png"
draw_topography(received.mean(axis=0), test.ch_names, path, window=card.window)
print(f"drawn in {path}")
