"""Classify EEG trials, and say honestly how well that works across people."""

__version__ = "0.1.0"
