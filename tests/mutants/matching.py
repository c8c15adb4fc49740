"""What decides numbers, which tests are to notice a change of it, and which changes none can."""

from __future__ import annotations

PROTOCOLS = ("tests/plan/splits/test_protocols.py",)

# a module, and the tests that match it; its own examples are run before them
MATCHING: dict[str, tuple[str, ...]] = {
    "eegvit/plan/splits/protocols.py": PROTOCOLS,
    "eegvit/plan/splits/split.py": (*PROTOCOLS, "tests/plan/splits/test_few_labels.py"),
    "eegvit/plan/splits/apart.py": ("tests/plan/splits/test_apart.py",),
    "eegvit/plan/splits/two_sides.py": PROTOCOLS,
    "eegvit/plan/target.py": (*PROTOCOLS, "tests/plan/splits/test_few_labels.py"),
    "eegvit/plan/splits/inner_splits.py": ("tests/plan/splits/test_inner_splits.py",),
    "eegvit/plan/splits/few_labels.py": ("tests/plan/splits/test_few_labels.py",),
    "eegvit/plan/keys.py": ("tests/plan/test_plan.py", "tests/plan/splits/test_few_labels.py"),
    "eegvit/plan/versions.py": ("tests/plan/test_versions.py", "tests/plan/test_plan.py"),
    "eegvit/source_code.py": ("tests/test_source_code.py",),
    "eegvit/results/metrics.py": ("tests/results/test_metrics.py",),
    "eegvit/results/statistics/chance.py": ("tests/results/statistics/test_chance.py",),
    "eegvit/results/statistics/flips.py": ("tests/results/statistics/test_flips.py",),
    "eegvit/results/statistics/intervals.py": ("tests/results/statistics/test_intervals.py",),
    "eegvit/results/statistics/power.py": ("tests/results/statistics/test_power.py",),
    "eegvit/results/statistics/ranks.py": ("tests/results/statistics/test_ranks.py",),
    "eegvit/results/statistics/together.py": ("tests/results/statistics/test_together.py",),
    "eegvit/results/outcomes.py": ("tests/results/test_results.py",),
    "eegvit/results/leaderboard.py": ("tests/results/test_results.py",),
    "eegvit/results/families.py": (
        "tests/results/test_families.py",
        "tests/results/test_results.py",
    ),
    "eegvit/execute/store.py": ("tests/execute/test_store.py",),
    "eegvit/sealed.py": ("tests/test_sealed.py",),
    "eegvit/preprocess/alignment.py": ("tests/preprocess/test_alignment.py",),
    "eegvit/preprocess/by_group.py": ("tests/preprocess/test_by_group.py",),
    "eegvit/ensemble/weights.py": ("tests/ensemble/test_weights.py",),
    "eegvit/ensemble/calibration.py": ("tests/ensemble/test_calibration.py",),
    "eegvit/ensemble/recentring.py": ("tests/ensemble/test_recentring.py",),
    "eegvit/ensemble/selection.py": ("tests/ensemble/test_selection.py",),
    "eegvit/ensemble/probabilities.py": (
        "tests/ensemble/test_weights.py",
        "tests/ensemble/test_rules.py",
    ),
    "eegvit/features/csp.py": ("tests/features/test_csp.py",),
    "eegvit/features/filterbank.py": ("tests/features/test_filterbank.py",),
    "eegvit/features/sums.py": ("tests/features/test_sums.py",),
}

# Changes that no test can notice: a part of the line, the change ("" is any on it), and why.
LATER = "it comes to the same, only sooner or later"
UNSCALED = "only a scale differs, which is divided out"
NEVER = "differs only where two numbers are equal, and then both sides do the same"
Explained = tuple[str, str, str]
EXPLAINED: dict[str, tuple[Explained, ...]] = {
    "eegvit/plan/splits/split.py": (
        ("n: int = field(", "0 -> (1)", "n is not compared, and always given"),
    ),
    "eegvit/plan/splits/two_sides.py": (
        ("if max(map(sessions.index", " >= ", "a session on both sides is refused before"),
    ),
    "eegvit/preprocess/alignment.py": (
        ("max_steps: int = 50", "", LATER),
        ("if np.linalg.norm(step) <", "<=", NEVER),
        ("if np.linalg.norm(step) <", "tolerance / len", LATER),
        ("mean.trace() <= FLAT", " < FLAT", NEVER),
        ("elif matrix.trace() > FLAT", ">= FLAT", NEVER),
        ("np.linalg.eigh((matrix +", "1 -> ", "symmetric already but for rounding"),
        ("np.linalg.eigh((matrix +", "2 -> (1)", "symmetric already but for rounding"),
        ("tiny / FLOOR", "tiny * FLOOR", "of a flat recording alone, which is flat in either case"),
    ),
    "eegvit/preprocess/by_group.py": (
        ("yield name.item()", "isinstance", "NumPy's names are equal to Python's"),
    ),
    "eegvit/ensemble/weights.py": (
        ("gain.max()", "exp", LATER),
        ("gain.max()", "<=", NEVER),
        ("return weights / weights.sum()", "weights * ", "they sum to one but for rounding"),
    ),
    "eegvit/ensemble/recentring.py": (
        ("if np.abs(found", "<=", NEVER),
        ("if np.abs(found", "found + shares", LATER),
        ("weights = weights / weights.sum()", "", UNSCALED),
    ),
    "eegvit/results/statistics/flips.py": (
        ("signs[0] = 1", "0 -> ", "whichever draw it takes the place of"),
        ("default_rng(0)", "0 -> (1)", "another seed draws alike"),
    ),
    "eegvit/results/statistics/chance.py": (
        ("if len(subjects) == 1", "", "drawn, it comes to the same share of trials"),
    ),
    "eegvit/results/families.py": (
        ("n_seeds) < 2", "2 -> (1)", "one seed has no interval either"),
        ("np.empty((0, 0))", "0 -> ", "so few people and seeds have no interval either"),
        ("n_people = min(", "0 -> ", "without a pair there is no spread"),
    ),
    "eegvit/results/statistics/power.py": (
        ("if n_people < 2", "2 -> ", "so few are refused by the level as well"),
        ("2 * limit + 10", "", "within a bracket that is wider than needed"),
    ),
    "eegvit/results/statistics/ranks.py": (
        ("np.round(", "12 -> ", "it takes away rounding alone"),
    ),
    "eegvit/results/leaderboard.py": (("sign = 1.0 if", "1.0 -> (2.0)", "only its sign counts"),),
    "eegvit/execute/store.py": (
        ("most: int = 20", "", "how many fits an estimate of time asks"),
        ("json.dumps({", "1 -> ", "how far a note is indented"),
    ),
    "eegvit/plan/versions.py": (("get_params(deep=True)", "", "parts are asked for theirs"),),
    "eegvit/plan/keys.py": (("family = {", "('parameters'", "hashed in the order of its names"),),
    "eegvit/features/sums.py": (
        ("raise NotImplementedError", "pass", "subclasses have their own"),
    ),
    "eegvit/ensemble/selection.py": (("while len(chosen)", "<=", NEVER),),
}


def explained(module: str, text: str, change: str) -> str:
    """Return why no test can notice a change, or nothing."""
    for part, which, why in EXPLAINED.get(module, ()):
        if part in text and which in change:
            return why
    return ""
