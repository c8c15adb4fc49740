"""Recordings that were cut off or written twice, and what MNE has to say of them."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import mne
import numpy as np
import pytest
from recorded import CHANNELS, CLASSES, CODES, make_raw, write, write_set

from eegvit.config import Card
from eegvit.data import read_subject, recipe_of
from eegvit.data.cache import Cache
from eegvit.data.recordings import readers


def make_card(root: Path, pattern: str, **changes: object) -> Card:
    prefix = "Comment/" if pattern.endswith("vhdr") else ""
    events = {prefix + code: label for code, label in CODES.items()}
    settings: dict[str, object] = {
        "name": "mine", "source": "files", "classes": CLASSES, "channels": CHANNELS,
        "window": (0.0, 1.0),
        "options": {"root": str(root), "pattern": pattern, "events": events},
    }  # fmt: skip
    return Card.model_validate(settings | changes)


@pytest.mark.parametrize("name", ["a.edf", "a.bdf", "a.gdf", "a.vhdr"])
@pytest.mark.parametrize("share", [0.4, 0.97])
def test_a_recording_that_was_cut_off_is_refused(tmp_path: Path, name: str, share: float) -> None:
    write(tmp_path / "s1" / name, make_raw(["769", "770"] * 10))
    signals = tmp_path / "s1" / name.replace("vhdr", "eeg")
    whole = signals.read_bytes()
    signals.write_bytes(whole[: int(share * len(whole)) // 16 * 16 + 3])
    card = make_card(tmp_path, "s{subject}/" + name)
    with pytest.raises(ValueError, match=rf"{name}: .*say `truncated: accept` in the card"):
        read_subject(card, "1")


def test_what_is_left_of_it_is_used_where_the_card_accepts_that(tmp_path: Path) -> None:
    write(tmp_path / "s1.edf", make_raw(["769", "770"] * 10))
    whole = (tmp_path / "s1.edf").read_bytes()
    (tmp_path / "s1.edf").write_bytes(whole[: len(whole) // 4])
    card = make_card(tmp_path, "s{subject}.edf", truncated="accept")
    with pytest.warns(UserWarning, match=r"s1\.edf: its header says .* what is there is used"):
        (trials,) = read_subject(card, "1")
    assert 2 <= len(trials) < 10
    assert trials.account is not None and "what is there is used" in trials.account.notes[0]


def test_marks_beyond_the_signals_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "s1.vhdr", make_raw(["769", "770"] * 10))
    signals = tmp_path / "s1.eeg"
    signals.write_bytes(signals.read_bytes()[: 16 * 1000])  # whole samples, 10 of 34 s
    with pytest.raises(ValueError, match=r"s1\.vhdr: marks stand beyond the end of the signals"):
        read_subject(make_card(tmp_path, "s{subject}.vhdr"), "1")


def test_marks_that_are_there_twice_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "s1.vhdr", make_raw(["769", "770"] * 10))
    marks = tmp_path / "s1.vmrk"
    lines = [line for line in marks.read_text("utf-8").splitlines() if line.startswith("Mk")]
    marks.write_text(marks.read_text("utf-8") + "\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"s1\.vhdr: 20 of 40 cues stand where another does"):
        read_subject(make_card(tmp_path, "s{subject}.vhdr"), "1")


def test_what_mne_says_reaches_the_user_once(tmp_path: Path, monkeypatch) -> None:
    write(tmp_path / "s1_raw.fif", make_raw(["769", "770"] * 3))

    def speaking(*arguments: object, **options: object) -> mne.io.BaseRaw:
        for _ in range(2):
            mne.utils.warn("the cap was put on backwards")
        mne.utils.warn("This filename s1 does not conform to MNE naming conventions")
        return read(*arguments, **options)

    read = mne.io.read_raw_fif
    monkeypatch.setitem(readers.READERS, ".fif", speaking)
    card, cache = make_card(tmp_path, "s{subject}_raw.fif"), Cache(tmp_path / "cache")
    with pytest.warns(UserWarning) as said:
        read_subject(card, "1", cache)
    text = f"{tmp_path / 's1_raw.fif'}: the cap was put on backwards"
    assert [str(warning.message) for warning in said] == [text]
    (again,) = read_subject(card, "1", cache)  # from the cache
    assert again.account is not None and again.account.notes == (text,)


def test_what_was_left_out_is_counted_and_kept(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 5)
    raw.annotations.append([3.6], [0.5], ["BAD blink"])  # in the second trial
    raw.annotations.append([raw.times[-1] - 0.5], [0.1], ["769"])
    write(tmp_path / "s1_raw.fif", raw)
    card = make_card(tmp_path, "s{subject}_raw.fif", artifacts="drop")
    cache = Cache(tmp_path / "cache")
    with pytest.warns(UserWarning, match="1 of 11 trials reach beyond the recording"):
        read_subject(card, "1", cache)
    (trials,) = read_subject(card, "1", cache)
    account = trials.account
    assert account is not None and account.found == 11 and account.read == len(trials) == 9
    assert account.left_out == {"beyond the recording": 1, "marked as spoilt": 1}
    assert trials.onset[:3].tolist() == [2.0, 5.0, 6.5]


def test_files_beside_a_header_belong_to_its_fingerprint(tmp_path: Path) -> None:
    write(tmp_path / "s1.vhdr", make_raw(["769", "770"] * 3))
    write_set(tmp_path / "s2.set", make_raw(["769", "770"] * 3), beside=True)
    for pattern, subject, other in (
        ("s{subject}.vhdr", "1", "s1.vmrk"),
        ("s{subject}.set", "2", "s2.fdt"),
    ):
        card = make_card(tmp_path, pattern)
        before = recipe_of(card, subject)
        with (tmp_path / other).open("ab") as file:
            file.write(b"\0")
        assert recipe_of(card, subject) != before


def test_signals_in_a_file_of_their_own(tmp_path: Path) -> None:
    raw = make_raw(["769", "770"] * 3)
    write_set(tmp_path / "s1.set", raw, beside=True)
    (trials,) = read_subject(make_card(tmp_path, "s{subject}.set"), "1")
    np.testing.assert_allclose(trials.X[0], 1e6 * raw.get_data()[:3, 200:300], rtol=1e-5)
    (tmp_path / "s1.fdt").unlink()
    with warnings.catch_warnings(), pytest.raises(ValueError, match=r"s1\.set: cannot be read"):
        read_subject(make_card(tmp_path, "s{subject}.set"), "1")


def test_files_are_compared_with_a_list_of_checksums(tmp_path: Path) -> None:
    for subject in "12":
        write(tmp_path / f"s{subject}.edf", make_raw(["769", "770"] * 3, int(subject)))
    card = make_card(tmp_path, "s{subject}.edf")
    card = card.model_copy(update={"options": {**card.options, "checksums": "SHA256SUMS.txt"}})
    with pytest.raises(FileNotFoundError, match="the list of checksums is missing"):
        read_subject(card, "1")
    digest = hashlib.sha256((tmp_path / "s1.edf").read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS.txt").write_text(f"{digest}  ./s1.edf\n", encoding="utf-8")
    assert len(read_subject(card, "1")[0]) == 6
    with pytest.raises(ValueError, match=r"s2\.edf: is not in the list of checksums"):
        read_subject(card, "2")
    whole = (tmp_path / "s1.edf").read_bytes()
    calibration = whole.index(b"32767")
    (tmp_path / "s1.edf").write_bytes(whole.replace(b"32767", b"31767", 1))
    assert calibration < 1280 and len(read_subject(make_card(tmp_path, "s{subject}.edf"), "1")) == 1
    with pytest.raises(ValueError, match=r"s1\.edf: is not as the list of checksums .* says"):
        read_subject(card, "1")
