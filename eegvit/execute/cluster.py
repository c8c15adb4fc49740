"""Workers of dask: processes of this machine, or whoever has joined a scheduler.

Signals and predictions travel by path, so every worker has to see the folder of the cache; it also
has to be installed as this process is. Both are checked by each worker before its first task.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import pickle
import platform
import queue
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from eegvit import __version__
from eegvit.data.cache.running import alone
from eegvit.execute.local import ONE_THREAD, TICK
from eegvit.plan.versions import version
from eegvit.registry import absence, installed
from eegvit.source_code import ROOT
from eegvit.tasks import Answer, Task, Tick, carry_out, describe_error

PACKAGES = ("numpy", "scipy", "scikit-learn", "pyriemann", "mne", "torch", "xgboost", "braindecode")
TRIES = 2  # of a task whose worker dies
DIED = "the worker process died, and another that tried again (often the system is out of memory)"
PATIENCE = 10  # seconds to wait for a scheduler to answer
EVERY = 1.0  # seconds between two counts of the workers
NOBODY = "waiting for a worker to join"


class Cluster:
    """Workers of dask, from the beginning to the end of a `with` block.

    A worker that dies costs its task a try. Each task is given to a worker that is free, by its
    name: so that none pays for another's end, and a scheduler holds no more tasks than workers.

    Parameters
    ----------
    folder : Path
        The folder that all workers must see.
    jobs : int
        Worker processes to start on this machine, where no address is given.
    address : str or None
        Where a scheduler listens, such as tcp://10.0.0.1:8786.
    """

    def __init__(self, folder: Path, *, jobs: int = 1, address: str | None = None) -> None:
        if not installed("distributed"):
            raise ValueError(f"--executor dask: {absence('distributed')}")
        self.folder, self.n_local, self.address = folder.absolute(), jobs, address
        self.open = contextlib.ExitStack()
        self.known: set[str] = set()
        self.asked = float("-inf")

    @property
    def jobs(self) -> int:
        """How many tasks run at a time: as many as there are workers."""
        return max(1, len(self.known))

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as open:
            self.home = Home.here(self.folder)
            open.enter_context(alone(self.home.mark))
            self.client = open.enter_context(self._client(open))
            self.client.loop.asyncio_loop.set_exception_handler(_tell)
            self._workers()
            self.open = open.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self.open.close()

    def run(self, tasks: Sequence[Task], tick: Tick | None = None) -> Iterator[Answer]:
        """Yield the answer to each task as it comes, in any order."""
        waiting, died = deque(range(len(tasks))), Counter[int]()
        running: dict[str, tuple[int, Any]] = {}  # by worker: the task, and its future
        done: queue.SimpleQueue[str] = queue.SimpleQueue()
        try:
            while waiting or running:
                for worker in self._workers() - running.keys():
                    if waiting:
                        number = waiting.popleft()
                        running[worker] = number, self._submit(number, tasks[number], worker, done)
                for worker in running.keys() - self._workers():
                    done.put(worker)
                try:
                    number, future = running.pop(done.get(timeout=TICK))
                except KeyError:  # it was told already that the worker had died
                    continue
                except queue.Empty:
                    if tick is not None:
                        names = [tasks[number].name for number, _ in running.values()]
                        tick(names or [NOBODY])
                    continue
                answer = self._answer(number, future)
                if answer is None:
                    died[number] += 1
                    if died[number] < TRIES:
                        waiting.appendleft(number)
                        continue
                    answer = Answer(number, reason=DIED)
                yield answer
        finally:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                self.client.cancel([future for _, future in running.values()])

    def _submit(self, number: int, task: Task, worker: str, done: queue.SimpleQueue[str]) -> Any:
        request = pickle.dumps((task.function, task.arguments))
        key = f"{task.name}-{uuid.uuid4().hex}"
        future = self.client.submit(
            _work, number, request, self.home, key=key, pure=False, workers=[worker]
        )
        future.add_done_callback(lambda _: done.put(worker))
        return future

    def _workers(self) -> set[str]:
        """Return the workers that there are, asked for once a second."""
        if time.monotonic() - self.asked > EVERY:
            if self.client.status != "running":
                raise self._gone()
            self.known = set(self.client.nthreads())
            self.asked = time.monotonic()
        return self.known

    def _answer(self, number: int, future: Any) -> Answer | None:
        """Return what became of a task; None if its worker died, an error if all would fail."""
        if future.status == "cancelled":
            raise self._gone()
        if future.status == "error":
            error = future.exception()
            if isinstance(error, Unfit):
                raise error
            if isinstance(error, ImportError | AttributeError):  # it cannot even find `_work`
                raise Unfit(f"a worker has another eegvit, or none: {error}; here is {__version__}")
            if type(error).__name__ == "KilledWorker":
                return None
            return Answer(number, reason=describe_error(error))
        if not future.done():  # its worker has left
            future.cancel()
            return None
        try:
            answer: Answer = future.result(timeout=PATIENCE)
        except TimeoutError:
            future.cancel()
            return None
        return answer

    def _gone(self) -> ConnectionError:
        return ConnectionError(
            f"the scheduler{f' at {self.address}' if self.address else ''} is gone; every finished"
            " fit is kept, the same command goes on"
        )

    def _client(self, open: contextlib.ExitStack) -> Any:
        import distributed

        if self.address is None:
            return distributed.Client(open.enter_context(self._of_this_machine()))
        try:
            return distributed.Client(self.address, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise ConnectionError(
                f"no scheduler answers at {self.address} ({error}); `dask scheduler` says its"
                " address when it starts, such as tcp://10.0.0.1:8786"
            ) from error

    def _of_this_machine(self) -> Any:
        import distributed

        return distributed.LocalCluster(
            n_workers=self.n_local,
            threads_per_worker=1,
            memory_limit=0,  # none, as it is for workers without dask
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
            env=dict.fromkeys(ONE_THREAD, "1"),
        )


class Unfit(ValueError):
    """A worker cannot do what this process could."""


@dataclass(frozen=True)
class Home:
    """What workers must have in common with the process that sends them tasks."""

    folder: Path  # that all see
    mark: Path  # a file in it, while the process lives
    work: str  # the folder that relative paths begin at
    versions: tuple[tuple[str, str], ...]

    @classmethod
    def here(cls, folder: Path) -> Home:
        """Return what this process has; the mark is still to be made."""
        mark = folder / "running" / f"workers-{uuid.uuid4().hex}.lock"
        return cls(folder, mark, os.getcwd(), _versions())

    def check(self, who: str, n_threads: int) -> None:
        """Raise an error if a worker lacks something."""
        if not self.mark.is_file():
            raise Unfit(
                f"{who} does not see the folder {self.folder}, by which signals and predictions"
                " travel: mount it at the same place on every machine, or choose by --cache one"
                " that all of them see"
            )
        if not os.path.isdir(self.work):
            raise Unfit(f"{who} does not see the folder {self.work}, where the study was started")
        for (name, here), (_, there) in zip(self.versions, _versions(), strict=True):
            if here != there:
                raise Unfit(
                    f"{who} has {name} {there}, and {here} is here: what is stored would not be"
                    " what its key says. Start workers in an environment like this one"
                )
        if n_threads > 1:
            raise Unfit(f"{who} has {n_threads} threads: start workers with --nthreads 1")
        os.chdir(self.work)


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that nobody waits for, unless it says that a result was given up.

    Dask leaves one behind when a result is lost with its worker. It is logged when it is collected
    as garbage, in the middle of anything, and formatting it there can break what runs.
    """
    from distributed.client import AllExit

    if not isinstance(context.get("exception"), AllExit):
        loop.default_exception_handler(context)


def _work(number: int, request: bytes, home: Home) -> Answer:
    """Carry out a task, in a worker."""
    _settle(home)
    try:
        function, arguments = pickle.loads(request)
    except Exception as error:
        return Answer(number, reason=describe_error(error))
    return carry_out(number, function, arguments)


@lru_cache(maxsize=1)
def _settle(home: Home) -> None:
    """Check once what a worker has in common with the process that it works for."""
    from distributed import get_worker

    worker = get_worker()
    home.check(f"the worker {worker.address} on {platform.node()}", worker.state.nthreads)


@lru_cache(maxsize=1)
def _versions() -> tuple[tuple[str, str], ...]:
    """Return what decides a result, beside what a task says itself."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.rglob("*.py")):
        digest.update(path.read_bytes())
    return (
        ("Python", ".".join(platform.python_version_tuple()[:2])),
        *((name, version(name)) for name in PACKAGES),
        ("a source code of eegvit that is", digest.hexdigest()[:8]),
    )
