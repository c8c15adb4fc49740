"""Four families of efficient vision transformers, on electrodes x time."""
