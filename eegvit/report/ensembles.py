"""Ensembles on the page: what they learned, how alike their members err, and the bound."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eegvit.report import words
from eegvit.report.markup import Markup, tag
from eegvit.results.ensembles import Learned
from eegvit.results.members import Bound, spread
from eegvit.results.metrics import LOWER_IS_BETTER
from eegvit.results.results import Results

NO_RESULT = "not a result: knows the labels"


def ensembles_under(results: Results) -> str:
    """Return what the rules learned from, and how many fits that took."""
    said = (
        "An ensemble combines the probabilities that its members give a test trial. What a rule"
        " learns (weights, a meta-learner, temperatures, which members to keep) it learns from"
        " predictions for trials of the split's training side by members that were fitted without"
        " them. Its costs are the sums of its members'."
    )
    count = results.ensembles.count
    if count is None:
        return said
    return (
        f"{said} The members of rules that learn took {count.distinct:,} fits, shared between"
        f" splits and ensembles; each split on its own would have run {count.naive:,}"
        f" ({100 * count.ratio:.0f} %)."
    )


def learned_table(results: Results) -> Markup | None:
    """Return the weight and temperature of each member: mean and spread over splits and seeds."""
    rows = []
    for name, ensemble in results.study.ensembles.items():
        own = [one for one in results.ensembles.learned if one.ensemble == name]
        if not ensemble.learns or not own:
            continue
        small = tag("small", ensemble.said)
        cells = [
            tag("td", *_learned(own, member, ensemble.select is not None))
            if member in ensemble.of
            else tag("td", "")
            for member in results.ensembles.members
        ]
        rows.append(tag("tr", tag("th", name, small, class_="name", scope="row"), *cells))
    if not rows:
        return None
    titles = [tag("th", member, scope="col") for member in results.ensembles.members]
    head = tag("thead", tag("tr", tag("th", "ensemble", class_="name", scope="col"), *titles))
    return tag("table", head, tag("tbody", *rows), class_="learned")


def selection_table(results: Results) -> Markup | None:
    """Return the orders in which members were selected, and in which splits."""
    rows = []
    for name, ensemble in results.study.ensembles.items():
        own = [one for one in results.ensembles.learned if one.ensemble == name]
        if not ensemble.select or not own:
            continue
        orders: dict[tuple[str, ...], list[str]] = {}
        for one in own:
            orders.setdefault(one.chosen, []).append(_place(results, one))
        for order, places in sorted(orders.items(), key=lambda item: -len(item[1])):
            share = tag("td", f"{len(places)} of {len(own)}")
            where = tag("td", "; ".join(places), class_="name faint")
            cells = [tag("td", " → ".join(order), class_="name"), share, where]
            rows.append(tag("tr", tag("th", name, class_="name", scope="row"), *cells))
    if not rows:
        return None
    titles = ("ensemble", "members in the order of their selection", "splits", "which")
    head = [
        tag("th", title, class_="name" if title != "splits" else None, scope="col")
        for title in titles
    ]
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="orders")


def correlation_table(results: Results) -> Markup | None:
    """Return the correlation of the members' errors as a matrix."""
    matrix, members = results.ensembles.correlation, results.ensembles.members
    if matrix is None:
        return None
    head = [tag("th", "", class_="name"), *(tag("th", m, scope="col") for m in members)]
    rows = []
    for member, values in zip(members, matrix.tolist(), strict=True):
        cells = [
            tag(
                "td",
                words.NOTHING if math.isnan(value) else f"{value:.2f}",
                style=f"--share:{55 * max(0.0, 0.0 if math.isnan(value) else value):.0f}%",
            )
            for value in values
        ]
        rows.append(tag("tr", tag("th", member, class_="name", scope="row"), *cells))
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="heat")


def bound_table(results: Results) -> Markup | None:
    """Return the oracle of each set of members and seed, beside the best that is a result."""
    if not results.ensembles.bounds:
        return None
    metric = results.study.evaluate.metric
    unit = words.unit(metric)
    titles = ("members", "seed", f"best member{unit}", f"best ensemble{unit}", f"oracle{unit}")
    head = [
        tag("th", title, class_="name" if title == "members" else None, scope="col")
        for title in titles
    ]
    head.append(tag("th", "best member of how many people", class_="name", scope="col"))
    rows = []
    for bound in results.ensembles.bounds:
        small = tag("small", "combined by ", ", ".join(bound.ensembles))
        chosen = ", ".join(f"{name} {n}" for name, n in bound.subjects.items() if n)
        cells = [tag("td", bound.seed)]
        cells += [tag("td", _best(results, names)) for names in (bound.members, bound.ensembles)]
        cells += [tag("td", words.score(metric, bound.score), tag("small", NO_RESULT))]
        cells += [tag("td", chosen, class_="name")]
        name = tag("th", ", ".join(bound.members), small, class_="name", scope="row")
        rows.append(tag("tr", name, *cells))
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="bounds")


def ensembles_markdown(results: Results) -> list[str]:
    """Return the ensembles and their bounds as lines of a list."""
    metric = results.study.evaluate.metric
    lines = [
        f"- {name}: {ensemble.said} of {', '.join(ensemble.of)}"
        for name, ensemble in results.study.ensembles.items()
    ]
    return lines + [_bound_line(bound, metric) for bound in results.ensembles.bounds]


def _bound_line(bound: Bound, metric: str) -> str:
    score = f"{words.score(metric, bound.score)}{words.unit(metric)}"
    return (
        f"- oracle ({NO_RESULT}): each person's best of {', '.join(bound.members)},"
        f" seed {bound.seed}: {score}"
    )


def _learned(own: Sequence[Learned], member: str, select: bool) -> list[object]:
    """Return a member's weight, and below it its temperature and how often it was chosen."""
    chosen = [one for one in own if member in one.chosen]
    said: list[object] = []
    if any(one.weights for one in own):
        said.append(_spread([one.weights.get(member, 0.0) for one in own]))
    heats = [one.temperatures[member] for one in chosen if one.temperatures]
    if heats:
        said.append(tag("small", f"temperature {_spread(heats)}"))
    if select:
        said.append(tag("small", f"chosen in {len(chosen)} of {len(own)}"))
    return said


def _spread(values: Sequence[float]) -> str:
    mean, sd = spread(values)
    return f"{mean:.2f}" if math.isnan(sd) else f"{mean:.2f} ± {sd:.2f}"


def _place(results: Results, one: Learned) -> str:
    several = len(results.study.evaluate.seeds) > 1
    return one.split + (f", seed {one.seed}" if several else "")


def _best(results: Results, names: Sequence[str]) -> list[object]:
    """Return the best mean of some rows of the leaderboard and whose it is."""
    metric = results.study.evaluate.metric
    rows = [row for row in results.board if row.model in names and not math.isnan(row.mean)]
    if not rows:
        return [words.NOTHING]
    best = (min if metric in LOWER_IS_BETTER else max)(rows, key=lambda row: row.mean)
    return [words.score(metric, best.mean), tag("small", best.model)]
