"""What a study found, for a notebook: tables, figures, and its models fitted on everybody."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eegvit.config import Align, Model
from eegvit.plan.plan import Plan
from eegvit.results.results import Results
from eegvit.views.view import DataView

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


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
        unfitted, view = self._either(name, seed)
        return _fitted(unfitted, view), view

    def settings(self, name: str) -> Model:
        """Return what the study says of a model, or of the first member of an ensemble."""
        study = self.plan.study
        known = (*(n for n, m in study.models.items() if m.control is None), *study.ensembles)
        if name not in known:
            raise ValueError(f"the study has no model '{name}'; there are {', '.join(known)}")
        return study.models[study.ensembles[name].of[0] if name in study.ensembles else name]

    def _either(self, name: str, seed: int | None) -> tuple[Any, DataView]:
        """Return a model or ensemble, not fitted, and the trials it is of."""
        ensembles = self.plan.study.ensembles
        return self._ensemble(name, seed) if name in ensembles else self._unfitted(name, seed)

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
                unfitted = self.plan.fits[request.key].recipe.build()
                self._give_teacher(name, unfitted, seed, request.view)
                return unfitted, request.view
        raise ValueError(f"the study has no seed {wanted}")

    def _give_teacher(self, name: str, student: Any, seed: int | None, view: DataView) -> None:
        """Let a distilled model fit its teacher by itself, on the people that it is fitted on."""
        teacher = (self.settings(name).distill or {}).get("from")
        if teacher is None:
            return
        unfitted, its_view = self._either(teacher, seed)
        if its_view is not view:
            raise ValueError(f"'{name}' and its teacher '{teacher}' see different signals")
        taught = student if self.settings(name).adapt is None else student.model
        taught.set_params(teacher=unfitted)

    def __repr__(self) -> str:
        about = self.details
        return (
            f"StudyResults({about.study.name}: {len(about.board)} rows, {about.n_subjects} people,"
            f" {about.n_trials} test trials)"
        )

    def _repr_html_(self) -> str:
        from eegvit.results.notebook.frames import html

        return html(self.details)


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
    known = {"groups": trials.subject, "sessions": view.block_keys}
    extras = {n: known[n] for n in inspect.signature(unfitted.fit).parameters if n in known}
    return unfitted.fit(trials.X, trials.labels, **extras)
