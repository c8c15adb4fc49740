"""Shapes of a network judged in one search, against training each of them.

python benchmarks/search.py
python benchmarks/search.py --people 9 --trials 96 --epochs 20 --preset eeg_s

Simulated people of two classes, again for each seed. A supernet is trained and greedy steps are
taken to half of the multiply-accumulates. What that costs, and one training of the shape that it
picks, is what random search and optuna's may spend on trainings of their own, within the same
budget; everything is counted in seconds of the processor. All shapes are then compared as networks
that were trained by themselves: by the person held out, whose labels chose them, and by two people
nobody saw.

The ratio is how many times longer it would take to train every shape that a search judged, the
median over seeds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from timing import one_thread

one_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402

from eegvit import EfficientViTClassifier, load_study, search_shape  # noqa: E402
from eegvit.compress.search.greedy import Judged  # noqa: E402
from eegvit.compress.search.ground import Ground  # noqa: E402
from eegvit.compress.search.others import at_random, by_optuna, front  # noqa: E402
from eegvit.data import read_subject  # noqa: E402
from eegvit.preprocess.alignment import align_offline  # noqa: E402
from eegvit.registry import installed  # noqa: E402
from eegvit.trials import Trials, concatenate  # noqa: E402

UNSEEN = 2  # people who take no part in any search
SEARCHES = {"random": at_random, "optuna": by_optuna}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=5, help=f"of whom {UNSEEN} are not seen")
    parser.add_argument("--trials", type=int, default=40, help="of each person")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--preset", default="eeg_xs", help="the largest shape")
    parser.add_argument("--to", type=float, default=0.5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    options = parser.parse_args()
    torch.set_num_threads(1)
    seen, unseen = people(options.people, options.trials)
    compared = [compare(seen, unseen, seed, options) for seed in options.seeds]
    for name in SEARCHES:
        if each := [on[name] for on, _ in compared if name in on]:
            print(f"the greedy pick is no worse than any of {name} in {sum(each)} of {len(each)}")
    print(f"ratio {np.median([times for _, times in compared]):.1f}x")


def compare(
    seen: Trials, unseen: Trials, seed: int, options: argparse.Namespace
) -> tuple[dict[str, bool], float]:
    """Return which other searches the greedy pick is in front with, and how much was saved."""
    model = EfficientViTClassifier(
        layout="conv", family="cascaded", preset=options.preset, epochs=options.epochs,
        batch_size=16, learning_rate=3e-3, sfreq=seen.sfreq, ch_names=seen.ch_names,
        device="cpu",
    )  # fmt: skip
    given: dict[str, Any] = {"groups": seen.subject, "seed": seed}
    found = search_shape(model, seen.X, seen.labels, **given, to=options.to)
    ground = Ground.of(model, seen.X, seen.labels, **given)
    limit = options.to * found.largest.costs["macs"]
    began = time.process_time()
    pick = ground.trained(found.best.shape, seed)
    training = time.process_time() - began
    budget = found.seconds + training
    print(
        f"seed {seed}, greedy: {len(found.judged)} shapes judged in {found.seconds:.0f} s,"
        f" {len(found.path)} steps; the pick trained in {training:.1f} s: the price of"
        f" {budget / training:.0f} trainings"
    )
    fronts = {"greedy": [pick]}
    for name, search in SEARCHES.items():
        if name == "optuna" and not installed("optuna"):
            print("optuna: not installed")
            continue
        own = within(search(ground, lambda costs: costs["macs"] <= limit, seed), budget)
        fronts[name] = front(own)
        print(f"{name}: {len(own)} shapes trained at the same price, {len(fronts[name])} in front")
    score = scores(ground, unseen, seed)
    for name, members in fronts.items():
        for one in members:
            print(f"  {name}: {said(one)}, {score(one):.1%} of people unseen")
    on = {
        name: not any(o.merit >= pick.merit and o.accuracy >= pick.accuracy for o in members)
        for name, members in fronts.items()
        if name != "greedy"
    }
    return on, len(found.judged) * training / found.seconds


def people(number: int, n_trials: int) -> tuple[Trials, Trials]:
    """Return the aligned trials of people who are seen, and of those who are not."""
    study = {
        "name": "search",
        "data": {
            "card": "simulated",
            "subjects": list(range(1, number + 1)),
            "channels": ["C3", "Cz", "C4"],
            "classes": ["left_hand", "right_hand"],
            "window": [0, 2],
            "resample": 125,
            "options": {"n_sessions": 1, "n_runs": 1, "n_trials": n_trials, "difficulty": 0.5},
        },
        "models": {"csp": {"branch": "csp_lda"}},
    }
    (card,) = load_study(study).data
    each = [
        replace(part, X=align_offline(part.X))
        for who in range(number)
        for part in read_subject(card, str(who + 1))
    ]
    return concatenate(each[:-UNSEEN]), concatenate(each[-UNSEEN:])


def within(found: Iterator[Judged[Any]], seconds: float) -> list[Judged[Any]]:
    """Return what a search finds before it has taken so long."""
    began, own = time.process_time(), []
    for one in found:
        own.append(one)
        if time.process_time() - began >= seconds:
            break
    return own


def scores(ground: Ground, unseen: Trials, seed: int) -> Callable[[Judged[Any]], float]:
    """Return what says how many trials of people unseen a shape decodes."""

    def score(one: Judged[Any]) -> float:
        model = ground.model_of(one.shape).set_params(random_state=seed)
        model.fit(ground.X[ground.rows], ground.labels[ground.rows])
        return float(np.mean(model.predict(unseen.X) == unseen.labels))

    return score


def said(one: Judged[Any]) -> str:
    costs = one.costs
    return (
        f"{costs['parameters']:,.0f} parameters, {costs['macs']:,.0f} macs,"
        f" {1000 * costs['latency']:.2f} ms, merit {one.merit:.1f}, {one.accuracy:.1%} of the"
        " person held out"
    )


if __name__ == "__main__":
    main()
