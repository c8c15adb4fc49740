"""From a study to its results in one call, with data from memory if wanted."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from eegvit.config import Study, load_study
from eegvit.data.cache import Cache
from eegvit.execute.embeddings import represent
from eegvit.execute.fits import Tally, execute
from eegvit.execute.local import local
from eegvit.execute.shard import Beginning, Shard, left_over
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan, make_plan
from eegvit.results.responses.signals import DRAWN, describe_signals, paradigm_of
from eegvit.results.results import Results
from eegvit.results.stored import score
from eegvit.sealed import Damaged
from eegvit.study.found import StudyResults
from eegvit.tasks import Executor, InProcess
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import view_of, views_of
from eegvit.views.other_data import source_views
from eegvit.views.reading import make_views, unaligned_view

ATTEMPTS = 3  # to go on where signals in the cache are damaged

Data: TypeAlias = Trials | Mapping[str, Any]
Done = TypeVar("Done")


def run_study(
    study: str | Path | Mapping[str, Any] | Study,
    data: Data | None = None,
    *,
    jobs: int | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    cache: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
    allow: Sequence[str] = (),
) -> StudyResults:
    """Run a study and return what it found; what was computed before is not computed again.

    Parameters
    ----------
    study : str, Path, dict or Study
        The name of a shipped study, a study file, or what such a file says as a dictionary.
    data : Trials, dict of arrays, dict of mne.Epochs by person, or None
        Trials to use instead of the study's `data`. A dict of arrays has the arguments of
        `Trials.from_arrays`: X, y, sfreq, subject, session, ...
    jobs : int or None
        Worker processes of one thread each: one a core if None, none for 0.
    out : path or None
        Folder that the report is written into, under the study's name; none is if None.
    overwrite : bool
        Replace a report there of another study of the same name, which is refused otherwise.
    cache : path or None
        Where views and fits are kept: `EEGVIT_CACHE` or ~/.cache/eegvit if None.
    changes : dict or None
        Keys of the study to change, ``{"evaluate.seeds": [0]}``.
    allow : sequence of str
        Packages whose classes the study may name by import path, beside those that any may.

    Returns
    -------
    StudyResults
        With `leaderboard`, `scores` and `predictions` as pandas frames.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.standard_normal((60, 3, 100)), np.tile(["left", "right"], 30)
    >>> X[y == "left", 0] *= 3
    >>> data = {"X": X, "y": y, "sfreq": 100.0, "subject": np.repeat(["ann", "bob", "eve"], 20)}
    >>> study = {"name": "small", "models": {"csp": {"branch": "csp_lda"}}}
    >>> results = run_study(study, data, jobs=0, cache=tempfile.mkdtemp())
    >>> results.leaderboard["accuracy"].round(1).tolist()
    [1.0]
    """
    trials = None if data is None else trials_of(data)
    if isinstance(study, Study) and changes:
        raise ValueError("`changes` go with a study's name, file or dictionary, not with a Study")
    if isinstance(study, Study):
        asked = study
    else:
        asked = load_study(study, _said(changes, trials), allow=allow)
    kept = Cache(cache)
    check_writable(kept.root, "cache=")
    if out is not None:
        from eegvit.report.same_study import refuse_another

        check_writable(Path(out) / asked.name, "out=")
        if not overwrite:
            refuse_another(Path(out) / asked.name, asked)
    with local(_cores() if jobs is None else jobs) as workers:
        plan, details = plan_and_carry_out(asked, kept, trials, workers)
    page = None
    if out is not None:
        from eegvit.report import write

        folder = Path(out) / asked.name
        page = write(details, folder, command="eegvit.run_study(...)", overwrite=overwrite)
    return StudyResults(details, plan, page)


def plan_and_carry_out(
    study: Study, cache: Cache, trials: Trials | None = None, executor: Executor | None = None
) -> tuple[Plan, Results]:
    """Plan a study and carry it out; signals that prove damaged on the way are made again."""

    def work() -> tuple[Plan, Results]:
        plan, store = plan_study(study, cache, trials, executor), Store(cache.fits)
        execute(plan, store, cache, executor)
        represent(plan, store, cache, executor)
        return plan, _scored(plan, store, cache, trials)

    return _undamaged(study, cache, work)


def stored_results(study: Study, cache: Cache) -> Results:
    """Return the results of a study from what is stored; nothing is fitted."""

    def work() -> Results:
        return _scored(plan_study(study, cache), Store(cache.fits), cache)

    return _undamaged(study, cache, work)


def _scored(plan: Plan, store: Store, cache: Cache, trials: Trials | None = None) -> Results:
    """Return the results of a study with the signals that its page shows."""
    results = score(plan.study, plan, store)
    if paradigm_of(plan.study) not in DRAWN:
        return results
    view = unaligned_view(plan.study, cache) if trials is None else view_of(trials, cache)
    return replace(results, signals=describe_signals(plan, view))


def carry_out_shard(
    study: Study, cache: Cache, shard: Shard, executor: Executor | None = None
) -> tuple[Tally, str]:
    """Run a share of a study's fits; return how that went, and what is left, in words."""

    def work() -> tuple[Plan, Tally]:
        plan = plan_study(study, cache, None, Beginning(executor or InProcess(), shard))
        return plan, execute(plan, Store(cache.fits), cache, executor, shard)

    plan, tally = _undamaged(study, cache, work)
    return tally, left_over(plan, Store(cache.fits), shard)


def _undamaged(study: Study, cache: Cache, work: Callable[[], Done]) -> Done:
    """Return what work on a study gives, begun again when signals prove damaged."""
    with cache.in_use(study.name):
        for _ in range(ATTEMPTS):
            with contextlib.suppress(Damaged):  # it was said, and set aside
                return work()
        return work()


def plan_study(
    study: Study,
    cache: Cache,
    trials: Trials | None = None,
    executor: Executor | None = None,
) -> Plan:
    """Read what a study's plan needs, and return the plan."""
    views = make_views(study, cache, executor) if trials is None else views_of(study, trials, cache)
    return make_plan(study, views, source_views(study, views, cache, executor))


def check_writable(folder: Path, option: str) -> None:
    """Raise an error if nothing can be written into a folder, which is made if it is not there.

    Examples
    --------
    >>> check_writable(Path("/dev/null/reports"), "--out")
    Traceback (most recent call last):
    OSError: /dev/null/reports cannot be written: Not a directory; choose another folder by --out
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"eegvit")
    except OSError as error:
        raise OSError(
            f"{folder} cannot be written: {error.strerror}; choose another folder by {option}"
        ) from None


def trials_of(data: Data) -> Trials:
    """Return data in any of the forms that `run_study` takes as Trials.

    Examples
    --------
    >>> import numpy as np
    >>> trials_of({"X": np.zeros((4, 2, 50)), "y": [0, 1, 0, 1], "sfreq": 100.0}).classes
    ('0', '1')
    """
    if isinstance(data, Trials):
        return data
    if isinstance(data, Mapping) and {"X", "y"} <= set(data):
        return Trials.from_arrays(**data)
    if not isinstance(data, Mapping) or not data:
        raise ValueError(
            f"data is {type(data).__name__}: give Trials, arrays as a dict(X=..., y=...,"
            " sfreq=..., subject=...), or a dict of mne.Epochs by person"
        )
    classes = list(dict.fromkeys(name for one in data.values() for name in one.event_id))
    parts = [Trials.from_epochs(e, subject=str(who), classes=classes) for who, e in data.items()]
    return concatenate(parts)


def _card_of(trials: Trials) -> dict[str, Any]:
    """Return what a study file would say of trials in memory."""
    end = trials.tmin + trials.n_times / trials.sfreq
    about = {"name": "arrays", "title": "Trials given from Python", "source": "arrays"}
    return {**about, "classes": list(trials.classes), "window": [trials.tmin, end]}


def _said(changes: Mapping[str, Any] | None, trials: Trials | None) -> list[str]:
    """Return changes of a study as the command line says them."""
    whole = dict(changes or {}) | ({} if trials is None else {"data": _card_of(trials)})
    return [f"{key}={json.dumps(value)}" for key, value in whole.items()]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
