"""A line of progress where it is asked for, and silence everywhere else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.fusion import FusionClassifier
from eegvit.pretrain import FineTunedClassifier

SHORT: dict[str, Any] = {"epochs": 3, "batch_size": 16, "device": "cpu"}


def test_a_line_shows_epochs_losses_and_time_left(trials: Any, capsys: Any) -> None:
    model = EEGNetClassifier(**SHORT, validation=0.3, verbose=True)
    loud = model.fit(trials.X, trials.labels)
    shown = capsys.readouterr()
    assert shown.out == "" and "EEGNetClassifier" in shown.err and "3/3" in shown.err
    losses = loud.history_[-1]
    assert f"train={losses['train_loss']:.3f}, valid={losses['valid_loss']:.3f}" in shown.err
    quiet = EEGNetClassifier(**SHORT, validation=0.3).fit(trials.X, trials.labels)
    assert capsys.readouterr() == ("", "")
    np.testing.assert_array_equal(quiet.predict_proba(trials.X), loud.predict_proba(trials.X))


@pytest.mark.filterwarnings("ignore:groups were not given")
def test_fused_and_pretrained_models_show_theirs(trials: Any, capsys: Any) -> None:
    short = {**SHORT, "epochs": 1}
    FusionClassifier(
        branches=["csp_lda", EEGNetClassifier(epochs=1)],
        start="frozen",
        sfreq=128.0,
        verbose=True,
        **short,
    ).fit(trials.X, trials.labels)
    shown = capsys.readouterr().err
    assert "EEGNetClassifier" in shown and "FusionClassifier" in shown
    network = EEGNetClassifier(**short, verbose=True)
    FineTunedClassifier(model=network, pretrain_epochs=1, finetune_steps=1).fit(
        trials.X, trials.labels
    )
    shown = capsys.readouterr().err
    assert "pretraining" in shown and "EEGNetClassifier" in shown


def test_a_study_shows_its_own(tmp_path: Any) -> None:
    from eegvit.config import StudyErrors, load_study

    file = tmp_path / "study.yaml"
    file.write_text(
        "name: a\ndata: bci_iv_2a_simulated\nmodels:\n  net: {branch: eegnet, verbose: true}\n"
    )
    with pytest.raises(StudyErrors, match="'verbose'.*a study shows its own progress"):
        load_study(str(file))
