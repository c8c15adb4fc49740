"""Training of networks: one, or many at once."""

from eegvit.train.lesson import Lesson
from eegvit.train.loop import train
from eegvit.train.progress import progress_line
from eegvit.train.recipe import Recipe, Record, of_steps, schedule
from eegvit.train.together import train_together

__all__ = [
    "Lesson",
    "Recipe",
    "Record",
    "of_steps",
    "progress_line",
    "schedule",
    "train",
    "train_together",
]
