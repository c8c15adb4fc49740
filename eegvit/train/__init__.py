"""Training of networks: one, or many at once."""

from eegvit.train.loop import train
from eegvit.train.recipe import Recipe, Record, schedule
from eegvit.train.together import train_together

__all__ = ["Recipe", "Record", "schedule", "train", "train_together"]
