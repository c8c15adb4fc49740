"""The stages of four families: cascaded, linear, former, multi-scale windows."""
