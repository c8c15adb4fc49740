"""What a study asks for: splits, fits and their keys, each fit once. Nothing is computed here."""
