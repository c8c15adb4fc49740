"""What networks hold before they see labels: a table of probes, and maps."""

from __future__ import annotations

import math
from collections.abc import Sequence

from eegvit.report import words
from eegvit.report.axes import spanning
from eegvit.report.figures import svg
from eegvit.report.markup import Markup, tag
from eegvit.results.embeddings import Representation
from eegvit.results.results import Results

N_HUES = 8
SIDE, EDGE = 220.0, 8.0
UNDER = (
    "What networks hold before they see labels: those from scratch as they are built, the others"
    " as pretraining left them. Measured on training trials alone, after all fits, so that nothing"
    " could be chosen by it; all labels of these trials are used, also those that the fits were"
    " not given. Means over splits and seeds."
)
COLUMNS = {
    "class, linear": "accuracy of a logistic regression for people left out (of one person: for"
    " trials left out), in percent",
    "class, neighbours": "accuracy of the 15 nearest embeddings of other people (of one person:"
    " of other trials), in percent",
    "person, linear": "how often a logistic regression names the person of unseen trials",
    "between people": "share of the variance that lies between people",
    "alignment": "mean squared distance of two views of a trial on the sphere: lower is closer",
    "uniformity": "log of the mean Gaussian potential of pairs: lower is more spread out",
    "width": "numbers in an embedding",
}


def embeddings_table(results: Results) -> Markup:
    """Return what probes find in the networks of each model."""
    head = [tag("th", "model", class_="name", scope="col")]
    head += [tag("th", name, title=said, scope="col") for name, said in COLUMNS.items()]
    rows = []
    for one in results.representations:
        said = results.study.models[one.models[0]].said
        heading = [", ".join(one.models), tag("small", said)]
        cells = [tag("td", *cell) for cell in _cells(one)]
        rows.append(tag("tr", tag("th", *heading, class_="name", scope="row"), *cells))
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="learned")


def maps(results: Results) -> list[Markup]:
    """Return a card for each: trials on the two main axes, by class and by person."""
    return [_card(one) for one in results.representations]


def _cells(one: Representation) -> list[list[object]]:
    figures = one.figures
    classes = f"chance {_percent(figures['class_chance'])}"
    person = f"chance {_percent(figures['person_chance'])}"
    several = not math.isnan(figures["person"])
    return [
        [_percent(figures["classes"]), tag("small", classes)],
        [_percent(figures["neighbours"]), tag("small", classes)],
        [_percent(figures["person"]), tag("small", person) if several else None],
        [_percent(figures["person_share"])],
        [f"{figures['alignment']:.3f}"],
        [f"{figures['uniformity']:.2f}".replace("-", "−")],
        [f"{figures['d']:.0f}"],
    ]


def _percent(share: float) -> str:
    return words.score("accuracy", share)


def _card(one: Representation) -> Markup:
    people = [who.rpartition("/")[2] for who in one.people]
    axes = " and ".join(f"{100 * share:.0f} %" for share in one.axes)
    return tag(
        "div",
        tag("strong", ", ".join(one.models)),
        tag(
            "p",
            f"{len(one.places)} trials of one split on the two axes of largest variance ({axes})",
            class_="faint small",
            style="margin-top:2px",
        ),
        tag("div", _map(one, one.classes, "class"), _map(one, people, "person"), class_="pair"),
    )


def _map(one: Representation, names: Sequence[str], what: str) -> Markup:
    x = spanning([float(v) for v in one.places[:, 0]], EDGE, SIDE - EDGE)
    y = spanning([float(v) for v in one.places[:, 1]], SIDE - EDGE, EDGE)
    known = sorted(set(names))
    hue = {name: i % N_HUES for i, name in enumerate(known)}
    parts = [tag("rect", x=0.5, y=0.5, width=SIDE - 1, height=SIDE - 1, class_="frame")]
    for (px, py), name in zip(one.places.tolist(), names, strict=True):
        place = {"cx": x(px), "cy": y(py), "r": 2.6, "class_": f"point hue-{hue[name]}"}
        parts.append(tag("circle", tag("title", name), **place))
    label = f"Embeddings by {what}"
    plot = svg(SIDE, SIDE, *parts, label=label)
    key = [
        tag("span", tag("span", class_=f"key hue-{hue[name]}"), name, class_="keyed")
        for name in known
    ]
    return tag("div", tag("div", f"{what}: ", *key, class_="keys"), plot)
