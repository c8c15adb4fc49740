"""Simulated files in the layouts of BNCI2014_001 and _004: MOABB reads them as they are."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from eegvit.config import Card, load_card
from eegvit.data import source
from eegvit.data.simulation.bnci_layout import LAYOUTS, main, write
from eegvit.data.simulation.people import CLASSES
from eegvit.data.simulation.recordings import CHANNELS, Design, simulate
from eegvit.trials import Trials

ASKED = {"seed": 3, "n_trials": 16, "n_runs": 2}
DESIGN = Design(**ASKED)
CARDS = ("bci_iv_2a_simulated", "bci_iv_2b_simulated")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mne_data")
    for layout in LAYOUTS:
        write(folder, subjects=[2], layout=layout, **ASKED)
    return folder


@pytest.fixture
def offline(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MNE_DATA", str(root))
    monkeypatch.setenv("MNE_DATASETS_BNCI_PATH", str(root))
    monkeypatch.setenv("MOABB_DOWNLOAD_PROVIDER", "upstream")
    return root


def direct(card: Card) -> list[Trials]:
    """Read the same people without files."""
    sessions = 5 if "2b" in card.name else 2
    options = {**ASKED, "n_sessions": sessions}
    return source(card.model_copy(update={"source": "simulated", "options": options})).read("2")


def test_files_lie_where_moabb_looks(root: Path) -> None:
    for number, letter in (("001-2014", "A"), ("004-2014", "B")):
        folder = root / "MNE-bnci-data" / "~bci" / "database" / number
        names = [f"{letter}02E.mat", f"{letter}02T.mat", "SIMULATED.txt"]
        assert sorted(path.name for path in folder.iterdir()) == names


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", ["bci_iv_2a", "bci_iv_2b"])
def test_they_cannot_pass_for_recordings(name: str) -> None:
    with pytest.raises(ValueError, match=f"are simulated.*data={name}_simulated"):
        source(load_card(name)).fingerprint("2")
    assert source(load_card(f"{name}_simulated")).fingerprint("2")["files"]


@pytest.mark.parametrize("name", ["bci_iv_2a", "bci_iv_2b"])
def test_a_simulated_card_cuts_as_the_real_one(name: str) -> None:
    real, simulated = load_card(name), load_card(f"{name}_simulated")
    described = {"name", "title", "licence", "citation", "url", "notes", "origin", "simulated"}
    assert real.model_dump(exclude=described) == simulated.model_dump(exclude=described)


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
def test_moabb_reads_five_sessions_of_one_stretch_each() -> None:
    from moabb.datasets import BNCI2014_004

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sessions = BNCI2014_004().get_data(subjects=[2])[2]
    assert list(sessions) == ["0train", "1train", "2train", "3test", "4test"]
    two = Design(**ASKED, classes=CLASSES[:2])
    for session, runs in enumerate(sessions.values()):
        (raw,) = runs.values()
        recorded = simulate(two, 2, session, ("C3", "Cz", "C4"))
        signals = np.concatenate([run.signals for run in recorded], axis=1)
        assert raw.get_channel_types() == ["eeg"] * 3 + ["eog"] * 3 + ["stim"]
        np.testing.assert_allclose(raw.get_data(["C3", "Cz", "C4"]) * 1e6, signals, atol=1e-2)
        stim = raw.get_data("stim")[0]
        begins = np.flatnonzero(stim)
        second = recorded[1].cues + recorded[0].signals.shape[1]
        np.testing.assert_array_equal(begins + 750, [*recorded[0].cues, *second])
        labels = [label for run in recorded for label in run.labels.tolist()]
        assert [CLASSES[int(code) - 1] for code in stim[begins]] == labels


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("name", CARDS)
def test_moabbs_paradigm_sees_the_same_trials(name: str) -> None:
    import moabb.datasets
    from moabb.paradigms import MotorImagery

    card = load_card(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        paradigm = MotorImagery(
            n_classes=len(card.classes), events=list(card.classes), fmin=4, fmax=40, tmax=4
        )
        dataset = getattr(moabb.datasets, card.options["dataset"])()
        X, y, meta = paradigm.get_data(dataset, subjects=[2])
    trials = source(card).read("2")
    assert y.tolist() == [label for t in trials for label in t.labels]
    assert meta.session.tolist() == [session for t in trials for session in t.session]
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


@pytest.mark.usefixtures("offline")
def test_the_card_of_2b_reads_what_the_direct_source_has() -> None:
    card = load_card("bci_iv_2b_simulated").model_copy(update={"band": None})
    read, made = source(card).read("2"), direct(card)
    assert len(read) == len(made) == 5
    for there, here in zip(read, made, strict=True):
        assert there.X.shape == (16, 3, 1000)
        assert there.labels.tolist() == here.labels.tolist()
        np.testing.assert_allclose(there.X, here.X, atol=1e-2)


@pytest.mark.slow
def test_sessions_are_as_long_as_the_data_sets(tmp_path: Path) -> None:
    from scipy.io import loadmat

    (train, test) = write(tmp_path, subjects=[1], layout="2b", n_runs=2)
    lengths = [
        len(session.y)
        for file in (train, test)
        for session in loadmat(file, struct_as_record=False, squeeze_me=True)["data"]
    ]
    assert lengths == [120, 120, 160, 160, 160]


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--subjects", "1", "--trials", "8", "--runs", "2"]) == 0
    assert "A01T.mat" in (said := capsys.readouterr().out)
    assert f"MNE_DATA={tmp_path.resolve()}" in said
    small = ["--subjects", "1", "--trials", "8", "--runs", "2"]
    assert main([str(tmp_path), "--layout", "2b", *small]) == 0
    assert "B01E.mat" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path), "--subjects", "10"])
    assert stopped.value.code == 2
    assert "subjects 1 to 9" in capsys.readouterr().err


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="subjects 1 to 9"):
        write(tmp_path, subjects=[10])
    with pytest.raises(ValueError, match="too few for 4 classes"):
        write(tmp_path, subjects=[1], n_trials=3, n_runs=1)
