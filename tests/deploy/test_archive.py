"""A decoder's file is whole, or it is refused; nothing in it is executed."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from eegvit.branches.csp import CSPLDAClassifier
from eegvit.branches.eegnet import EEGNetClassifier
from eegvit.branches.pipeline import PipelineClassifier
from eegvit.deploy import archive
from eegvit.deploy.decoder import Decoder
from eegvit.deploy.written import NotWritable, Written, written
from eegvit.ensemble import EnsembleClassifier
from eegvit.sealed import Damaged
from eegvit.trials import Trials

Make = Callable[..., Decoder]


@pytest.fixture
def saved(trials: Trials, decoder_of: Make, tmp_path: Path) -> Path:
    """Return the file of a small decoder."""
    path = tmp_path / "hand.eegvit"
    model = CSPLDAClassifier(n_components=2).fit(trials.X, trials.labels)
    decoder_of(model, trials).save(path)
    return path


def test_any_byte_that_is_changed_is_seen(saved: Path) -> None:
    whole = saved.read_bytes()
    for place in np.linspace(0, len(whole) - 1, 300).astype(int).tolist():
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(Damaged, match=r"hand\.eegvit is (no decoder|damaged or was changed)"):
            Decoder.load(saved)


@pytest.mark.parametrize("left", [0.0, 0.5, 0.999])
def test_a_part_of_a_file_is_refused(saved: Path, left: float) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(left * len(whole))])
    with pytest.raises(Damaged, match="is no decoder, or only a part of one"):
        Decoder.load(saved)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("decoder.json", "{}")
    with pytest.raises(Damaged, match="is no decoder"):
        Decoder.load(tmp_path / "a.zip")
    with pytest.raises(FileNotFoundError):
        Decoder.load(tmp_path / "nowhere.eegvit")


def test_it_is_a_zip_of_json_arrays_and_tensors(
    trials: Trials, decoder_of: Make, tmp_path: Path
) -> None:
    model = EEGNetClassifier(epochs=1).fit(trials.X, trials.labels)
    decoder_of(model, trials).save(tmp_path / "net.eegvit")
    with zipfile.ZipFile(tmp_path / "net.eegvit") as file:
        assert file.testzip() is None
        names = file.namelist()
        assert json.loads(file.read("decoder.json"))["about"]["study"] == "none"
    assert {Path(name).suffix for name in names} == {".json", ".npy", ".safetensors"}


def sealed_again(path: Path, changes: Callable[[dict[str, Any]], None]) -> None:
    """Change what a decoder is made of, and give the file a checksum that is right."""
    about, made = archive.read(path)
    changes(made.value)
    archive.write(path, about, made)


def attributes(value: Any) -> list[Any]:
    """Return the attributes of the model in what was written of a decoder."""
    pairs = dict((key, held) for key, held in value["dict"])
    return pairs["model"]["state"]


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"object": 99, "class": "subprocess:Popen", "state": []}, "no class that a decoder"),
        ({"object": 99, "class": "eegvit.study:StudyResults", "state": []}, "no class that a"),
        ({"object": 99, "class": "sklearn.conftest:pytest", "state": []}, "sklearn.conftest"),
        ({"function": "os:system"}, "no function that a decoder may call"),
        ({"function": "eegvit.branches.pipeline:resolve"}, "no function that a decoder may call"),
        ({"function": "numpy:load"}, "no function that a decoder may call"),
        ({"numpy": "load"}, "no type of numbers"),
        ({"wonder": 1}, "wonder"),
    ],
)
def test_what_a_decoder_may_not_be_made_of_is_not_built(
    saved: Path, planted: dict[str, Any], said: str
) -> None:
    sealed_again(saved, lambda value: attributes(value).append(["extra", planted]))
    with pytest.raises(Damaged, match=f"cannot be put together: .*{said}"):
        Decoder.load(saved)


def test_attributes_of_python_itself_are_refused(saved: Path) -> None:
    sealed_again(saved, lambda value: attributes(value).append(["__class__", 1]))
    with pytest.raises(Damaged, match="has no attribute '__class__'"):
        Decoder.load(saved)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    held = io.BytesIO()
    np.save(held, np.array([Trap()], dtype=object), allow_pickle=True)
    path = tmp_path / "a.eegvit"
    archive.write(path, {}, Written([], {"0": np.zeros(1)}))
    body = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(body, "w") as new:
        for name in old.namelist():
            new.writestr(name, held.getvalue() if name.endswith(".npy") else old.read(name))
        new.comment = bytes(archive._SEAL)
    bare = body.getvalue()[: -archive._SEAL]
    path.write_bytes(bare + archive._seal(bare))
    with pytest.raises(Damaged, match="pickle"):
        Decoder.load(path)
    assert not (tmp_path / "sprung").exists()
    pickle.loads(pickle.dumps(Trap()))
    assert (tmp_path / "sprung").exists(), "the trap would have sprung"


def test_a_decoder_that_says_another_thing_here_is_refused(saved: Path) -> None:
    about, made = archive.read(saved)
    pairs = dict((key, held) for key, held in made.value["dict"])
    made.arrays[pairs["witnessed"]["array"]] += 0.01
    archive.write(saved, about | {"versions": {"eegvit": "0.0.1"}}, made)
    with pytest.raises(Damaged, match=r"does not say here .* off by 0\.01.*eegvit 0\.0\.1"):
        Decoder.load(saved)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (
            [
                {
                    "from": "sklearn.ensemble.RandomForestClassifier",
                    "parameters": {"n_estimators": 2},
                }
            ],
            r"RandomForestClassifier|DecisionTreeClassifier\.tree_ holds",
        ),
        (
            [
                {
                    "from": "sklearn.neighbors.KNeighborsClassifier",
                    "parameters": {"algorithm": "kd_tree"},
                }
            ],
            r"KNeighborsClassifier\._tree holds an object of sklearn",
        ),
    ],
)
def test_a_model_that_cannot_be_written_is_refused_by_name(
    trials: Trials, steps: list[dict[str, Any]], said: str
) -> None:
    flat = {"from": "mne.decoding.Vectorizer"}
    model = PipelineClassifier(steps=[flat, *steps]).fit(trials.X, trials.labels)
    with pytest.raises(NotWritable, match=f"{said}.*without pickle.*Choose another model"):
        written(model)


def test_functions_and_strangers_are_refused_by_name() -> None:
    with pytest.raises(NotWritable, match="FunctionTransformer.func holds the function"):
        written(make_pipeline(FunctionTransformer(lambda X: X), RandomForestClassifier()))

    class Stranger(CSPLDAClassifier):
        pass

    with pytest.raises(NotWritable, match="Stranger"):
        written(Stranger())


def test_paths_and_peoples_predictions_are_left_out(trials: Trials) -> None:
    ensemble = EnsembleClassifier(members=["csp_lda", "mdm"], rule="weighted")
    ensemble.fit(trials.X, trials.labels, groups=trials.index % 3)
    ensemble.members_["csp_lda"].file = "/home/secret.yaml"
    made = written(ensemble)
    assert "secret" not in json.dumps(made.value)
    assert not any(array.shape == (2, len(trials), 2) for array in made.arrays.values())
