"""From cards, or trials in memory, to data views: reading, alignment, hashes, duplicates."""
