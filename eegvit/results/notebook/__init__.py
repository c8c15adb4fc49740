"""Results for a notebook: pandas frames and matplotlib figures."""
