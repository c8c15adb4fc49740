"""SIGKILL at random moments of every stage of a study, again and again until it ends by itself.

A chain is one study, killed in one stage after the other. It ends well if its scores are those of
an undisturbed run, what was stored before a kill was not computed again, nothing lies outside the
output and the cache, and the next run clears away what dead processes left an hour before.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from random import Random

from torture.rows import Row
from torture.victims import CLASSICAL, NETWORKS, SAVING, Home, run_study, start, wrong_words

MOMENTS = {  # of each stage: at which of its calls at most, and how many seconds later at most
    "reading": (3, 0.1), SAVING: (60, 0.0), "alignment": (3, 0.01), "features": (5, 0.03),
    "pretraining": (2, 0.2), "checkpoints": (6, 0.01), CLASSICAL: (5, 0.05), NETWORKS: (3, 0.2),
    "the page": (1, 0.4),
}  # fmt: skip
WORKERS, TOGETHER = "any moment, two workers", "one of two runs at once"
WORKING = 30.0  # seconds in which a run with workers is killed
CHAIN = 3  # kills of one study with workers
HOUR = 3600.0


@dataclass
class Chains:
    """Chains of kills of one study, and what each kill came to."""

    folder: Path
    rng: Random
    tried: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        home = Home(self.folder / "undisturbed")
        code, said = run_study(home)
        if code != 0:
            raise RuntimeError(f"the undisturbed run ended with {code}: {said}")
        self.scores, self.strays, self.n_changes = home.scores(), home.strays(), 0
        self.numbers = iter(range(10**6))

    def by_stage(self, n: int) -> None:
        """Kill n times, in one stage after the other; in some of them if n is small."""
        stages = cycle(list(MOMENTS)[:: -(-len(MOMENTS) // n)])
        while n:
            n -= self._chain(list(islice(stages, min(n, len(MOMENTS)))), self._kill_in_stage)

    def with_workers(self, n: int) -> None:
        """Kill n times a run with two workers, with all of them."""
        while n:
            n -= self._chain([WORKERS] * min(n, CHAIN), self._kill_with_workers)

    def together(self, n: int) -> None:
        """Kill one of two runs of a study, n times; the other goes on."""
        for _ in range(n):
            self._chain([TOGETHER], self._kill_one_of_two)

    def _chain(self, stages: Sequence[str], kill: Callable[[Home, str], str | None]) -> int:
        """Kill a study of its own in each stage, and let it end; return how often it was killed."""
        home = Home(self.folder / f"chain{next(self.numbers)}")
        stored: dict[Path, int] = {}
        killed: list[tuple[str, str]] = []
        for stage in stages:
            wrong = kill(home, stage)
            if wrong is None:
                continue
            killed.append((stage, wrong))
            stored |= home.fits()
        wrong = "; ".join(self._wrong_in_the_end(home, stored))
        for stage, own in killed:
            self.tried[stage].append(own or (f"chain {home.folder.name}: {wrong}" if wrong else ""))
        return len(killed)

    def _kill_in_stage(self, home: Home, stage: str) -> str | None:
        """Start the study and kill it in a stage; None if it ended before."""
        calls, delay = MOMENTS[stage]
        nth = self.rng.randint(1, calls)
        if stage == SAVING:
            victim = start(home, die_at=nth)
            code = victim.wait()
        else:
            victim = start(home)
            while not (reached := victim.reach(stage, nth)) and nth > 1:
                victim, nth = start(home), 1
            if reached:
                time.sleep(self.rng.uniform(0, delay))
            code = victim.kill()
        return None if code == 0 else "; ".join(self._wrong_so_far(home, victim.said(), code))

    def _kill_with_workers(self, home: Home, _: str) -> str | None:
        victim = start(home, jobs=2)
        code = victim.wait(self.rng.uniform(0, WORKING))
        if code is None:
            code = victim.kill()
        return None if code == 0 else "; ".join(self._wrong_so_far(home, victim.said(), code))

    def _kill_one_of_two(self, home: Home, _: str) -> str | None:
        first, second = start(home), start(home, die_at=self.rng.randint(1, 200))
        killed = second.wait()
        wrong = self._wrong_so_far(home, second.said(), killed)
        code = first.wait()
        if code != 0:
            return f"the other run ended with {code}: {first.said()[-300:]}"
        if home.scores() != self.scores:
            return "the other run has other scores"
        return "; ".join((*wrong, *wrong_words(first.said())))

    def _wrong_so_far(self, home: Home, said: str, code: int | None) -> Iterator[str]:
        """Yield what a killed run should not have done."""
        yield from wrong_words(said)
        if code != -9:
            yield f"it ended with {code} by itself: {said[-300:]}"
        if strays := sorted(home.strays() - self.strays):
            yield f"outside the output: {strays[0]}"

    def _wrong_in_the_end(self, home: Home, stored: dict[Path, int]) -> Iterator[str]:
        """Let the study end, and yield what is not as it should be."""
        code, said = run_study(home)
        yield from wrong_words(said)
        if code != 0:
            yield f"it ended with {code}: {said[-300:]}"
            return
        if home.scores() != self.scores:
            yield "other scores"
        now = home.fits()
        if again := [path.name for path, when in stored.items() if now.get(path) != when]:
            yield f"computed again: {again[0]}"
        if strays := sorted(home.strays() - self.strays):
            yield f"outside the output: {strays[0]}"
        for left in home.left_over():
            os.utime(left, (time.time() - 2 * HOUR,) * 2)
        code, _ = run_study(home)
        if code != 0 or home.scores() != self.scores:
            yield "other scores when all is stored"
        if left_over := home.left_over():
            yield f"left over: {left_over[0]}"


def run(n: int, seed: int, folder: Path) -> list[Row]:
    """Kill a study n times: most in a stage each, some with workers, some beside another run.

    Parameters
    ----------
    n : int
        Kills.
    seed : int
        Of the moments.
    folder : Path
        For the recordings, the caches and the reports.
    """
    chains = Chains(folder, Random(seed))
    few = n // 20
    chains.with_workers(few)
    chains.together(few or 1)
    chains.by_stage(n - few - (few or 1))
    return [
        Row(f"killed: {kind}", len(said), said.count(""), tuple(one for one in said if one))
        for kind, said in chains.tried.items()
    ]
