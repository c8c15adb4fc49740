"""Search the shape of an EfficientViT that is smaller and faster, and write it as a preset."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eegvit.command.options import add_cache, add_study, study_of
from eegvit.config import Model, Study
from eegvit.config.presets import preset_text
from eegvit.progress import Progress
from eegvit.registry import suggest

if TYPE_CHECKING:
    from eegvit.compress.search import Found
    from eegvit.views.view import DataView

BRANCH = "efficientvit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add_study(parser)
    parser.add_argument("--model", metavar="NAME", help="the model of the study that is searched")
    parser.add_argument(
        "--people",
        nargs="+",
        metavar="SUBJECT",
        help="whose trials are trained on and judged by (default: the study's train_subjects);"
        " a study that tests one of them refuses the preset",
    )
    parser.add_argument(
        "--to", type=float, default=0.5, help="share of the model's cost to come down to (0.5)"
    )
    parser.add_argument("--of", choices=("macs", "parameters", "latency"), default="macs")
    parser.add_argument(
        "--by",
        choices=("greedy", "random", "optuna"),
        default="greedy",
        help="steps judged with the weights of one network, or shapes that are each trained",
    )
    parser.add_argument(
        "--trainings", type=int, default=20, metavar="N", help="of random and optuna (20)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the preset (default: MODEL-small.yaml)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file if it is there")
    add_cache(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Search, and write the preset."""
    study = study_of(options)
    name, model = searched_model(study, options.model)
    output = options.output or Path(f"{name}-small.yaml")
    if output.exists() and not options.overwrite:
        raise ValueError(f"{output} is there: choose another file by -o, or say --overwrite")
    from eegvit.compress.search import search_shape
    from eegvit.data.cache import Cache
    from eegvit.plan.recipe import Recipe
    from eegvit.sealed import replacing
    from eegvit.study import check_writable
    from eegvit.views.reading import make_views

    check_writable(output.absolute().parent, "-o")
    cache = Cache(options.cache)
    alone = study.model_copy(update={"models": {name: model}, "ensembles": {}})
    with cache.in_use(study.name):
        view = make_views(alone, cache)[name]
        rows = np.flatnonzero(np.isin(view.subject, people_of(study, view, options.people)))
        trials = view.take(rows)
        about = (model.branch, model.parameters, view.sfreq, view.ch_names, options.seed)
        unfitted = Recipe(*about, classes=view.classes).build()
        shown = Shown()
        found = search_shape(
            unfitted,
            trials.X,
            trials.labels,
            groups=trials.subject,
            **{key: getattr(options, key) for key in ("to", "of", "by", "trainings", "seed")},
            checkpoint=output.with_suffix(".part"),
            on_progress=shown,
        )
        shown.finish()
    people = sorted(set(view.people[rows].tolist()))
    with replacing(output) as file:
        file.write(preset_text(found.preset, people, " ".join(said_of(found))).encode("utf-8"))
    print("\n".join([*steps_of(found), *said_of(found), str(output)]))
    return 0


def searched_model(study: Study, name: str | None) -> tuple[str, Model]:
    """Return the model of a study whose shape is searched, and its name."""
    able = {
        one: model
        for one, model in study.models.items()
        if model.branch == BRANCH
        and not (model.pretrain or model.prune or model.distill or model.control)
        and model.adapt is None
    }
    if name is None and len(able) == 1:
        name = next(iter(able))
    if not able:
        raise ValueError(
            f"the study has no {BRANCH} that is neither pretrained, pruned, distilled nor updated"
        )
    if name is None:
        raise ValueError(f"the study has several models to search: --model {' or '.join(able)}")
    if name not in able:
        raise ValueError(f"--model {name}: no {BRANCH} that can be searched{suggest(name, able)}")
    return name, able[name]


def people_of(study: Study, view: DataView, given: Sequence[str] | None) -> list[str]:
    """Return whose trials may be seen: those who are named, or those who only train."""
    everyone = sorted(set(view.subject.tolist()))
    evaluate = study.evaluate
    named = given or evaluate.train_subjects
    if named is None and evaluate.test_subjects:
        named = [who for who in everyone if who not in evaluate.test_subjects]
    if named is None:
        raise ValueError(
            "the study tests everybody in turn, and a shape that was chosen by a person's labels"
            " cannot be tested on that person: name people by --people, and test the others in a"
            " study with evaluate.test_subjects"
        )
    unknown = [who for who in named if who not in everyone]
    if unknown:
        raise ValueError(f"--people: there is no '{unknown[0]}'{suggest(unknown[0], everyone)}")
    return list(named)


def steps_of(found: Found) -> list[str]:
    """Return a line for each step, and what came of it."""
    return [
        f"{step.said} (of {len(step.others)} steps): {_costs(step.found.costs)},"
        f" {step.found.accuracy:.1%}"
        for step in found.path
    ]


def said_of(found: Found) -> list[str]:
    """Return what was found, in sentences."""
    first, last = found.largest, found.best
    shares = {name: last.costs[name] / first.costs[name] for name in last.costs}
    how = "by weights that all shapes share" if found.path else "each trained by itself"
    return [
        f"{len(found.judged)} shapes judged {how}: {first.accuracy:.1%} of the trials of people"
        f" held out at first, {last.accuracy:.1%} in the end;",
        f"{_costs(last.costs)}: "
        + ", ".join(f"{share:.0%} of the {name}" for name, share in shares.items())
        + ".",
    ]


def _costs(costs: Mapping[str, float]) -> str:
    return (
        f"{costs['parameters']:,.0f} parameters, {costs['macs']:,.0f} macs,"
        f" {1000 * costs['latency']:.2f} ms"
    )


class Shown:
    """A line of progress for each part of a search."""

    def __init__(self) -> None:
        self.line: Progress | None = None

    def __call__(self, what: str, share: float) -> None:
        """Show how far a part is."""
        if self.line is None or self.line.what != f"{what}, percent":
            self.finish()
            self.line = Progress(100, f"{what}, percent")
        self.line.done = round(100 * share)
        self.line.show()

    def finish(self) -> None:
        """Write the last line of a part."""
        if self.line is not None:
            self.line.finish()
