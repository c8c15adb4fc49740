"""What a plan asks for, in words: fits, how many are stored, how long the rest will take."""

from __future__ import annotations

from collections.abc import Sequence

from eegvit.plan.fit import Kept
from eegvit.plan.plan import Plan
from eegvit.plan.splits.inner_splits import count_fits
from eegvit.progress import duration


def describe(plan: Plan, store: Kept, *, jobs: int = 1) -> str:
    """Return the plan as a table: fits, how many are stored, how long the rest will take."""
    stored = {key for key, fit in plan.fits.items() if fit.is_in(store)}
    families = {key.partition("/")[0] for key in plan.fits}
    seconds = {family: store.seconds(family) for family in families}
    rows = [("model", "requested", "distinct fits", "stored", "to run", "CPU time")]
    for name in plan.study.models:
        keys = [request.key for request in plan.requests if request.model == name]
        rows.append((name, *_counts(keys, stored, seconds)))
    total = _counts([request.key for request in plan.requests], stored, seconds)
    rows.append(("all", *total))
    view = next(iter(plan.fits.values())).view
    head = [
        f"study {plan.study.name}: {plan.study.evaluate.protocol}, {len(plan.splits)} splits,"
        f" {len(set(view.subject.tolist()))} subjects, {len(view)} trials,"
        f" classes {', '.join(view.classes)}",
        f"{total[1]} fits, {total[2]} stored, {total[3]} to run on {jobs}"
        f" worker{'s' * (jobs != 1)}; CPU time {total[4]}",
        *_pretrainings(plan, store),
        *_ensembles(plan),
        "",
    ]
    return "\n".join(head + _table(rows))


def _counts(
    keys: Sequence[str], stored: set[str], seconds: dict[str, float | None]
) -> tuple[str, str, str, str, str]:
    """Return how many are requested, distinct, stored, to run, and how long that will take."""
    distinct = dict.fromkeys(keys)
    left = [key for key in distinct if key not in stored]
    times = [seconds[key.partition("/")[0]] for key in left]
    known = [time for time in times if time is not None]
    if not left:
        time = "0 s"
    elif not known:
        time = "unknown"
    else:
        time = ("at least " if len(known) < len(times) else "about ") + duration(sum(known))
    return str(len(keys)), str(len(distinct)), str(len(distinct) - len(left)), str(len(left)), time


def _pretrainings(plan: Plan, store: Kept) -> list[str]:
    """Return how often is pretrained, in a line, where models are."""
    keys = plan.pretrainings
    if not keys:
        return []
    done = sum(store.weights(key).is_file() for key in keys)
    n_fits = sum(fit.pretraining is not None for fit in plan.fits.values())
    return [f"{len(keys)} pretrainings for {n_fits} fits, {done} stored"]


def _ensembles(plan: Plan) -> list[str]:
    """Return how many fits ensembles and students learn from, in a line, where some learn."""
    learning = {request.model for request in plan.requests if request.outer}
    if not learning:
        return []
    requests = [request for request in plan.requests if request.model in learning]
    count = count_fits(requests)
    n_scored = len({request.key for request in requests if not request.outer})
    who = ["ensembles"] * any(one.learns for one in plan.study.ensembles.values())
    who += ["distilled models"] * any(fit.teaching is not None for fit in plan.fits.values())
    return [
        f"{' and '.join(who)} learn from {count.distinct - n_scored} fits more; their members take"
        f" {count.distinct} distinct fits instead of {count.naive} ({100 * count.ratio:.0f} %)"
    ]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    lines = []
    for name, *cells in rows:
        aligned = [cell.rjust(width) for cell, width in zip(cells, others, strict=True)]
        lines.append("  ".join([name.ljust(first), *aligned]))
    rule = "-" * len(lines[0])
    return [lines[0], rule, *lines[1:-1], rule, lines[-1]]
