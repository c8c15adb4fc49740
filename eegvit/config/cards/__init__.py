"""Data sets: what a card may say, and how a study file names or describes one."""
