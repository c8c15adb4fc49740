"""Ways to lay a trial on a map: places on the scalp x time, or one row."""
