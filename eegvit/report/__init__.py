"""The report of a study: tables, figures, one self-contained page."""

from eegvit.report.text.terminal import terminal
from eegvit.report.writing import write

__all__ = ["terminal", "write"]
