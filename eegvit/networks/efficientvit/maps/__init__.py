"""Ways to lay a trial on a map: electrodes x time, log-power, one row."""
