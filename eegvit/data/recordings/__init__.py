"""Recordings in files: continuous ones with marks, trials that were cut, BIDS folders."""
