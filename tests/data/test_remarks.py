"""What is said once of a whole data set: expectations, scales, trials that overlap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recorded import CHANNELS, CODES, epochs_of, make_raw, write

from eegvit.config import Align, Card, Evaluate, Model, Study, View
from eegvit.data import read_subject
from eegvit.data.remarks import chains_of, other_scales, overlap
from eegvit.views.reading import make_views


def make_study(root: Path, align: str = "none", **changes: object) -> Study:
    options = {"root": str(root), "pattern": "s{subject}_raw.fif", "events": CODES}
    card = Card.model_validate(
        {
            "name": "mine", "source": "files", "classes": ("left_hand", "right_hand"),
            "channels": CHANNELS, "window": (0.0, 1.0), "options": options, **changes,
        }
    )  # fmt: skip
    return Study(
        name="s", data=(card,), align=Align(method=align), evaluate=Evaluate(),
        models={"a": Model(branch="chance"), "b": Model(branch="mdm", view=View(resample=50))},
    )  # fmt: skip


def test_what_is_not_expected_is_said_once(tmp_path: Path, cache) -> None:
    for subject in "1234":
        raw = make_raw(["769", "770"] * (3 if subject == "2" else 4), int(subject))
        write(tmp_path / f"s{subject}_raw.fif", raw)
    expected = {"subjects": 9, "trials": 8, "channels": 3, "times": 100, "sfreq": 250}
    with pytest.warns(UserWarning) as said:
        make_views(make_study(tmp_path, expected=expected), cache)
    assert [str(warning.message) for warning in said] == [
        "mine is not as its card expects: 4 people instead of 9;"
        " 6 trials a session instead of 8 (person 2, session 0); 100 Hz instead of 250"
    ]


def test_a_person_in_another_unit(tmp_path: Path, cache) -> None:
    for subject in "1234":
        raw = make_raw(["769", "770"] * 4, int(subject))
        raw._data *= 1e-6 if subject == "3" else 1
        write(tmp_path / f"s{subject}_raw.fif", raw)
    with pytest.raises(ValueError, match=r"signals of person 3, session 0 are 1,0.*times weaker"):
        make_views(make_study(tmp_path), cache)
    for study in (make_study(tmp_path, "euclidean"), make_study(tmp_path, scales="accept")):
        with pytest.warns(UserWarning, match="person 3, session 0 are .* times weaker"):
            make_views(study, cache)


def test_two_people_in_two_units_and_one_alone(make_trials) -> None:
    def trials(scale: float, subject: str):
        made = make_trials(n_trials=6, subject=subject)
        return made.replace(X=made.X * np.float32(scale))

    assert "times weaker" in str(other_scales("d", [trials(1, "1"), trials(1e-3, "2")]))
    assert other_scales("d", [trials(1, "1")]) is None
    assert other_scales("d", [trials(1, "1"), trials(9, "2"), trials(0.2, "3")]) is None


def test_trials_that_overlap_are_chained(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)  # cues are 1.5 s apart
    write(tmp_path / "s1_raw.fif", raw)
    card = make_study(tmp_path).data[0]
    (apart,) = read_subject(card, "1")
    assert chains_of(apart).tolist() == list(range(10)) and overlap("d", [apart]) is None
    (chained,) = read_subject(card.override(View(window=(0.0, 2.0))), "1")
    assert chains_of(chained).tolist() == [0] * 10
    assert overlap("d", [chained]) == (
        "d: 10 of 10 trials share samples with another: they last 2 s, and cues are 1.5 s apart"
    )
    assert chains_of(chained[[0, 3, 4, 9]]).tolist() == [0, 1, 1, 2]


def test_numbered_epochs_are_not_taken_for_timed_ones(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)
    epochs = epochs_of(raw, 2.0)
    options = {"root": str(tmp_path), "pattern": "s{subject}_epo.fif", "events": CODES}
    card = make_study(tmp_path, options=options, window=(0.0, 2.0)).data[0]
    epochs.save(tmp_path / "s1_epo.fif", verbose="error")
    assert chains_of(read_subject(card, "1")[0]).tolist() == [0] * 10
    epochs.events[:, 0] = np.arange(10)
    epochs.save(tmp_path / "s1_epo.fif", overwrite=True, verbose="error")
    (numbered,) = read_subject(card, "1")
    assert np.isnan(numbered.onset).all() and chains_of(numbered).tolist() == list(range(10))
