"""A study's model as a file, and what it says of recordings."""
