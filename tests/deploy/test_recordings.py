"""From a study of recordings to probabilities for raw files: the study's own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import mne_bids
import numpy as np
import pytest
import yaml
from raws import recording, study_of
from recorded import write

from eegvit import Decoder, run_study
from eegvit.command import main
from eegvit.config import load_study
from eegvit.data import source
from eegvit.deploy.files import files_of
from eegvit.deploy.reading import Cues
from eegvit.ensemble.recentring import recentred
from eegvit.trials import Trials

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")


@pytest.mark.parametrize("name", ["csp", "raw", "causal", "shifted", "net", "both"])
def test_a_raw_file_has_the_predictions_of_the_study(
    results: Any, folder: Path, tmp_path: Path, name: str
) -> None:
    Decoder.fit(results, name).save(tmp_path / "it.eegvit")
    decoder = Decoder.load(tmp_path / "it.eegvit")
    told = decoder.predict(folder / "s2.edf")
    fitted, view = results.fitted(name)
    mine = np.flatnonzero(view.subject == "2")
    own = fitted.predict_proba(view.take(mine).X)  # aligned by the study
    if name == "shifted":
        own = recentred(own, np.array([0.5, 0.5]))
    assert told.classes == ("left", "right") and len(told) == 24
    np.testing.assert_allclose(told.probabilities, own, atol=1e-5)
    np.testing.assert_allclose(told.onset, 2 + 3.0 * np.arange(24), atol=1e-6)


def test_a_new_person_is_decoded(decoder: Decoder, folder: Path) -> None:
    told = decoder.predict(folder / "new" / "x4.edf")
    assert np.mean(told.labels == ["left", "right"] * 12) > 0.9
    assert told.recording.tolist() == [str(folder / "new" / "x4.edf")] * 24


@pytest.mark.parametrize("kind", [".edf", ".bdf", ".vhdr", ".fif"])
def test_every_format_says_the_same(decoder: Decoder, tmp_path: Path, kind: str) -> None:
    name = "x_raw.fif" if kind == ".fif" else f"x{kind}"
    write(tmp_path / name, recording(4))
    told = decoder.predict(str(tmp_path / name))
    np.testing.assert_allclose(
        told.probabilities, decoder.predict(recording(4)).probabilities, atol=0.02
    )


def test_eeglab(decoder: Decoder, tmp_path: Path) -> None:
    raw = recording(4, rate=100.0)
    write(tmp_path / "x.set", raw)
    told = decoder.predict(tmp_path / "x.set", windows=(2.0, 1.0))
    own = decoder.predict(raw, windows=(2.0, 1.0))
    np.testing.assert_allclose(told.probabilities, own.probabilities, atol=0.02)


def test_gdf_by_the_competitions_codes(folder: Path, tmp_path: Path) -> None:
    study = study_of(folder, models={"csp": {"branch": "csp_lda", "n_components": 2}}, ensembles={})
    study["data"] |= {
        "classes": ["left_hand", "right_hand"],
        "options": study["data"]["options"]
        | {"events": {"left": "left_hand", "right": "right_hand"}},
    }
    decoder = Decoder.fit(study, "csp", jobs=0, cache=tmp_path)
    raw = recording(4, rate=100.0)
    raw.annotations.rename({"left": "769", "right": "783"})  # cues of an unknown class, too
    write(tmp_path / "x.gdf", raw)
    told = decoder.predict(tmp_path / "x.gdf")
    assert np.mean(told.labels == ["left_hand", "right_hand"] * 12) > 0.9


def test_electrodes_in_another_order_by_other_names_and_more_of_them(decoder: Decoder) -> None:
    told = decoder.predict(recording(4))
    other = recording(4).reorder_channels(["Pz", "C4", "Fz", "Cz", "C3"])
    other.rename_channels({"C3": "EEG C3-REF", "Cz": "CZ.."})
    other.add_channels([dead(other)], force_update_info=True)
    np.testing.assert_allclose(decoder.predict(other).probabilities, told.probabilities, atol=1e-9)
    with pytest.raises(ValueError, match=r"no channel 'Cz'.*1 of the card's 4 channels"):
        decoder.predict(recording(4).drop_channels(["Cz"]))


def dead(raw: mne.io.BaseRaw) -> mne.io.RawArray:
    """Return a channel of nothing."""
    info = mne.create_info(["EOG1"], raw.info["sfreq"], "eeg")
    return mne.io.RawArray(np.zeros((1, raw.n_times)), info, verbose="error")


def test_a_dead_electrode_is_refused_as_in_training(decoder: Decoder) -> None:
    raw = recording(4)
    raw._data[3] = 0
    with pytest.raises(ValueError, match=r"a channel stays at one value \(C4\)"):
        decoder.predict(raw)


@pytest.mark.parametrize("rate", [500.0, 200.0])
def test_another_sampling_rate(decoder: Decoder, rate: float) -> None:
    told = decoder.predict(recording(4, rate=rate))
    assert np.mean(told.labels == ["left", "right"] * 12) > 0.9


def test_a_rate_too_low_is_refused(decoder: Decoder) -> None:
    with pytest.raises(ValueError, match=r"sampled at 50 Hz, and the decoder is for 125 Hz"):
        decoder.predict(recording(4).resample(50, verbose="error"))


def test_units(results: Any) -> None:
    decoder = Decoder.fit(results, "raw")
    told = decoder.predict(recording(4))
    wrong = recording(4)
    wrong._data *= 1e6
    with pytest.raises(ValueError, match=r"times stronger .* --to-microvolts"):
        decoder.predict(wrong)
    again = decoder.predict(wrong, to_microvolts=1.0)
    np.testing.assert_allclose(again.probabilities, told.probabilities, atol=1e-6)


def test_windows_throughout_a_recording(decoder: Decoder) -> None:
    told = decoder.predict(recording(4), windows=(2.0, 0.5))
    assert told.onset[:4].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert len(told) == int((76 - 2) / 0.5) + 1
    cued = decoder.predict(recording(4))
    at = np.searchsorted(told.onset, cued.onset + 0.5)  # the window of a cue begins 0.5 s later
    agreed = told.labels[at] == cued.labels
    assert agreed.mean() > 0.9
    with pytest.raises(ValueError, match=r"this decoder takes 2 s.*--windows 2,0\.5"):
        decoder.predict(recording(4), windows=(4.0, 0.5))


def test_cues_by_name(decoder: Decoder) -> None:
    raw = recording(4)
    raw.annotations.rename({"left": "go", "right": "no"})
    with pytest.raises(ValueError, match=r"none of its 24 marks .*marks: go, no.*--cue MARK"):
        decoder.predict(raw)
    assert len(decoder.predict(raw, cues=["go"])) == 12
    with pytest.raises(ValueError, match="give a list of marks"):
        decoder.predict(raw, cues="go")


def test_runs_of_a_session_are_aligned_together(decoder: Decoder) -> None:
    whole = recording(4)
    parts = [whole.copy().crop(0, 37.9), whole.copy().crop(38)]
    together = decoder.predict(parts)
    np.testing.assert_allclose(
        together.probabilities, decoder.predict(whole).probabilities, atol=0.05
    )
    assert len(together) == 24


def test_trials_and_epochs_that_were_cut_before(
    decoder: Decoder, results: Any, folder: Path
) -> None:
    (card,) = load_study(study_of(folder)).data
    (trials,) = source(card).read("2")
    told = decoder.predict(folder / "s2.edf").probabilities
    np.testing.assert_allclose(decoder.predict(trials).probabilities, told, atol=1e-6)
    shuffled = trials.replace(X=trials.X[:, ::-1], ch_names=trials.ch_names[::-1])
    np.testing.assert_allclose(decoder.predict(shuffled).probabilities, told, atol=1e-6)
    np.testing.assert_allclose(decoder.predict(trials.to_epochs()).probabilities, told, atol=1e-4)
    np.testing.assert_allclose(decoder.predict(trials.X).probabilities, told, atol=1e-6)
    with pytest.raises(ValueError, match="this decoder takes 250 at 125 Hz"):
        decoder.predict(trials.replace(sfreq=100.0))
    with pytest.raises(ValueError, match="this decoder takes 4 x 250"):
        decoder.predict(trials.X[:, :, :100])


def test_unlabelled_trials_set_the_reference(
    decoder: Decoder, folder: Path, tmp_path: Path
) -> None:
    raw = recording(4)
    first, rest = raw.copy().crop(0, 37.9), raw.copy().crop(38)
    first.annotations.rename({"left": "go", "right": "go"})
    knowing = decoder.calibrate(first, cues=["go"])
    assert knowing.calibration is None and knowing.align.since is not None
    one = knowing.predict(rest.copy().crop(0, 3))  # of one trial no mean could be had
    np.testing.assert_allclose(
        one.probabilities, knowing.predict(rest).probabilities[:1], atol=0.02
    )
    knowing.save(tmp_path / "ann.eegvit")
    again = Decoder.load(tmp_path / "ann.eegvit")
    np.testing.assert_allclose(
        again.predict(rest).probabilities, knowing.predict(rest).probabilities, atol=1e-9
    )
    assert "knowing 12 trials of the person" in repr(again)


def test_a_causal_decoder_goes_on_where_calibration_ended(results: Any) -> None:
    decoder = Decoder.fit(results, "causal")
    X = decoder.reading.read(recording(4), Cues()).trials.X
    whole = decoder.probabilities(X)
    later = replace(decoder, align=decoder.align.knowing(X[:10])).probabilities(X[10:])
    np.testing.assert_allclose(later, whole[10:], atol=1e-6)


def test_labelled_trials_calibrate_the_probabilities(results: Any, tmp_path: Path) -> None:
    decoder = Decoder.fit(results, "net")  # trained little: it is unsure of everything
    first, rest = recording(4).crop(0, 37.9), recording(4).crop(38)
    knowing = decoder.calibrate(first)
    assert knowing.calibration is not None and knowing.calibration.n_trials == 12
    y = (np.array(["left", "right"] * 6) == "right").astype(int)

    def loss(one: Decoder) -> float:
        return float(-np.log(one.predict(rest).probabilities[np.arange(12), y]).mean())

    assert loss(knowing) < loss(decoder)
    knowing.save(tmp_path / "ann.eegvit")
    assert loss(Decoder.load(tmp_path / "ann.eegvit")) == pytest.approx(loss(knowing), abs=1e-6)


def test_nothing_to_calibrate(results: Any) -> None:
    raw = recording(4)
    raw.annotations.rename({"left": "go", "right": "go"})
    with pytest.raises(ValueError, match="there is nothing to calibrate"):
        Decoder.fit(results, "raw").calibrate(raw, cues=["go"])


def test_a_bids_folder(decoder: Decoder, tmp_path: Path) -> None:
    path = mne_bids.BIDSPath(subject="04", task="hands", datatype="eeg", root=tmp_path / "bids")
    raw = recording(4)
    raw.info["line_freq"] = 50
    mne_bids.write_raw_bids(
        raw, path, allow_preload=True, format="BrainVision", verbose="error", overwrite=True
    )
    (file,) = files_of([tmp_path / "bids"])
    assert file.name == "sub-04_task-hands_eeg.vhdr"
    told = decoder.predict(tmp_path / "bids")
    np.testing.assert_allclose(
        told.probabilities, decoder.predict(recording(4)).probabilities, atol=0.02
    )


def test_folders_and_files_that_are_no_recordings(decoder: Decoder, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no BIDS data set"):
        decoder.predict(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such recording"):
        decoder.predict(tmp_path / "x.edf")
    (tmp_path / "x.txt").write_text("?")
    with pytest.raises(ValueError, match="recordings are read from"):
        decoder.predict(tmp_path / "x.txt")


def test_what_vouches_for_it_is_said(decoder: Decoder) -> None:
    said = repr(decoder)
    for part in ("Decoder csp", "edfs [SIMULATED]", "3 people", "C3, Cz, C4, Pz", "8 to 30 Hz",
                 "euclidean, offline", "use of the target: unlabelled, SIMULATED"):  # fmt: skip
        assert part in said, part
    assert decoder.about["scores"]["mean"] > 0.8 and decoder.about["versions"]["numpy"]


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "raws.yaml").write_text(yaml.safe_dump(study_of(folder)))
    where = ["--cache", str(folder / "cache"), "--jobs", "1"]
    made = str(tmp_path / "hand.eegvit")
    study = str(tmp_path / "raws.yaml")
    assert main(["deploy", "fit", study, "--model", "csp", "-o", made, *where]) == 0
    assert "vouched for" in capsys.readouterr().out
    new = str(folder / "new" / "x4.edf")
    assert main(["deploy", "predict", made, new]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "recording\tonset\tp_left\tp_right\tclass" and len(lines) == 25
    assert lines[1].startswith(f"{new}\t2.000\t") and lines[1].endswith("left")
    table = tmp_path / "told.tsv"
    more = ["--windows", "2,1", "--calibrate", new, "--cue", "left", "-o", str(table)]
    assert main(["deploy", "predict", made, new, *more]) == 0
    assert len(table.read_text().splitlines()) == 1 + 75
    assert main(["deploy", "predict", made, new, "--cue", "left=up"]) == 1
    assert "'up' is no class of the decoder: left, right" in " ".join(
        capsys.readouterr().err.split()
    )
    told = subprocess.run(
        [sys.executable, "-m", "eegvit.deploy", "show", made], capture_output=True, text=True
    )
    assert told.returncode == 0 and "Decoder csp" in told.stdout


def test_real_epochs_have_the_predictions_of_the_study(data_dir: Path, tmp_path: Path) -> None:
    changes = {
        "data": {"card": "bci_iv_2b_epochs", "subjects": ["1", "2"], "resample": 125},
        "models": {"csp": {"branch": "csp_lda"}, "net": {"branch": "eegnet", "epochs": 1}},
    }
    study = {"name": "real", "align": "euclidean", **changes}
    results = run_study(study, jobs=0, cache=tmp_path / "cache")
    file = next((data_dir / "bci_iv_2b").glob("sub-01_ses-*1_epo.fif"))
    for name in ("csp", "net"):
        Decoder.fit(results, name).save(tmp_path / "it.eegvit")
        told = Decoder.load(tmp_path / "it.eegvit").predict(file)
        fitted, view = results.fitted(name)
        session = view.session[view.subject == view.subject[0]][0]
        mine = np.flatnonzero((view.subject == view.subject[0]) & (view.session == session))
        own = fitted.predict_proba(view.take(mine).X)
        np.testing.assert_allclose(told.probabilities, own, atol=1e-5)


def test_trials_from_memory_say_nothing_of_a_filter(people: Trials, tmp_path: Path) -> None:
    study = {"name": "memory", "models": {"csp": {"branch": "csp_lda"}}}
    decoder = Decoder.fit(study, "csp", data=people, jobs=0, cache=tmp_path)
    assert len(decoder.predict(people[:5])) == 5
    with pytest.raises(ValueError, match="nothing is known of their filter"):
        decoder.predict(recording(1))


def test_what_a_decoder_cannot_be(results: Any, folder: Path) -> None:
    with pytest.raises(ValueError, match="the study has no model 'cps'"):
        Decoder.fit(results, "cps")
    study = study_of(folder, ensembles={"both": {"of": ["shifted", "shifted2"], "rule": "average"}})
    study["models"] = {
        "shifted": {"branch": "tangent_space", "recentre": "session"},
        "shifted2": {"branch": "mdm", "recentre": "session"},
    }
    shifted = run_study(study, jobs=0, cache=folder / "cache")
    with pytest.raises(ValueError, match="the members of 'both' are recentred one by one"):
        Decoder.fit(shifted, "both")
