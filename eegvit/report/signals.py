"""What the section of signals is given."""

from __future__ import annotations

from eegvit.report.figures.signals import signals_plot
from eegvit.report.tables.information import information_table
from eegvit.report.tables.spelling import spelling_said, spelling_table
from eegvit.results.responses.signals import Signals
from eegvit.results.results import Results


def signals_values(results: Results) -> dict[str, object]:
    """Return figure and tables of the section; none where there is nothing to show."""
    signals = results.signals
    plot = signals_plot(signals) if signals and len(signals.axis) > 1 else None
    information, spelling = information_table(results), spelling_table(results)
    if plot is None and information is None and spelling is None:
        return {}
    return {
        "plot": plot,
        "said": signals_said(signals) if signals else "",
        "information": information,
        "n_classes": len(results.classes),
        "spelling": spelling,
        "board": spelling_said(results) if spelling else "",
    }


def signals_said(signals: Signals) -> str:
    """Return what is drawn, in sentences.

    Examples
    --------
    >>> import numpy as np
    >>> signals_said(Signals("p300", ("Cz",), "µV", np.arange(3.0), ())).partition(":")[0]
    'The average of each class at Cz, in µV'
    """
    unit = signals.unit or "the units of the recordings, which are not those of EEG"
    if signals.paradigm == "ssvep":
        where = ", ".join(signals.electrodes)
        what = f"The amplitude spectrum of each class, mean over {where}, in {unit}"
        marks = " Dashed: the frequencies that classes are named after, and twice these."
    else:
        what = f"The average of each class at {signals.electrodes[0]}, in {unit}"
        marks = " 0 is the stimulus."
    several = any(curve.n_people > 1 for curve in signals.curves)
    band = " and its 95 % interval over people (Student's t)" if several else ""
    return (
        f"{what}: of each person over the trials that are tested, then the mean over people{band}."
        " Filtered and cut as the models get them, but before alignment, which mixes electrodes."
        f"{marks} Nothing was chosen by this figure."
    )
