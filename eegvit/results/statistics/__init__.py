"""Chance, intervals and tests over people, ranks, and several studies taken together."""
