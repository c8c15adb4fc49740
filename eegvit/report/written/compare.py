"""Two reports, model by model: what changed between them, and whether it is noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from eegvit.report import words
from eegvit.report.same_study import changes
from eegvit.report.tables.pairs import interval_said
from eegvit.report.text.markdown import widths_of
from eegvit.report.written.folder import Written
from eegvit.results.families import Pair, pair
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.statistics.flips import holm
from eegvit.results.statistics.power import AT

SAME = "same predictions"


@dataclass(frozen=True)
class Change:
    """A model in two reports.

    Parameters
    ----------
    model : str
    before, after : float
        Mean over the people that both reports test.
    pair : Pair
        After against before.
    verdict : str
        Whether its predictions are the same, it is better, worse, or changed by noise.
    """

    model: str
    before: float
    after: float
    pair: Pair
    verdict: str


def compare(before: Written, after: Written) -> list[Change]:
    """Return each model of both reports; Holm's correction runs over those that changed."""
    if before.metric != after.metric:
        raise ValueError(
            f"{before.folder} ranks by {before.metric}, {after.folder} by {after.metric}:"
            " means of different metrics are not compared"
        )
    metric = before.metric
    old, new = before.scored(), after.scored()
    names = [model for model in old if model in new]
    if not names:
        raise ValueError(f"{before.folder} and {after.folder} have no model of the same name")
    pairs = {name: pair(new[name], old[name], metric) for name in names}
    changed = [name for name in names if not _same(before, after, name)]
    corrected = dict(zip(changed, holm([pairs[n].p for n in changed]), strict=True))
    found = []
    for name in names:
        one = replace(pairs[name], p_holm=corrected.get(name, math.nan))
        shared = [s for s in old[name].subjects if s in new[name].subjects]
        means = [float(np.nanmean([m[name].subjects[s] for s in shared])) for m in (old, new)]
        verdict = _verdict(one, metric) if name in corrected else SAME
        found.append(Change(name, means[0], means[1], one, verdict))
    return found


def compared(before: Written, after: Written) -> str:
    """Return the comparison for a terminal."""
    metric, found = before.metric, compare(before, after)
    head = ["model", "before", "after", "difference", "95 % interval", "p (Holm)", "verdict"]
    body = [
        [
            one.model,
            words.score(metric, one.before),
            words.score(metric, one.after),
            words.signed(metric, one.pair.difference),
            interval_said(one.pair.low, one.pair.high, metric),
            words.p_value(one.pair.p_holm),
            one.verdict,
        ]
        for one in found
    ]
    widths = widths_of([head, *body])
    n_people = max(one.pair.n_subjects for one in found)
    lines = [
        f"{after.folder} against {before.folder}: {words.METRIC_NAMES[metric].lower()}"
        f"{words.unit(metric)}, mean over {words.number_of(n_people, 'person', 'people')}",
        "",
        *("  ".join(map(str.ljust, cells, widths)).rstrip() for cells in (head, *body)),
        "",
    ]
    return "\n".join([*lines, *_beside(before, after)])


def _beside(before: Written, after: Written) -> Iterator[str]:
    """Yield what else differs between two reports."""
    old, new = before.about, after.about
    if "asked" in old and "asked" in new:
        keys = changes(old["asked"], new["asked"])
        yield f"Study: {', '.join(keys)} differ" if keys else "Study: the same is asked for"
    else:
        same = old["study_text"] == new["study_text"]
        yield f"Study: the file says {'the same' if same else 'something else'}"
    for said, names in (
        ("Only before", [m for m in before.scored() if m not in after.scored()]),
        ("Only after", [m for m in after.scored() if m not in before.scored()]),
    ):
        if names:
            yield f"{said}: {', '.join(names)}"
    gone, more = before.people - after.people, after.people - before.people
    if gone or more:
        yield f"People: {len(before.people & after.people)} in both, {len(gone)} only before,"
        yield f"  {len(more)} only after; models are compared over those in both"
    versions = [
        f"{name} {old['versions'].get(name, 'absent')} -> {new['versions'].get(name, 'absent')}"
        for name in dict.fromkeys((*old["versions"], *new["versions"]))
        if old["versions"].get(name) != new["versions"].get(name)
    ]
    yield f"Versions: {', '.join(versions)}" if versions else "Versions: the same"
    if old.get("commit") != new.get("commit"):
        yield f"Commit: {(old.get('commit') or '?')[:12]} -> {(new.get('commit') or '?')[:12]}"
    if old["machine"] != new["machine"]:
        yield "Machine: another"
    yield "Noise: p of sign flips over people, corrected for the models that changed; the interval"
    yield "is over people, and a change within it may be luck."


def _same(before: Written, after: Written, model: str) -> bool:
    old = {seed: told for (name, seed), told in before.predictions.items() if name == model}
    new = {seed: told for (name, seed), told in after.predictions.items() if name == model}
    return old.keys() == new.keys() and all(
        np.array_equal(told.ids, new[seed].ids)
        and np.array_equal(told.probabilities, new[seed].probabilities, equal_nan=True)
        for seed, told in old.items()
    )


def _verdict(one: Pair, metric: str) -> str:
    if math.isnan(one.p_holm):
        return "too few people to say"
    if one.p_holm > AT:
        return "may be noise"
    better = (one.difference > 0) != (metric in LOWER_IS_BETTER)
    return "better" if better else "worse"
