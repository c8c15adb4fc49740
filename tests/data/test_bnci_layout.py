"""Simulated files in BNCI2014_001's layout: MOABB reads them as they are."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from eegvit.config import Card, load_card
from eegvit.data import source
from eegvit.data.simulation.bnci_layout import main, write
from eegvit.data.simulation.recordings import CHANNELS, Design, simulate
from eegvit.trials import Trials

DESIGN = Design(seed=3, n_trials=16, n_runs=2)
CLASSES = ("left_hand", "right_hand", "feet", "tongue")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mne_data")
    write(folder, subjects=[2], design=DESIGN)
    return folder


@pytest.fixture
def offline(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MNE_DATA", str(root))
    monkeypatch.setenv("MNE_DATASETS_BNCI_PATH", str(root))
    monkeypatch.setenv("MOABB_DOWNLOAD_PROVIDER", "upstream")
    return root


def direct(card: Card) -> list[Trials]:
    """Read the same people without files."""
    options = {"seed": DESIGN.seed, "n_trials": DESIGN.n_trials, "n_runs": DESIGN.n_runs}
    return source(card.model_copy(update={"source": "simulated", "options": options})).read("2")


def test_files_lie_where_moabb_looks(root: Path) -> None:
    folder = root / "MNE-bnci-data" / "~bci" / "database" / "001-2014"
    assert sorted(path.name for path in folder.iterdir()) == [
        "A02E.mat",
        "A02T.mat",
        "SIMULATED.txt",
    ]


@pytest.mark.usefixtures("offline")
def test_they_cannot_pass_for_recordings() -> None:
    with pytest.raises(ValueError, match="are simulated"):
        source(load_card("bci_iv_2a")).fingerprint("2")
    assert source(load_card("bci_iv_2a_simulated")).fingerprint("2")["files"]


@pytest.mark.usefixtures("offline")
def test_moabb_reads_them_unchanged() -> None:
    from moabb.datasets import BNCI2014_001

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sessions = BNCI2014_001().get_data(subjects=[2])[2]
    assert list(sessions) == ["0train", "1test"]
    for session, runs in enumerate(sessions.values()):
        recorded = simulate(DESIGN, 2, session, CHANNELS)
        assert len(runs) == len(recorded)
        for raw, run in zip(runs.values(), recorded, strict=True):
            assert raw.info["sfreq"] == 250.0
            assert raw.get_channel_types() == ["eeg"] * 22 + ["eog"] * 3 + ["stim"]
            np.testing.assert_allclose(raw.get_data(CHANNELS) * 1e6, run.signals, atol=1e-2)
            stim = raw.get_data("stim")[0]
            begins = np.flatnonzero(stim)
            np.testing.assert_array_equal(begins + 500, run.cues)
            assert [CLASSES[int(code) - 1] for code in stim[begins]] == run.labels.tolist()


@pytest.mark.usefixtures("offline")
def test_moabbs_paradigm_sees_the_same_trials() -> None:
    from moabb.datasets import BNCI2014_001
    from moabb.paradigms import MotorImagery

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paradigm = MotorImagery(n_classes=4, events=list(CLASSES), fmin=4, fmax=40)
        X, y, meta = paradigm.get_data(BNCI2014_001(), subjects=[2])
    card = load_card("bci_iv_2a_simulated")
    trials = direct(card)
    assert y.tolist() == [label for t in trials for label in t.labels]
    assert meta.session.tolist() == ["0train"] * 16 + ["1test"] * 16
    ours = np.concatenate([t.X for t in trials])
    np.testing.assert_allclose(X[:, :, : ours.shape[2]], ours, atol=1e-2)


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("artifacts", ["keep", "drop"])
def test_the_card_reads_them_as_the_direct_source(artifacts: str) -> None:
    card = load_card("bci_iv_2a_simulated").model_copy(update={"artifacts": artifacts})
    assert card.simulated
    for read, made in zip(source(card).read("2"), direct(card), strict=True):
        assert read.labels.tolist() == made.labels.tolist()
        assert read.index.tolist() == made.index.tolist()
        assert read.run.tolist() == made.run.tolist()
        np.testing.assert_allclose(read.X, made.X, atol=1e-2)


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--subjects", "1", "--trials", "8", "--runs", "2"]) == 0
    assert "A01T.mat" in (said := capsys.readouterr().out)
    assert f"MNE_DATA={tmp_path.resolve()}" in said
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--subjects", "10"])
    assert stopped.value.code == 2
    assert "subjects 1 to 9" in capsys.readouterr().err


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="subjects 1 to 9"):
        write(tmp_path, subjects=[10])
    with pytest.raises(ValueError, match="left_hand, right_hand, feet, tongue"):
        write(tmp_path, subjects=[1], design=Design(classes=("feet", "tongue")))
