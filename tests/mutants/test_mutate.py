"""Mutants are what they say, and those that are explained exist."""

from __future__ import annotations

import ast
from pathlib import Path

from mutants.matching import EXPLAINED, MATCHING
from mutants.mutate import mutants

SOURCE = '''
def share(counts: list[int], least: int = 1) -> bool:
    """Say whether 1 < 2."""
    if not counts:
        raise ValueError(f"no counts, {least + 1} needed")
    return counts[0] / sum(counts[:least]) >= 0.5 or "é" in counts
'''

CHANGES = {
    "1 -> (2)",
    "1 -> (0)",
    "not counts -> (counts)",
    'raise ValueError(f"no counts, {least + 1} needed") -> pass',
    'counts[0] / sum(counts[:least]) >= 0.5 or "é" in counts -> True',
    'counts[0] / sum(counts[:least]) >= 0.5 or "é" in counts -> False',
    "counts[0] / sum(counts[:least]) >= 0.5 or \"é\" in counts"
    " -> (counts[0] / sum(counts[:least]) >= 0.5 and 'é' in counts)",
    "counts[0] / sum(counts[:least]) >= 0.5 -> (counts[0] / sum(counts[:least]) > 0.5)",
    "counts[0] / sum(counts[:least]) >= 0.5 -> (counts[0] / sum(counts[:least]) < 0.5)",
    "counts[0] / sum(counts[:least]) -> (counts[0] * sum(counts[:least]))",
    "0 -> (1)",
    "least -> (least + 1)",
    "0.5 -> (1.5)",
    "\"é\" in counts -> ('é' not in counts)",
}  # fmt: skip


def test_mutants_are_small_changes_to_what_is_computed() -> None:
    found = mutants(SOURCE)
    assert {one.change for one in found} == CHANGES
    for one in found:
        changed = one.applied(SOURCE)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(SOURCE))
        assert [a == b for a, b in zip(changed.splitlines(), SOURCE.splitlines(), strict=True)
                ].count(False) == 1  # fmt: skip


def test_every_mutant_can_be_parsed_and_what_is_explained_is_one(root: Path) -> None:
    for module, tests in MATCHING.items():
        source = (root / module).read_text(encoding="utf-8")
        found = mutants(source)
        for one in found:
            ast.parse(one.applied(source))
        for part, which, _ in EXPLAINED.get(module, ()):
            assert any(part in one.text and which in one.change for one in found), (module, part)
        assert all((root / file).is_file() for file in tests)
    assert EXPLAINED.keys() <= MATCHING.keys()
