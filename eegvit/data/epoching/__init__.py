"""Continuous signals to trials: windows, filter, resampling, and what is left out."""
