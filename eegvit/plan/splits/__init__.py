"""Which trials train, which are tested, and which labels are given."""
