"""Workers of dask: the store of local execution; those that die, and those that do not fit."""

from __future__ import annotations

import asyncio
import gc
import math
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from eegvit import registry
from eegvit.command import main
from eegvit.data.cache import Cache
from eegvit.execute import cluster as module
from eegvit.execute.cluster import Cluster, Home, Unfit, _tell
from eegvit.execute.fits import execute
from eegvit.execute.store import Store
from eegvit.plan.plan import make_plan
from eegvit.tasks import Task

needs_dask = pytest.mark.skipif(
    not registry.installed("distributed"), reason="distributed is not installed: eegvit[cluster]"
)

STUDY = """
import signal
import sys
import time
from pathlib import Path
from eegvit.execute.cluster import Cluster
from eegvit.tasks import Task
if __name__ == "__main__":
    # a shell that starts tests in the background lets them ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with Cluster(Path(sys.argv[1]), jobs=2) as workers:
        print(*workers.client.run(__import__("os").getpid).values(), flush=True)
        list(workers.run([Task("long", time.sleep, (600.0,))] * 2))
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Return two workers of dask on this machine."""
    with Cluster(tmp_path_factory.mktemp("seen"), jobs=2) as workers:
        yield workers


def die_if(path, value):
    """Kill the worker if a file says so, once for each line of it."""
    lines = path.read_text().splitlines()
    if lines:
        path.write_text("\n".join(lines[1:]))
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def complain():
    warnings.warn("it is cold", stacklevel=1)


@needs_dask
@pytest.mark.slow
def test_the_store_is_that_of_local_execution_though_a_worker_is_killed(
    two, make_study, make_view, tmp_path
):
    view = make_view(n_trials=12)
    slow = {"steps": [{"from": "steps.Guess", "parameters": {"seconds": 0.3}}]}
    models = {"csp": ("csp_lda", {}), "guess": ("pipeline", slow)}
    plan = make_plan(make_study(models, n_folds=3), dict.fromkeys(models, view))
    here, there = (Cache(tmp_path / name) for name in ("here", "there"))
    execute(plan, Store(here.fits), here)

    def kill() -> None:
        while not list(there.fits.glob("*/*.npz")):
            time.sleep(0.01)
        os.kill(next(iter(two.client.run(os.getpid).values())), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    tally = execute(plan, Store(there.fits), there, two)
    killer.join()
    assert (tally.stored, tally.run, tally.failed) == (0, len(plan.fits), 0)
    for key in plan.fits:
        one, other = Store(here.fits).load(key), Store(there.fits).load(key)
        for name in ("probabilities", "ids", "blocks"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


@needs_dask
@pytest.mark.slow
def test_a_task_that_kills_two_workers_fails_alone(two, tmp_path):
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.write_text("1"), twice.write_text("1\n2")
    tasks = [
        Task("once", die_if, (once, 1)),
        Task("twice", die_if, (twice, 2)),
        Task("wrong", math.sqrt, (-1.0,)),
        Task("cold", complain),
        *(Task("right", math.sqrt, (float(n),)) for n in range(6)),
    ]
    running: list[list[str]] = []
    answers = {answer.number: answer for answer in two.run(tasks, running.append)}
    assert sorted(answers) == list(range(len(tasks)))
    assert answers[0].value == 1 and answers[1].reason.startswith("the worker process died, and")
    assert answers[2].reason == "ValueError: math domain error"
    assert answers[3].warnings == ("it is cold",)
    assert [answers[n + 4].value for n in range(6)] == [math.sqrt(n) for n in range(6)]
    assert all(len(names) in (1, 2) for names in running)


@needs_dask
@pytest.mark.slow
def test_a_result_lost_with_its_worker_is_given_up_in_silence(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    with Cluster(tmp_path, jobs=1) as one:
        (worker,) = one._workers()
        future = one._submit(0, Task("root", math.sqrt, (9.0,)), worker, queue.SimpleQueue())
        while future.status != "finished":
            time.sleep(0.01)
        os.kill(*one.client.run(os.getpid).values(), signal.SIGKILL)
        assert one._answer(0, future) is None
        gc.collect()  # errors that nobody waits for are logged when they are collected
        one.client.loop.add_callback(lambda: _tell(asyncio.get_running_loop(), {"message": "so"}))
        one.client.run_on_scheduler(os.getpid)
        said = [entry.getMessage() for entry in caplog.records if entry.name == "asyncio"]
        assert said == ["so"]


@needs_dask
def test_by_address_and_what_workers_lack_is_said(two, tmp_path, monkeypatch):
    address = two.client.scheduler.address
    with Cluster(tmp_path, address=address) as other:
        assert [a.value for a in other.run([Task("root", math.sqrt, (9.0,))])] == [3.0]
        (folder,) = {a.value for a in other.run([Task("where", os.getcwd)])}
        assert folder == os.getcwd()
    assert not list((tmp_path / "running").iterdir())
    with Cluster(tmp_path, address=address) as other:
        other.home.mark.unlink()
        with pytest.raises(ValueError, match=f"on .* does not see the folder {tmp_path}, by which"):
            list(other.run([Task("root", math.sqrt, (9.0,))] * 3))
    monkeypatch.setattr(module, "PATIENCE", 0.5)
    with pytest.raises(ConnectionError, match=r"no scheduler answers at tcp://127.0.0.1:9 "):
        Cluster(tmp_path, address="tcp://127.0.0.1:9").__enter__()


@needs_dask
def test_a_scheduler_that_goes_away_is_an_error(tmp_path):
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, dashboard_address=None, processes=False
        ) as elsewhere,
        Cluster(tmp_path, address=elsewhere.scheduler_address) as workers,
        pytest.raises(ConnectionError, match="the scheduler at .* is gone; every finished fit"),
    ):
        for _ in workers.run([Task("short", time.sleep, (0.01,))] * 10_000):
            if elsewhere.status == distributed.core.Status.running:
                elsewhere.close()


def test_what_workers_must_have_in_common_is_checked(tmp_path):
    home = Home.here(tmp_path)
    with pytest.raises(Unfit, match=f"w does not see the folder {tmp_path}, by which"):
        home.check("w", 1)
    home.mark.parent.mkdir()
    home.mark.touch()
    home.check("w", 1)
    with pytest.raises(Unfit, match="w has 4 threads: start workers with --nthreads 1"):
        home.check("w", 4)
    with pytest.raises(Unfit, match="w does not see the folder /nowhere, where the study was"):
        replace(home, work="/nowhere").check("w", 1)
    versions = tuple((n, "0.1" if n == "numpy" else v) for n, v in home.versions)
    with pytest.raises(Unfit, match=r"w has numpy [\d.]+, and 0\.1 is here"):
        replace(home, versions=versions).check("w", 1)


def test_the_extra_is_named_where_dask_is_missing(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(module, "installed", lambda _: False)
    where = ["--cache", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["quickstart", "--executor", "dask", *where]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "--executor dask: distributed is not installed: pip install 'eegvit[cluster]'" in said
    assert main(["quickstart", "--address", "tcp://127.0.0.1:9", *where]) == 1
    assert "goes with --executor dask" in " ".join(capsys.readouterr().err.split())


@needs_dask
@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_die_with_their_parent_and_ctrl_c_stops_all(tmp_path, number):
    script = tmp_path / "study.py"
    script.write_text(STUDY, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        [sys.executable, script, tmp_path], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    workers = {Path(f"/proc/{pid}") for pid in process.stdout.readline().split()}
    assert len(workers) == 2
    process.send_signal(number)
    process.wait(timeout=60)
    end = time.monotonic() + 30
    while any(map(_alive, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(_alive, workers))


def _alive(process: Path) -> bool:
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
