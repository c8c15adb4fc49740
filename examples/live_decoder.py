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
# # A decoder for real time
#
# A study's model becomes a file, and the file decodes samples as they come. The people are
# simulated: no score below says anything about real EEG.

# %%
import tempfile
from pathlib import Path

import numpy as np

from eegvit import Decoder, run_study
from eegvit.data.simulation.recordings import Design, simulate
from eegvit.deploy.stream import Stream
from eegvit.deploy.stream.chunks import Chunk

# %% [markdown]
# ## A study that can run live
#
# The filter runs forwards only, and each trial is aligned by itself and those before it: nothing
# that a stream cannot know.

# %%
CHANNELS = ("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4")
study = {
    "name": "live",
    "data": {
        "name": "four_people",
        "source": "simulated",
        "simulated": True,
        "options": {
            "n_subjects": 4, "n_sessions": 1, "n_trials": 48, "n_runs": 1, "difficulty": 0.6,
        },
        "classes": ["left_hand", "right_hand"],
        "channels": list(CHANNELS),
        "band": [8, 30],
        "window": [0.5, 3.5],
        "resample": 125.0,
    },
    "view": {"phase": "causal"},
    "align": {"method": "euclidean", "mode": "causal"},
    "models": {"tangent": {"branch": "tangent_space"}},
}  # fmt: skip
results = run_study(study, jobs=0)
(accuracy,) = results.leaderboard["accuracy"]
print(f"of people held out: {100 * accuracy:.1f} %")

# %% [markdown]
# ## Its model as a file
#
# Fitted on all four. The file holds channels, filter, window, rate, alignment, classes, and the
# scores that vouch for it.

# %%
file = Path(tempfile.mkdtemp()) / "hands.eegvit"
Decoder.fit(results, "tangent").save(file)
decoder = Decoder.load(file)
print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB, {', '.join(decoder.classes)}")

# %% [markdown]
# ## A recording that is being made
#
# Someone whom the study does not know. An amplifier would hand over such chunks, of a fifth of a
# second here, with the marks that fell into them.

# %%
design = Design(n_trials=24, n_runs=1, difficulty=0.6, classes=("left_hand", "right_hand"))
(run,) = simulate(design, 9, 0, CHANNELS)
rate, length = design.sampling_rate, 50
seconds = np.asarray(run.cues) / rate


def chunks():
    for begin in range(0, run.signals.shape[1], length):
        samples, clock = run.signals[:, begin : begin + length], begin / rate
        inside = (seconds >= clock) & (seconds < clock + length / rate)
        marks = [(seconds[i], str(run.labels[i])) for i in np.flatnonzero(inside)]
        yield Chunk(samples, clock, marks=tuple(marks))


# %% [markdown]
# A decision is made when the last sample of its window has come.

# %%
stream = Stream(decoder, CHANNELS, rate)
decisions = [decision for chunk in chunks() for decision in stream.push(chunk)]
for decision in decisions[:4]:
    print(decision.json())

# %%
right = np.mean([decision.label == decision.mark for decision in decisions])
slowest = 1000 * max(stream.account.took)
print(f"{len(decisions)} decisions, {100 * right:.0f} % right, {slowest:.0f} ms at most")

# %% [markdown]
# ## Without marks
#
# Windows one after another: a decision each half second, whatever the person is asked to do.

# %%
stream = Stream(decoder, CHANNELS, rate, windows=(3.0, 0.5))
said = [decision for chunk in chunks() for decision in stream.push(chunk)]
print(f"{len(said)} windows, the first at {said[0].onset:.1f} s: {said[0].label}")
