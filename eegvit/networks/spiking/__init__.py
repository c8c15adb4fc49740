"""Spiking layers. Signals inside are time-major: (times, n, features)."""
