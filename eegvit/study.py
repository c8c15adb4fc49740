"""From a study to its results in one call, with data from memory if wanted."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from eegvit.config import Align, Model, Study, load_study
from eegvit.data.cache import Cache
from eegvit.execute.embeddings import represent
from eegvit.execute.fits import execute
from eegvit.execute.local import local
from eegvit.execute.store import Store
from eegvit.plan.plan import Plan, make_plan
from eegvit.results.results import Results
from eegvit.results.stored import score
from eegvit.sealed import Damaged
from eegvit.trials import Trials, concatenate
from eegvit.views.arrays import views_of
from eegvit.views.other_data import source_views
from eegvit.views.reading import make_views
from eegvit.views.view import DataView

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

ATTEMPTS = 3  # to go on where signals in the cache are damaged

Data: TypeAlias = Trials | Mapping[str, Any]


@dataclass(frozen=True, eq=False, repr=False)
class StudyResults:
    """What a study found, for a notebook.

    Parameters
    ----------
    details : Results
        Everything that the report says.
    plan : Plan
        The splits and fits that it came from.
    page : Path or None
        The report's page, if one was written.
    """

    details: Results
    plan: Plan
    page: Path | None = None

    @property
    def leaderboard(self) -> pd.DataFrame:
        """The leaderboard, a row a model or ensemble, by target use and rank."""
        from eegvit.results.notebook.frames import leaderboard

        return leaderboard(self.details)

    @property
    def scores(self) -> pd.DataFrame:
        """Every metric, a row for each model, person, session and seed."""
        from eegvit.results.notebook.frames import scores

        return scores(self.details)

    @property
    def predictions(self) -> pd.DataFrame:
        """Every prediction, a row for each model, seed and test trial."""
        from eegvit.results.notebook.frames import predictions

        return predictions(self.details)

    def plot_leaderboard(self, ax: Axes | None = None) -> Axes:
        """Draw each model's mean and interval, with chance behind."""
        from eegvit.results.notebook.plots import plot_leaderboard

        return plot_leaderboard(self.details, ax)

    def plot_subjects(self, ax: Axes | None = None) -> Axes:
        """Draw the score of every person under every model."""
        from eegvit.results.notebook.plots import plot_subjects

        return plot_subjects(self.details, ax)

    def model(self, name: str, seed: int | None = None) -> Any:
        """Return a model or ensemble of the study, fitted on all its people.

        It takes trials that are filtered and cut as the study's were. Where these were aligned,
        it is a pipeline that aligns the trials it is given first, all of one recording at once.

        Parameters
        ----------
        name : str
            A model or an ensemble.
        seed : int or None
            One of the study's; the first if None.
        """
        fitted, view = self.fitted(name, seed)
        align = self.settings(name).align or self.plan.study.align
        return _behind_alignment(name, fitted, view, align)

    def fitted(self, name: str, seed: int | None = None) -> tuple[Any, DataView]:
        """Return a model or ensemble fitted on all people, and the aligned trials it is of.

        Parameters
        ----------
        name : str
            A model or an ensemble.
        seed : int or None
            One of the study's; the first if None.
        """
        unfitted, view = (
            self._ensemble(name, seed)
            if name in self.plan.study.ensembles
            else self._unfitted(name, seed)
        )
        return _fitted(unfitted, view), view

    def settings(self, name: str) -> Model:
        """Return what the study says of a model, or of the first member of an ensemble."""
        study = self.plan.study
        known = (*study.models, *study.ensembles)
        if name not in known:
            raise ValueError(f"the study has no model '{name}'; there are {', '.join(known)}")
        return study.models[study.ensembles[name].of[0] if name in study.ensembles else name]

    def _ensemble(self, name: str, seed: int | None) -> tuple[Any, DataView]:
        from eegvit.ensemble import EnsembleClassifier

        asked = self.plan.study.ensembles[name]
        if asked.select:
            raise ValueError(f"ensemble '{name}' selects its members fold by fold: fit them alone")
        parts = {member: self._unfitted(member, seed) for member in asked.of}
        views = [view for _, view in parts.values()]
        if any(view is not views[0] for view in views[1:]):
            raise ValueError(f"the members of '{name}' see different signals: fit them alone")
        members = {member: unfitted for member, (unfitted, _) in parts.items()}
        ensemble = EnsembleClassifier(
            members=members,
            rule=asked.rule,
            learner=asked.learner,
            calibrate=asked.calibrate is not None,
        )
        return ensemble, views[0]

    def _unfitted(self, name: str, seed: int | None) -> tuple[Any, DataView]:
        if (self.settings(name).pretrain or {}).get("data"):
            raise ValueError(
                f"'{name}' is pretrained on other data, which are not here: pretrain it by itself,"
                " and name the file in `pretrain: {weights: ...}`"
            )
        wanted = self.plan.study.evaluate.seeds[0] if seed is None else seed
        for request in self.plan.requests:
            if request.model == name and request.seed == wanted:
                return self.plan.fits[request.key].recipe.build(), request.view
        raise ValueError(f"the study has no seed {wanted}")

    def __repr__(self) -> str:
        about = self.details
        return (
            f"StudyResults({about.study.name}: {len(about.board)} rows, {about.n_subjects} people,"
            f" {about.n_trials} test trials)"
        )

    def _repr_html_(self) -> str:
        from eegvit.results.notebook.frames import html

        return html(self.details)


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
    workers = _cores() if jobs is None else jobs
    kept = Cache(cache)
    check_writable(kept.root, "cache=")
    if out is not None:
        from eegvit.report.same_study import refuse_another

        check_writable(Path(out) / asked.name, "out=")
        if not overwrite:
            refuse_another(Path(out) / asked.name, asked)
    plan, details = plan_and_carry_out(asked, kept, trials, jobs=workers)
    page = None
    if out is not None:
        from eegvit.report import write

        folder = Path(out) / asked.name
        page = write(details, folder, command="eegvit.run_study(...)", overwrite=overwrite)
    return StudyResults(details, plan, page)


def plan_and_carry_out(
    study: Study, cache: Cache, trials: Trials | None = None, *, jobs: int = 0
) -> tuple[Plan, Results]:
    """Plan a study and carry it out; signals that prove damaged on the way are made again."""
    with cache.in_use(study.name):
        for _ in range(ATTEMPTS):
            with contextlib.suppress(Damaged):  # it was said, and set aside
                plan = plan_study(study, cache, trials, jobs=jobs)
                return plan, carry_out(plan, cache, jobs=jobs)
        plan = plan_study(study, cache, trials, jobs=jobs)
        return plan, carry_out(plan, cache, jobs=jobs)


def plan_study(study: Study, cache: Cache, trials: Trials | None = None, *, jobs: int = 0) -> Plan:
    """Read what a study's plan needs, and return the plan."""
    with local(jobs) as executor:
        views = (
            make_views(study, cache, executor) if trials is None else views_of(study, trials, cache)
        )
        sources = source_views(study, views, cache, executor)
    return make_plan(study, views, sources)


def carry_out(plan: Plan, cache: Cache, *, jobs: int = 0) -> Results:
    """Run the fits that are not stored, and return the results of all."""
    store = Store(cache.fits)
    execute(plan, store, cache, jobs=jobs)
    represent(plan, store, cache, jobs=jobs)
    return score(plan.study, plan, store)


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


def _behind_alignment(name: str, fitted: Any, view: DataView, align: Align) -> Any:
    """Return a fitted model behind the alignment that its trials went through."""
    if align.method == "none":
        return fitted
    if align.mode == "causal":
        warnings.warn(
            f"'{name}' learned from trials aligned by those before them; what it predicts must"
            " be aligned so too: eegvit.preprocess.alignment.align_causal",
            stacklevel=3,
        )
        return fitted
    from sklearn.pipeline import Pipeline

    from eegvit.preprocess.by_group import EuclideanAlignment, RiemannianRecentring

    kind = EuclideanAlignment if align.method == "euclidean" else RiemannianRecentring
    aligned = kind().fit(view.take(np.arange(len(view))).X, groups=view.block_keys)
    return Pipeline([("align", aligned), ("model", fitted)])


def _fitted(unfitted: Any, view: DataView) -> Any:
    trials = view.take(np.arange(len(view)))
    known = {"groups": trials.subject}
    extras = {n: known[n] for n in inspect.signature(unfitted.fit).parameters if n in known}
    return unfitted.fit(trials.X, trials.labels, **extras)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
