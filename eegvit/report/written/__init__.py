"""Reports that were written: read again, checked, compared, taken together."""
