"""Simulated people: a head, rhythms and noise, recordings, and a data set's own layout."""
