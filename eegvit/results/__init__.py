"""Stored predictions become outcomes, ensembles, scores, statistics and the leaderboard."""
