"""Worker processes: one thread of arithmetic each, gone as soon as their parent is.

A worker reads tasks from its standard input and answers on its standard output. The end of
its input means that the parent is gone, whatever killed it, and ends the worker at once.
Tasks and answers are pickled; they never leave the pipe between the two processes.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import IO, Self

from eegvit.tasks import Answer, Executor, InProcess, Task, Tick, carry_out, describe_error

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
COMMAND = "from eegvit.execute.local import serve; serve()"
TICK = 0.2  # seconds between two looks at the progress


def local(jobs: int) -> AbstractContextManager[Executor]:
    """Return who carries out tasks on this machine: workers, or this process for 0 jobs."""
    return Workers(jobs) if jobs else contextlib.nullcontext(InProcess())


class Workers:
    """Worker processes that live from the first task to the end of a `with` block.

    Parameters
    ----------
    jobs : int
        How many there are.

    Examples
    --------
    >>> import math
    >>> with Workers(jobs=1) as workers:
    ...     [answer.value for answer in workers.run([Task("root", math.sqrt, (9.0,))])]
    [3.0]
    """

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs
        self.todo: queue.SimpleQueue[tuple[int, Task] | None] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.running: dict[int, str] = {}
        self.processes: set[subprocess.Popen[bytes]] = set()
        self.lock = threading.Lock()
        self.stopped = False
        self.threads = [threading.Thread(target=self._feed, daemon=True) for _ in range(jobs)]
        for thread in self.threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.kill()
            for _ in range(self.jobs):
                self.todo.put(None)
        for thread in self.threads:
            thread.join()

    def run(self, tasks: Sequence[Task], tick: Tick | None = None) -> Iterator[Answer]:
        """Yield the answer to each task as it comes, in any order.

        `tick` is called a few times a second with the names of the tasks that are running.
        """
        for number, task in enumerate(tasks):
            self.todo.put((number, task))
        for _ in tasks:
            yield self._next_answer(tick)

    def _next_answer(self, tick: Tick | None) -> Answer:
        while True:
            try:
                return self.answers.get(timeout=TICK)
            except queue.Empty:
                if tick is not None:
                    tick(list(self.running.copy().values()))

    def _feed(self) -> None:
        """Give one worker task after task, and start another when it dies."""
        worker: subprocess.Popen[bytes] | None = None
        with tempfile.TemporaryFile() as said:
            while (item := self.todo.get()) is not None and not self.stopped:
                number, task = item
                self.running[number] = task.name
                try:
                    worker = worker or self._start(said)
                    answer = _ask(worker, number, task)
                except _Died:
                    answer = _obituary(number, worker, said)
                    self._bury(worker)
                    worker = None
                except Exception as error:
                    answer = Answer(number, reason=describe_error(error))
                self.running.pop(number, None)
                self.answers.put(answer)
            self._bury(worker)

    def _start(self, said: IO[bytes]) -> subprocess.Popen[bytes]:
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        environment = {**os.environ, **dict.fromkeys(ONE_THREAD, "1"), "PYTHONPATH": path}
        with self.lock:
            if self.stopped:
                raise RuntimeError("stopped")
            worker = subprocess.Popen(
                [sys.executable, "-P", "-c", COMMAND],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment,
            )
            self.processes.add(worker)
        return worker

    def _bury(self, worker: subprocess.Popen[bytes] | None) -> None:
        if worker is None:
            return
        with self.lock:
            self.processes.discard(worker)
        for pipe in (worker.stdin, worker.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        worker.kill()
        worker.wait()


class _Died(Exception):
    """The worker ended before it answered."""


def _ask(worker: subprocess.Popen[bytes], number: int, task: Task) -> Answer:
    if worker.stdin is None or worker.stdout is None:
        raise _Died
    request = pickle.dumps((number, task.function, task.arguments))
    try:
        pickle.dump(request, worker.stdin)
        worker.stdin.flush()
        answer: Answer = pickle.load(worker.stdout)
    except (EOFError, OSError, pickle.UnpicklingError) as error:
        raise _Died from error
    return answer


def _obituary(number: int, worker: subprocess.Popen[bytes] | None, said: IO[bytes]) -> Answer:
    code = _exit_code(worker)
    reason = f"the worker process ended with exit code {code}"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        reason = f"the worker process was killed by signal {name}"
        if name == "SIGKILL":
            reason += " (often the system is out of memory: use fewer --jobs)"
    said.seek(0)
    last_words = said.read().decode("utf-8", "replace")[-2000:]
    said.seek(0)
    said.truncate()
    return Answer(number, reason=reason, traceback=last_words)


def _exit_code(worker: subprocess.Popen[bytes] | None) -> int:
    if worker is None:
        return 1
    try:
        return worker.wait(timeout=5)
    except subprocess.TimeoutExpired:  # it lives on but does not make sense any more
        worker.kill()
        return worker.wait()


def serve() -> None:
    """Answer tasks until the parent closes the pipe or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a fit prints must not mix with the answers
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = requests.get()
        number = -1
        try:
            number, function, arguments = pickle.loads(request)
        except Exception as error:
            answer = Answer(number, reason=describe_error(error))
        else:
            answer = carry_out(number, function, arguments)
        pickle.dump(answer, answers)
        answers.flush()


def _listen(requests: queue.SimpleQueue[bytes]) -> None:
    while True:
        try:
            requests.put(pickle.load(sys.stdin.buffer))
        except (EOFError, OSError):
            os._exit(1)  # the parent is gone: nobody wants the answer
