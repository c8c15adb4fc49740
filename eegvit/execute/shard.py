"""A share of a plan's fits, the same whoever works it out: for jobs that do not talk."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from eegvit.plan.fit import Kept
from eegvit.plan.plan import Plan
from eegvit.tasks import Answer, Executor, Task, Tick


@dataclass(frozen=True)
class Shard:
    """One of several shares of a study's fits; the only one by default.

    Parameters
    ----------
    number : int
        Which, from 1.
    of : int
        How many there are.

    Examples
    --------
    >>> Shard.parse("3/20")
    Shard(number=3, of=20)
    >>> print(Shard(3, 20))
    3/20
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise ValueError(
                f"there is no shard {self}: they are 1/{self.of} to {self.of}/{self.of}"
            )

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that "number/of" stands for."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and int(of)):
            raise ValueError(f"'{text}' is no shard: give two numbers, such as 3/20")
        return cls(int(number), int(of))

    def begin(self, n: int) -> int:
        """Return with which of n shared pieces of work this shard begins.

        Each shard begins with another, and finds what the others have made when it comes to it.
        """
        return n * (self.number - 1) // self.of

    def own(self, plan: Plan) -> set[str]:
        """Return the keys of this shard's fits.

        It depends on the plan alone, not on what is stored. Every shard gets as many fits of each
        model as any other, give or take one; fits that start from the same pretrained weights
        stay together.
        """
        if self.of == 1:
            return set(plan.fits)
        total = [0] * self.of
        own: set[str] = set()
        for units in _units(plan):
            heap = [(0, total[number], number) for number in range(self.of)]
            heapq.heapify(heap)
            for keys in units:
                n_of_model, _, number = heap[0]
                total[number] += len(keys)
                heapq.heapreplace(heap, (n_of_model + len(keys), total[number], number))
                if number == self.number - 1:
                    own.update(keys)
        return own


WHOLE = Shard()


class Beginning:
    """Carries out what shards share as another executor does, each shard beginning elsewhere.

    What is kept for all is found when its turn comes, if another shard made it meanwhile.

    Examples
    --------
    >>> import math
    >>> from eegvit.tasks import InProcess
    >>> tasks = [Task("root", math.sqrt, (float(n),)) for n in (0, 1, 4, 9)]
    >>> [(a.number, a.value) for a in Beginning(InProcess(), Shard(2, 2)).run(tasks)]
    [(2, 2.0), (3, 3.0), (0, 0.0), (1, 1.0)]
    """

    def __init__(self, executor: Executor, shard: Shard) -> None:
        self.executor, self.shard = executor, shard

    @property
    def jobs(self) -> int:
        """How many tasks run at a time."""
        return self.executor.jobs

    def run(self, tasks: Sequence[Task], tick: Tick | None = None) -> Iterator[Answer]:
        """Yield the answer to each task as it comes."""
        start = self.shard.begin(len(tasks))
        order = [*range(start, len(tasks)), *range(start)]
        for answer in self.executor.run([tasks[number] for number in order], tick):
            yield replace(answer, number=order[answer.number])


def left_over(plan: Plan, store: Kept, shard: Shard) -> str:
    """Return in a sentence how many fits of a plan are not stored, and whose they are."""
    left = {key for key, fit in plan.fits.items() if not fit.is_in(store)}
    if not left:
        return "every fit of the study is stored"
    others = len(left - shard.own(plan))
    whose = "all" if others == len(left) else f"{others} of them"
    return f"{len(left)} of the study's {len(plan.fits)} fits are left, {whose} to other shards"


def _units(plan: Plan) -> list[list[list[str]]]:
    """Return, for each model, the fits that must stay together, most of them first."""
    together: dict[str, list[str]] = defaultdict(list)
    for key, fit in plan.fits.items():
        together[fit.pretraining.key if fit.pretraining else key].append(key)
    models: dict[str, list[list[str]]] = defaultdict(list)
    for keys in together.values():
        family, _ = Counter(key.partition("/")[0] for key in keys).most_common(1)[0]
        models[family].append(keys)
    return [sorted(units, key=len, reverse=True) for units in models.values()]
