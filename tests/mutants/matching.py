"""What decides numbers, which tests are to notice a change of it, and which changes none can."""

from __future__ import annotations

PROTOCOLS = ("tests/plan/test_protocols.py",)

# a module, and the tests that match it; its own examples are run before them
MATCHING: dict[str, tuple[str, ...]] = {
    "eegvit/plan/protocols.py": PROTOCOLS,
    "eegvit/plan/split.py": (*PROTOCOLS, "tests/plan/test_few_labels.py"),
    "eegvit/plan/two_sides.py": PROTOCOLS,
    "eegvit/plan/target.py": (*PROTOCOLS, "tests/plan/test_few_labels.py"),
    "eegvit/plan/inner_splits.py": ("tests/plan/test_inner_splits.py",),
    "eegvit/plan/few_labels.py": ("tests/plan/test_few_labels.py",),
    "eegvit/plan/keys.py": ("tests/plan/test_plan.py", "tests/plan/test_few_labels.py"),
    "eegvit/plan/versions.py": ("tests/plan/test_versions.py", "tests/plan/test_plan.py"),
    "eegvit/source_code.py": ("tests/test_source_code.py",),
    "eegvit/results/metrics.py": ("tests/results/test_metrics.py",),
    "eegvit/results/statistics.py": ("tests/results/test_statistics.py",),
    "eegvit/results/outcomes.py": ("tests/results/test_results.py",),
    "eegvit/results/leaderboard.py": ("tests/results/test_results.py",),
    "eegvit/results/comparisons.py": ("tests/results/test_results.py",),
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

# changes that no test can notice: module, function, change, and why
EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("eegvit/plan/split.py", "Labels", "0 -> (1)"): "n is not compared, and always given",
    (
        "eegvit/plan/two_sides.py",
        "refuse_later_training",
        "max(map(sessions.index, train)) > min(map(sessions.index, test))"
        " -> (max(map(sessions.index, train)) >= min(map(sessions.index, test)))",
    ): "a session on both sides is refused before",
}
