"""The leaderboard: a row for each model, a body for each kind of target use."""

from __future__ import annotations

import math

from eegvit.report import words
from eegvit.report.figures.axes import Scale
from eegvit.report.figures.intervals import interval_axis, interval_bar, shared_scale
from eegvit.report.rows import (
    above_chance,
    interval,
    letters,
    of_target,
    p_beside,
    rank,
    ranks,
    targets,
    test_said,
)
from eegvit.report.tables.pairs import interval_said
from eegvit.report.tables.table import Body, Cell, Column, Row, Table
from eegvit.results.leaderboard import BoardRow
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.results import Results

RANKS = "95 % interval of the rank; rows that share a letter cannot be told apart"
OTHERS = ("accuracy", "balanced_accuracy", "kappa", "roc_auc")


def board_table(results: Results) -> Table:
    """Return the leaderboard, best first within each kind of target use."""
    scale = shared_scale(results.board)
    columns = _columns(results, scale)
    bodies = [
        Body(
            tuple(_row(results, row, scale, columns) for row in of_target(results, target)),
            words.target_title(target),
            words.target_use(target),
            target,
        )
        for target in targets(results)
    ]
    return Table("Leaderboard", columns, "board", tuple(bodies))


def scores_of_each(results: Results) -> dict[str, object]:
    """Return each model's score of every person, session and seed: what an opened row shows."""
    metric = results.study.evaluate.metric
    percent = metric in words.IN_PERCENT
    models: dict[str, dict[str, object]] = {}
    for name in dict.fromkeys(row["model"] for row in results.rows):
        own = [row for row in results.rows if row["model"] == name]
        seeds = sorted({row["seed"] for row in own})
        places: dict[tuple[str, str], dict[int, float]] = {}
        for row in own:
            place = places.setdefault((row["subject"], row["session"]), {})
            place[row["seed"]] = row[metric] * (100 if percent else 1)
        scores = [
            [*place, *(_rounded(known.get(seed, math.nan)) for seed in seeds)]
            for place, known in places.items()
        ]
        models[name] = {"seeds": seeds, "rows": scores}
    about = f"{words.METRIC_NAMES[metric]}{words.unit(metric)}"
    return {"metric": about, "digits": 1 if percent else 3, "models": models}


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)


def _columns(results: Results, scale: Scale) -> tuple[Column, ...]:
    metric = results.study.evaluate.metric
    axis = interval_axis(scale, metric)
    others = [
        Column(words.SHORT_NAMES[name], name, words.METRIC_NAMES[name], first=_best_first(name))
        for name in _others(metric)
    ]
    return (
        Column("#", "rank"),
        Column("Model", "model", left=True),
        Column(_titled(metric), "mean", first=_best_first(metric)),
        Column(axis, about="mean and 95 % interval, chance in grey"),
        Column("95 % interval", "ci", "bootstrap over subjects", first=_best_first(metric)),
        Column("Ranks", "ranks", RANKS),
        *_difference_column(results),
        Column("p (Holm)", "p", test_said(results)),
        Column("SD", "sd", "spread over subjects"),
        Column("Chance", "chance", "chance level and the 95 % bound of its mean over subjects"),
        *others,
        Column("SD seeds", "seeds", "spread over seeds of the mean over subjects"),
        Column("Params", "parameters", "learned numbers"),
        Column("CPU / fit", "seconds", "features, training and prediction, mean over fits"),
        Column("CPU total", "total", "all fits of the model"),
    )


def _others(metric: str) -> list[str]:
    return [name for name in OTHERS if name != metric]


def _titled(metric: str) -> str:
    return f"{words.METRIC_NAMES[metric]}{words.unit(metric)}"


def _best_first(metric: str) -> str:
    return "ascending" if metric in LOWER_IS_BETTER else "descending"


def _row(results: Results, row: BoardRow, scale: Scale, columns: tuple[Column, ...]) -> Row:
    small = row.branch if row.align == "none" else f"{row.branch} · {row.align}"
    cells = [
        Cell(rank(row), kind="rank", value=row.rank),
        Cell(row.model, (small,), kind="name", value=row.model, head=True),
    ]
    if row.status == "ok":
        cells += _scored(results, row, scale)
    else:
        free = tuple(column.name or "bar" for column in columns[3:-3])
        cells += [
            Cell(row.status.upper(), kind="failed"),
            Cell(row.reason, kind="why", spans=free),
        ]
    cells += [
        Cell(words.count(row.n_parameters), value=row.n_parameters),
        Cell(words.seconds(row.seconds_fit), value=row.seconds_fit),
        Cell(words.seconds(row.seconds_total), value=row.seconds_total),
    ]
    kind = "control" if row.control else "first" if row.rank == 1 else ""
    return Row(tuple(cells), kind, row.model, f"{row.model} {small} {row.target}")


def _scored(results: Results, row: BoardRow, scale: Scale) -> list[Cell]:
    metric = results.study.evaluate.metric
    mean, star = words.score(metric, row.mean), "" if above_chance(row) else "*"
    pair, standing = results.tested(row), results.family(row.target).standings.get(row.model)
    bound = f"({words.score(metric, row.chance_bound)})"
    about = "not above chance" if star else ""
    return [
        Cell(mean + star, kind="big", value=row.mean, title=about),
        Cell(interval_bar(row, scale, metric), kind="bar"),
        Cell(interval(row, metric), _with_seeds(row, metric), value=row.ci_low),
        Cell(
            ranks(results, row),
            faint=letters(results, row),
            value=standing.high if standing else None,
        ),
        *_difference(results, row),
        Cell(p_beside(results, row), value=pair.p_holm if pair else math.inf),
        Cell(words.score(metric, row.sd), value=row.sd),
        Cell(words.score(metric, row.chance), faint=bound, value=row.chance),
        *(Cell(words.score(m, row.others[m]), value=row.others[m]) for m in _others(metric)),
        Cell(words.score(metric, row.seed_sd), value=row.seed_sd),
    ]


def _with_seeds(row: BoardRow, metric: str) -> tuple[str, ...]:
    if math.isnan(row.both_low):
        return ()
    low, high = words.score(metric, row.both_low), words.score(metric, row.both_high)
    return (f"with seeds {low}–{high}",)


def _difference_column(results: Results) -> list[Column]:
    if not results.against:
        return []
    title = f"To {results.study.reference}"
    about = "difference to the reference, and its 95 % interval over people"
    return [Column(title, "difference", about, first=_best_first(results.study.evaluate.metric))]


def _difference(results: Results, row: BoardRow) -> list[Cell]:
    if not results.against:
        return []
    pair, metric = results.tested(row), results.study.evaluate.metric
    if pair is None:
        return [Cell("reference", kind="faint", value=0.0)]
    reference = next(r for r in results.board if r.model == results.study.reference)
    small = [interval_said(pair.low, pair.high, metric)] if not math.isnan(pair.low) else []
    small += ["other target use"] if reference.target != row.target else []
    return [Cell(words.signed(metric, pair.difference), tuple(small), value=pair.difference)]
