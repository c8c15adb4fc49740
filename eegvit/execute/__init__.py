"""The fits that the store lacks: one fit, several at once, worker processes, the store."""
