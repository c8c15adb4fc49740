"""Independent pieces of work, and who carries them out."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, eq=False)
class Task:
    """A call to make in a worker: an importable function and its arguments."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """What became of a task: a value, or a reason why there is none."""

    number: int
    value: Any = None
    reason: str | None = None
    traceback: str = ""
    seconds: float = 0.0  # on the clock
    warnings: tuple[str, ...] = ()  # each once


Tick = Callable[[list[str]], None]


class Executor(Protocol):
    """Carries out tasks, each by itself: here, in worker processes, on other machines."""

    @property
    def jobs(self) -> int:
        """How many tasks run at a time; 0 where they run in this process."""

    def run(self, tasks: Sequence[Task], tick: Tick | None = None) -> Iterator[Answer]:
        """Yield the answer to each task as it comes, in any order.

        `tick` is called now and then with the names of the tasks that are running.
        """


class InProcess:
    """Carries out tasks one after another in this process.

    Examples
    --------
    >>> import math
    >>> [answer.value for answer in InProcess().run([Task("root", math.sqrt, (9.0,))])]
    [3.0]
    """

    jobs = 0

    def run(self, tasks: Sequence[Task], tick: Tick | None = None) -> Iterator[Answer]:
        """Yield the answer to each task, in order."""
        for number, task in enumerate(tasks):
            if tick is not None:
                tick([task.name])
            yield carry_out(number, task.function, task.arguments)


def describe_error(error: BaseException) -> str:
    """Return an exception as one short line.

    Examples
    --------
    >>> describe_error(ValueError("X contains NaN"))
    'ValueError: X contains NaN'
    """
    text = " ".join(str(error).split())
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return line if len(line) <= 300 else line[:297] + "..."


def carry_out(number: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Answer:
    """Make one call; whatever goes wrong is its answer, and what it warns of is told."""
    about: dict[str, Any]
    start = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        try:
            about = {"value": function(*arguments)}
        except Exception as error:
            about = {"reason": describe_error(error), "traceback": traceback.format_exc()}
    said = tuple(dict.fromkeys(str(warning.message) for warning in caught))
    return Answer(number, **about, seconds=time.monotonic() - start, warnings=said)
