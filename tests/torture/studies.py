"""Mutated study files, cards and overrides: each is loaded, or refused in words; nothing runs."""

from __future__ import annotations

import contextlib
import copy
import io
import random
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from torture.mutations import KINDS, OTHER_TYPES, RAW, dumped, places
from torture.rows import Row
from torture.watch import TooLong, listing, watched

from eegvit.config import StudyErrors, load_study

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 10.0  # seconds
PLACE = re.compile(r"(.+:\d+|--set .+?): .+", re.DOTALL)
PLANTED = "planted_by_torture"  # a module whose import would be noticed


@dataclass(frozen=True)
class Case:
    """A folder's study, and what the command line adds."""

    file: Path
    overrides: Sequence[str] = ()


def run(n: int, seed: int, folder: Path | None = None) -> list[Row]:
    """Load mutated studies, planning nothing; return a row for each kind.

    Parameters
    ----------
    n : int
        How many, over all kinds.
    seed : int
        What draws them.
    folder : Path or None
        Where they are written; by default a temporary folder.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as made:
            return run(n, seed, Path(made))
    _prepare(folder)
    makers = _makers(folder)
    wrong: dict[str, list[str]] = {kind: [] for kind in makers}
    tried = dict.fromkeys(makers, 0)
    names = list(makers)
    sys.path.insert(0, str(folder / "importable"))
    try:
        for number in range(n):
            kind = names[number % len(names)]
            case = makers[kind](random.Random(f"{seed}/{number}"))
            tried[kind] += 1
            if found := fault(case, folder):
                wrong[kind].append(f"number {number} of seed {seed}: {found}")
    finally:
        sys.path.remove(str(folder / "importable"))
        sys.modules.pop(PLANTED, None)
    return [
        Row(f"study: {kind}", tried[kind], tried[kind] - len(wrong[kind]), tuple(wrong[kind]))
        for kind in names
    ]


def fault(case: Case, folder: Path) -> str | None:
    """Return what went wrong as a study was loaded; None if it was loaded or refused in words."""
    before = listing(folder)
    said: list[str] = []
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            with watched(LIMIT) as seen:
                study = load_study(case.file, case.overrides)
        except StudyErrors as error:
            said = error.lines or ["no line"]
        except TooLong:
            return f"longer than {LIMIT:g} s"
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__}: {str(error)[:100]} ({where.filename}:{where.lineno})"
        else:
            out = (folder / "out").resolve()
            if (out / study.name).resolve().parent != out:
                return f"its report would be written to {study.name!r}"
    if seen.programs:
        return f"ran {seen.programs[0]}"
    if sys.modules.get(PLANTED) or (folder / "importable" / "ran").exists():
        return "ran a module that it named"
    if written := seen.written or sorted(listing(folder) - before):
        return f"wrote {written[0]}"
    for line in said:
        if not PLACE.fullmatch(line) or not line.isprintable():
            return f"an error without a place, or not printable: {line[:200]!r}"
    return None


def _prepare(folder: Path) -> None:
    """Copy what is shipped, load it once, and plant a module that says when it is imported."""
    for name in ("pipelines", "datasets", "importable"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in ("pipelines", "datasets"):
        for file in (ROOT / name).glob("*.yaml"):
            (folder / name / file.name).write_bytes(file.read_bytes())
    for file in sorted((folder / "pipelines").glob("*.yaml")):
        load_study(file)  # packages that it names may write their settings when first imported
    planted = (
        f"open({str(folder / 'importable' / 'ran')!r}, 'w').close()\nclass A:\n  fit = print\n"
    )
    (folder / "importable" / f"{PLANTED}.py").write_text(planted, encoding="utf-8")


def _makers(folder: Path) -> dict[str, Callable[[random.Random], Case]]:
    studies = _trees(folder / "pipelines")
    cards = _trees(folder / "datasets")
    makers: dict[str, Callable[[random.Random], Case]] = {}

    def add(kind: str, spoil: Callable[[random.Random, Any], bytes]) -> None:
        def study(rng: random.Random) -> Case:
            content = spoil(rng, copy.deepcopy(rng.choice(studies)))
            return Case(_written(folder / "pipelines" / "spoilt.yaml", content))

        def card(rng: random.Random) -> Case:
            content = spoil(rng, copy.deepcopy(rng.choice(cards)))
            _written(folder / "datasets" / "spoilt_card.yaml", content)
            text = b"name: a\ndata: spoilt_card\nmodels: {chance: {branch: chance}}\n"
            return Case(_written(folder / "pipelines" / "spoilt.yaml", text))

        makers[kind] = study
        makers[f"{kind} in a card"] = card

    for kind, spoil in KINDS.items():
        add(kind, spoil)

    def by_override(rng: random.Random) -> Case:
        tree = rng.choice(studies)
        content = dumped(tree).encode()
        overrides = [_override(rng, tree) for _ in range(rng.randint(1, 2))]
        return Case(_written(folder / "pipelines" / "spoilt.yaml", content), overrides)

    def by_program(rng: random.Random) -> Case:
        tree = copy.deepcopy(rng.choice(studies))
        tree["models"]["spoilt"] = _program(rng, folder)
        content = dumped(tree).encode()
        if rng.random() < 0.3:
            call = f"!!python/object/apply:os.system ['touch {folder / 'importable' / 'ran'}']"
            content += f"description: {call}\n".encode()
        return Case(_written(folder / "pipelines" / "spoilt.yaml", content))

    return {**makers, "--set": by_override, "program": by_program}


def _trees(folder: Path) -> list[Any]:
    return [yaml.safe_load(file.read_bytes()) for file in sorted(folder.glob("*.yaml"))]


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def _override(rng: random.Random, tree: Any) -> str:
    """Return what may stand after `--set`: a key that is there or not, and a strange value."""
    paths = [".".join(path) for path in _paths(tree, ())]
    key = rng.choice(paths)
    if rng.random() < 0.3:
        key = rng.choice(
            ("", ".", "a..b", key + ".x", key + ".", "x" * 300, "models.\x1b[31m", "=")
        )
    value = rng.choice((rng.choice(RAW), str(rng.choice(OTHER_TYPES)), "x" * 3000, "[" * 3000))
    return key + rng.choice(("=", "=", "=", "", " = ", ":")) + value


def _paths(tree: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for container, key in places(tree):
        if container is tree:
            yield (*path, str(key))
            if isinstance(container[key], dict):
                yield from _paths(container[key], (*path, str(key)))


def _program(rng: random.Random, folder: Path) -> Any:
    """Return a model that would run a program, were it not refused."""
    mark = str(folder / "importable" / "ran")
    address = rng.choice(
        (
            "os.system", "posix.system", "subprocess.run", "subprocess.Popen", "builtins.exec",
            "builtins.open", "pathlib.Path", "shutil.rmtree", f"{PLANTED}.A", "eegvit.run.main",
            "eegvit.study.running.Path", "sklearn.utils.os.system", "sklearn.svm.SVC.__init__",
            "pty.spawn",
            "mne.utils.run_subprocess", "moabb.run.os", "joblib.Parallel", "numpy.load",
            "sklearn.externals.os", "importlib.import_module", "antigravity.geohash", "pdb.run",
        )
    )  # fmt: skip
    given = rng.choice(
        ({}, {"command": f"touch {mark}"}, {"args": ["touch", mark]}, {"file": mark})
    )
    step = {"from": address, "parameters": given}
    inner = {"from": "sklearn.ensemble.BaggingClassifier", "parameters": {"estimator": step}}
    listed = {"from": "sklearn.pipeline.Pipeline", "parameters": {"steps": [["a", step]]}}
    kept = {
        "from": "sklearn.pipeline.Pipeline",
        "parameters": {"steps": [["a", {"from": "sklearn.svm.SVC"}]], "memory": mark},
    }
    again = {"from": "eegvit.branches.pipeline.PipelineClassifier", "parameters": {"steps": [step]}}
    fused = {
        "from": "eegvit.branches.fusion.FusionClassifier",
        "parameters": {"branches": [{"branch": "pipeline", "steps": [step]}, {"branch": address}]},
    }
    steps = (step, inner, listed, kept, again, fused)
    by_path = address[::-1].replace(".", ":", 1)[::-1]
    moabb = folder / "pipelines" / "moabb.yml"
    moabb.write_text(dumped({"name": "a", "pipeline": [step]}), encoding="utf-8")
    return rng.choice(
        (
            *({"branch": "pipeline", "steps": [one]} for one in steps),
            {"branch": [{"branch": "pipeline", "steps": [step]}, "eegnet"]},
            {"branch": [by_path, "eegnet"]},
            {"branch": [{"branch": by_path}, "eegnet"]},
            {"branch": by_path, **given},
            {"branch": address},
            {"branch": "pipeline", "file": "moabb.yml"},
            {"branch": "pipeline", "file": mark},
            "moabb.yml",
            {"branch": "braindecode", "model": address, "model_parameters": given},
            {"branch": "braindecode", "model": "__import__"},
        )
    )
