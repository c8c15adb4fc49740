"""Classes by import path: of allowed packages, with `fit`, found without calling or building."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eegvit.config import Study, StudyErrors, load_study
from eegvit.config.imports import find_class

HEAD = "name: demo\ndata: {name: d, source: simulated, classes: [a, b], window: [0, 2]}\nmodels:\n"
OWN = """\
from pathlib import Path

from sklearn.dummy import DummyClassifier


class Mine(DummyClassifier):
    def __init__(self, strategy="prior", *, copy=True, **others):
        Path(__file__).with_name("built").touch()


def function(): ...


class Nothing: ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the name of a package of the user's, whose class says when it is built."""
    folder = tmp_path / "site" / "own_classes"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "models.py").write_text(OWN)
    (folder / "broken.py").write_text("raise RuntimeError('no licence')")
    (folder / "leaves.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield "own_classes"
    for name in [n for n in sys.modules if n.startswith("own_classes")]:
        del sys.modules[name]


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Study]:
    def load_models(models: str, **options) -> Study:
        path = tmp_path / "demo.yaml"
        path.write_text(HEAD + "  a: " + models + "\n")
        return load_study(path, **options)

    return load_models


def mistake(load: Callable[..., Study], models: str, **options) -> str:
    with pytest.raises(StudyErrors) as caught:
        load(models, **options)
    (line,) = caught.value.lines
    return line.split("demo.yaml:4: models.a.", 1)[1]


@pytest.mark.parametrize(
    "address",
    [
        "os.system", "os:system", "subprocess.Popen", "builtins.eval", "pathlib.Path",
        "sklearnx.svm.SVC", "sklearn_evil.A", "numpy.load", "joblib.Parallel", "eegvitx.a.B",
    ],
)  # fmt: skip
def test_other_packages_are_refused_without_being_imported(address: str) -> None:
    before = set(sys.modules)
    with pytest.raises(ValueError, match="not of a package whose classes a study may name"):
        find_class(address)
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sklearn.utils.os.system", "cannot be imported"),
        ("eegvit.config.load.Path", "no class with 'fit'"),
        ("eegvit.run.main", "no class with 'fit'"),
        ("eegvit.config.__main__.json_schema", "in no module of classes"),
        ("sklearn.tests.test_common.SVC", "in no module of classes"),
        ("sklearn.svm.SVCC", "has no 'SVCC', did you mean 'SVC'"),
        ("sklearn.svn.SVC", "cannot be imported"),
        ("SVC", "is no import path"),
        ("sklearn..SVC", "is no import path"),
        ("sklearn.svm:SVC.fit", "cannot be imported"),
        ("sklearn.svm.SVC; import os", "is no import path"),
    ],
)
def test_what_is_no_class_with_fit_is_named(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        find_class(address)


def test_a_package_is_allowed_by_the_caller_alone(package: str, load, tmp_path: Path) -> None:
    model = "{branch: 'own_classes.models:Mine', strategy: uniform, copy: false, more: 1}"
    assert mistake(load, model).startswith("branch: 'own_classes.models:Mine' is not of a package")
    assert "own_classes" not in sys.modules
    study = load(model, allow=["own_classes"])
    assert study.models["a"].branch == "own_classes.models:Mine"
    assert study.models["a"].parameters == {"strategy": "uniform", "copy": False, "more": 1}
    assert load(model, allow=["own_classes.models"]).models == study.models
    assert not (tmp_path / "site" / "own_classes" / "built").exists()
    assert "allow" in mistake_at_top(load, "allow: [own_classes]")


def mistake_at_top(load: Callable[..., Study], line: str) -> str:
    with pytest.raises(StudyErrors) as caught:
        load("{branch: chance}\n" + line)
    return caught.value.lines[0]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("{branch: 'own_classes.models:Other'}", "branch: module 'own_classes.models' has no"),
        ("{branch: 'own_classes.models:function'}", "branch: .* no class with 'fit'"),
        ("{branch: 'own_classes.models:Nothing'}", "branch: .* no class with 'fit'"),
        ("{branch: 'own_classes.models:DummyClassifier'}", None),
        ("{branch: 'own_classes.broken:Mine'}", "branch: .*RuntimeError: no licence"),
        ("{branch: 'own_classes.leaves:Mine'}", "branch: .*SystemExit: 3"),
        ("{branch: ['own_classes.models:Mine', eegnet]}", "branch.0: .* stands alone"),
        ("{branch: fusion}", "branch: two branches or more"),
        ("{branch: 'sklearn.svm:SVC', c: 1}", "c: unknown key 'c'"),
        ("{branch: 'sklearn.svm:SVC', random_state: 1}", "random_state: .*evaluate.seeds"),
    ],
)
def test_a_branch_by_its_import_path(package: str, load, model: str, said: str | None) -> None:
    if said is None:
        assert load(model, allow=[package]).models["a"]
        return
    with pytest.raises(StudyErrors, match=f"demo.yaml:4: models.a.{said}"):
        load(model, allow=[package])


SVC = "{from: sklearn.svm.SVC}"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[{from: os.system, parameters: {command: ls}}]", "steps.0.from: 'os.system' is not of"),
        ("[{from: sklearn.svm.SVC, parameters: {gama: 1}}]", "gama: SVC has no .* mean 'gamma'"),
        ("[{from: sklearn.svm, name: SVCC}]", "steps.0.from: .* did you mean 'SVC'"),
        (f"[{SVC}, {SVC}]", "steps.0: SVC has no 'transform'"),
        ("[{from: sklearn.preprocessing.StandardScaler}]", "steps.0: the last step is a class"),
        ("[{from: sklearn.ensemble.BaggingClassifier, parameters: {estimator: {from: os.system}}}]",
         "steps.0.parameters.estimator.from: 'os.system'"),
        ("[{from: sklearn.pipeline.Pipeline, parameters: {steps: [[a, {from: os.system}]]}}]",
         "steps.0.parameters.steps.0.1.from: 'os.system'"),
        ("[{from: eegvit.branches.pipeline.PipelineClassifier,"
         " parameters: {steps: [{from: os.system}]}}]", "steps.0.from: 'os.system'"),
        (f"[{{from: sklearn.pipeline.Pipeline, parameters: {{steps: [[a, {SVC}]], memory: /x}}}}]",
         "memory: steps keep no files"),
        ("[{from: sklearn.pipeline.Pipeline}]", "steps.0: Pipeline needs the parameter 'steps'"),
        ("[{form: sklearn.svm.SVC}]", "steps.0: a step needs 'from'"),
        ("[{from: sklearn.svm.SVC, params: {}}]", "steps.0: .* unknown key 'params'"),
        ("[{from: sklearn.svm.SVC, parameters: [1]}]", "steps.0: .* no mapping of names to values"),
        ("[]", "steps: a pipeline needs a list of at least one step"),
    ],
)  # fmt: skip
def test_steps_are_checked_with_the_file(load, steps: str, said: str) -> None:
    with pytest.raises(StudyErrors, match=rf"demo.yaml:4: models.a\.(\w|\.)*{said}"):
        load(f"{{branch: pipeline, steps: {steps}}}")


def test_steps_of_a_moabb_file_are_checked_with_the_study(load, tmp_path: Path) -> None:
    (tmp_path / "run.yml").write_text("name: x\npipeline:\n  - {from: os, name: system}\n")
    assert "'os.system' is not of a package" in mistake(load, "run.yml")
    assert "'os.system' is not of a package" in mistake(load, "{branch: pipeline, file: run.yml}")
    (tmp_path / "run.yml").write_text(f"name: x\npipeline: [{SVC}]\n")
    steps = {"steps": [{"from": "sklearn.svm.SVC"}]}
    assert load("{branch: pipeline, file: run.yml}").models["a"].parameters == steps
    (tmp_path / "run.yml").write_text("name: x\npipeline: 3\n")
    assert "run.yml:1: pipeline: expected a list of steps" in mistake(load, "run.yml")
    with pytest.raises(StudyErrors, match="either steps or a file"):
        load(f"{{branch: pipeline, file: run.yml, steps: [{SVC}]}}")
    with pytest.raises(StudyErrors, match="no such file"):
        load("{branch: pipeline, file: gone.yml}")


def test_a_file_that_python_names_is_held_to_the_same_packages(tmp_path: Path) -> None:
    from eegvit.branches.pipeline import PipelineClassifier

    file = tmp_path / "run.yml"
    file.write_text("name: x\npipeline:\n  - {from: os, name: system}\n")
    with pytest.raises(ValueError, match="run.yml:1: 'os.system' is not of a package"):
        PipelineClassifier(file=str(file)).pipeline()


def test_models_of_braindecode_are_checked_with_the_file(load) -> None:
    assert mistake(load, "{branch: braindecode, model: ATCnet}").endswith("mean 'ATCNet'?")
    wrong = "{branch: braindecode, model: ATCNet, model_parameters: {att_drop: 0.1}}"
    assert "ATCNet has no parameter 'att_drop'" in mistake(load, wrong)
    right = "{branch: braindecode, model: ATCNet, model_parameters: {att_drop_prob: 0.1}}"
    assert load(right).models["a"].branch == "braindecode"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("[]", "data: the list is empty"),
        ("[simulated, []]", "data.1: expected a card's name"),
        ("{card: simulated, classes: [a]}", "data.classes: expected .* at least 2"),
        ("{card: simulated, classes: [feet, feet]}", "data.classes: 'feet' is given twice"),
        ("{card: simulated, channels: []}", "data.channels: the list is empty"),
        ("{card: simulated, subjects: []}", "data.subjects: the list is empty"),
        ("{card: simulated, window: [2, 2]}", "data.window: the window ends before it begins"),
        ("{card: simulated, band: [40, 4]}", "data.band: 40 is not below 4"),
        ("{card: simulated, band: [0, 4]}", "data.band: its edges are frequencies above 0 Hz"),
        ("{card: simulated, resample: .nan}", "data.resample: expected .* finite"),
        ("{card: simulated, source: simulatd}", "source: unknown name .* mean 'simulated'"),
        ("{card: simulated, options: 3}", "data.options: expected dict"),
        ("{card: simulated, options: {card: 3}}", "data.options.card: 'card' is not set here"),
    ],
)
def test_contents_of_cards_are_checked_with_the_file(tmp_path: Path, data: str, said: str) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(f"name: demo\ndata: {data}\nmodels: {{a: {{branch: chance}}}}\n")
    with pytest.raises(StudyErrors, match=said) as caught:
        load_study(path)
    assert all(line.startswith(f"{path}:2: ") for line in caught.value.lines)


def test_a_card_that_is_no_mapping_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    path = tmp_path / "demo.yaml"
    path.write_text("name: demo\ndata: empty.yaml\nmodels: {a: {branch: chance}}\n")
    with pytest.raises(StudyErrors, match=r"empty.yaml:1: a card is a mapping"):
        load_study(path)
