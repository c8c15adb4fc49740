"""Attention on the scalp against the cortex that was simulated, for people not trained on.

python benchmarks/attention_over_source.py
python benchmarks/attention_over_source.py --seed 1

The people are those of simulated 2a: 22 electrodes, four classes. Each is decoded by the default
EfficientViT trained on the others, and by how `attention_received` is spread over the electrodes
for each class. The source of a class is what the simulation projects to each electrode of that
person: of all areas whose rhythm the class weakens, the power that is lost. Beside attention stand
that of the network before training, saliency (the size of the gradient of the class's logit), and
the patterns of CSP, which are the same for all classes.

`each` is the correlation over electrodes, the mean of the classes; `change` that of what is left of
both after the mean over the classes is taken off: whether attention goes to another place for
another class. `p` is the share of shufflings of the electrodes that do as well, `p, else` that of
sources put anywhere in the cortex, which are as smooth over the electrodes as the true ones. The
ratio at the end is the source's power where attention goes, against its power if attention were
spread evenly.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from timing import one_thread

one_thread()

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from eegvit import CSPLDAClassifier, EfficientViTClassifier  # noqa: E402
from eegvit.config import Card  # noqa: E402
from eegvit.data import read_subject  # noqa: E402
from eegvit.data.simulation.headmodel import head_model  # noqa: E402
from eegvit.data.simulation.people import CLASSES, RESPONSES, person  # noqa: E402
from eegvit.data.simulation.recordings import CHANNELS  # noqa: E402
from eegvit.networks.efficientvit.attention_maps import electrode_attention  # noqa: E402
from eegvit.preprocess.alignment import align_offline  # noqa: E402
from eegvit.trials import Trials, concatenate  # noqa: E402

Array = NDArray[np.float64]
Maps = dict[str, Array]  # of each measure: (classes, electrodes)
SESSIONS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--trials", type=int, default=288, help="of a session")
    parser.add_argument("--epochs", type=int, help="if not as many as usual")
    parser.add_argument("--seed", type=int, default=0, help="of the network")
    parser.add_argument("--draws", type=int, default=10_000, help="shufflings; a tenth of sources")
    options = parser.parse_args()
    numbers, lines, ratios = range(1, options.people + 1), [], []
    sources = np.stack([source(who) for who in numbers])  # (people, classes, electrodes)
    for align in ("euclidean", "none"):
        people = [read(who, options, align) for who in numbers]
        found, scores = [], []
        for who, test in enumerate(people):
            train = concatenate(people[:who] + people[who + 1 :])
            maps, score = measured(train, test, options)
            found.append(maps)
            scores.append(score)
        lines.append(f"alignment {align}: {100 * np.mean(scores):.1f} % of trials decoded")
        lines += [*with_null(found, sources, options.draws), *by_person(found, sources)]
        ratios.append(gain(np.stack([maps["attention"] for maps in found]), sources))
    print("\n".join(lines))
    print(f"unaligned {ratios[1]:.2f}x\nratio {ratios[0]:.2f}x")


def read(who: int, options: argparse.Namespace, align: str) -> Trials:
    """Return all trials of a person, each session aligned for itself."""
    card = Card(
        name="attention_over_source",
        source="simulated",
        simulated=True,
        options={"n_sessions": SESSIONS, "n_trials": options.trials, "n_runs": 6},
        classes=CLASSES,
        channels=CHANNELS,
        band=(4, 40),
        window=(0, 4),
        resample=125.0,
    )
    sessions = read_subject(card, str(who))
    return concatenate([one.replace(X=align_offline(one.X, align)) for one in sessions])


def measured(train: Trials, test: Trials, options: argparse.Namespace) -> tuple[Maps, float]:
    """Return each measure of the person tested, by class, and the score."""
    model = EfficientViTClassifier(
        sfreq=train.sfreq,
        ch_names=train.ch_names,
        epochs=options.epochs,
        random_state=options.seed,
        device="cpu",
    )
    model.fit(train.X, train.labels, groups=train.subject)
    torch.manual_seed(options.seed)
    standardise, untrained = model.unfitted(train.X)
    with torch.no_grad():
        x = standardise(torch.from_numpy(test.X))
    csp = CSPLDAClassifier().fit(train.X, train.labels)
    patterns = np.square(csp.patterns_).sum(axis=1)
    seen = {
        "attention": model.attention_received(test.X).mean(axis=2),
        "untrained": electrode_attention(untrained, x).mean(dim=2).numpy(),
        "saliency": saliency(model, test),
        "patterns": np.tile(patterns, (len(test), 1)),
    }
    maps = {
        name: np.stack([each[test.labels == label].mean(axis=0) for label in CLASSES])
        for name, each in seen.items()
    }
    return maps, model.score(test.X, test.labels)


def saliency(model: EfficientViTClassifier, test: Trials) -> Array:
    """Return the mean size of the gradient of each trial's class: (trials, electrodes)."""
    network = model.module_.eval()
    codes = torch.from_numpy(np.searchsorted(model.classes_, test.labels))
    parts = []
    for rows in np.array_split(np.arange(len(test)), max(1, len(test) // 64)):
        x = torch.from_numpy(test.X[rows]).requires_grad_()
        network(x).gather(1, codes[rows][:, None]).sum().backward()
        parts.append(x.grad.abs().mean(2).numpy())
    return np.concatenate(parts)


def source(who: int) -> Array:
    """Return the power that each class takes away, at each electrode: (classes, electrodes)."""
    rows, lost = head_model().rows(CHANNELS), np.zeros((len(CLASSES), len(CHANNELS)))
    for session in range(SESSIONS):
        for rhythm in person(seed=0, subject=who, session=session, difficulty=1.0).rhythms:
            for number, label in enumerate(CLASSES):
                if RESPONSES[label].get(rhythm.area, 0.0) > 0:
                    lost[number] += rhythm.response[label] * rhythm.scalp_map[rows] ** 2
    return lost


def elsewhere(rng: np.random.Generator) -> Array:
    """Return what a patch of cortex at a random place projects, for each class: power."""
    head, maps = head_model(), []
    rows = head.rows(CHANNELS)
    for _ in CLASSES:
        radial = rng.dirichlet(np.full(len(rows), 0.1)) @ head.directions[rows]
        radial /= np.linalg.norm(radial)
        across = np.cross(radial, rng.standard_normal(3))
        tilted = np.cos(0.7) * radial + np.sin(0.7) * across / np.linalg.norm(across)
        maps.append(head.patch(0.86 * head.brain_radius * radial, tilted)[rows] ** 2)
    return np.stack(maps)


def alike(maps: Array, sources: Array) -> Array:
    """Return the correlation of each row with its fellow, 0 where a row is constant."""
    maps, sources = (each - each.mean(axis=-1, keepdims=True) for each in (maps, sources))
    size = np.linalg.norm(maps, axis=-1) * np.linalg.norm(sources, axis=-1)
    floor = 1e-9 * np.abs(maps).max() * np.abs(sources).max()
    return np.where(size > floor, (maps * sources).sum(axis=-1) / np.maximum(size, 1e-300), 0.0)


def change(maps: Array) -> Array:
    """Return what is of each class alone: (..., classes, electrodes) to the same."""
    return maps - maps.mean(axis=-2, keepdims=True)


def gain(maps: Array, sources: Array) -> float:
    """Return the source's power where attention goes, over its mean over the electrodes."""
    return float(np.mean((maps * sources).sum(-1) / maps.sum(-1) / sources.mean(-1)))


def with_null(found: Sequence[Maps], sources: Array, draws: int) -> list[str]:
    """Return a line for each measure over all people, with what chance does."""
    lines = [columns("all people", "each", "p", "p, else", "change", "p")]
    rng = np.random.default_rng(0)
    shuffled = [sources[..., rng.permutation(len(CHANNELS))] for _ in range(draws)]
    others = [elsewhere(rng) for _ in range(draws // 10)]
    for name in found[0]:
        maps = np.stack([each[name] for each in found])
        here = alike(maps, sources).mean()
        moved = alike(change(maps), change(sources)).mean()
        shares = [
            share([alike(maps, other).mean() for other in shuffled], here),
            share([alike(maps, other).mean() for other in others], here),
            share([alike(change(maps), change(other)).mean() for other in shuffled], moved),
        ]
        lines.append(columns(name, f"{here:.2f}", *shares[:2], f"{moved:.2f}", shares[2]))
    return lines


def by_person(found: Sequence[Maps], sources: Array) -> list[str]:
    """Return a line for each person and measure: the correlation of each class."""
    lines = [columns("one by one", "change", *CLASSES)]
    for who, (maps, own) in enumerate(zip(found, sources, strict=True), start=1):
        for name, one in maps.items():
            figures = (alike(change(one), change(own)).mean(), *alike(one, own))
            lines.append(columns(f"{who}, {name}", *(f"{figure:.2f}" for figure in figures)))
    return lines


def columns(name: str, *cells: str) -> str:
    """Return a line of a table."""
    return f"{name:14}" + "".join(f"{cell:>12}" for cell in cells)


def share(null: Sequence[float], here: float) -> str:
    """Return how much of the null does as well."""
    return f"{(1 + np.sum(np.array(null) >= here)) / (1 + len(null)):.4f}"


if __name__ == "__main__":
    main()
