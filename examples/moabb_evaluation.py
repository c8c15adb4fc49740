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
# # In MOABB
#
# Models of eegvit in MOABB's own evaluation, beside a pipeline of its own. The recordings are real:
# steady-state potentials of three people (Kalunga2016), read offline from the folder of recordings
# that `EEGVIT_TEST_DATA` names. Without the lines on `recordings`, MOABB downloads the data set.

# %%
import os
import tempfile
import warnings
from pathlib import Path

import mne
from moabb import set_log_level
from moabb.datasets import Kalunga2016
from moabb.evaluations import CrossSubjectEvaluation
from moabb.paradigms import SSVEP
from pyriemann.classification import MDM
from pyriemann.estimation import Covariances
from sklearn.pipeline import make_pipeline

from eegvit import CSPLDAClassifier, FBTangentSpaceClassifier

mne.set_log_level("ERROR")
set_log_level("ERROR")
warnings.filterwarnings("ignore")
recordings = Path(os.environ["EEGVIT_TEST_DATA"]).resolve() / "mne_data"
os.environ["MNE_DATA"] = str(recordings)
os.environ["MOABB_DOWNLOAD_PROVIDER"] = "upstream"

# %% [markdown]
# A classifier of eegvit stands where MOABB expects a pipeline; nothing is wrapped around it.

# %%
dataset = Kalunga2016()
dataset.subject_list = [1, 2, 3]
rate = 128
narrow = tuple((f - 0.5, f + 0.5) for f in (13, 17, 21, 26, 34, 42))
pipelines = {
    "bands": FBTangentSpaceClassifier(sfreq=rate, bands=narrow),
    "csp": CSPLDAClassifier(),
    "mdm": make_pipeline(Covariances("oas"), MDM()),
}

# %%
evaluation = CrossSubjectEvaluation(
    paradigm=SSVEP(fmin=8, fmax=45, resample=rate, n_classes=None),
    datasets=[dataset],
    hdf5_path=tempfile.mkdtemp(),
    overwrite=True,
    n_jobs=1,
)
results = evaluation.process(pipelines)

# %% [markdown]
# Accuracy on each person, by models trained on the two others. Three people are few, and without
# narrow bands around the flicker the broad covariances tell nothing across people:

# %%
table = 100 * results.pivot(index="pipeline", columns="subject", values="score")
print(table.round(1).to_string())
print("accuracy in %; chance is 25 %")

# %% [markdown]
# `eegvit kalunga_ssvep` runs such a comparison as a study, with alignment, statistics and a page.
