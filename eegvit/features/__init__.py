"""Covariances, spatial filters and their selection: numpy in, numpy out."""
