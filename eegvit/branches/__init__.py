"""Scikit-learn estimators that classify EEG trials."""
