"""What was said while recordings were read and models fitted: warnings, and trials left out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from eegvit.plan.plan import Plan
from eegvit.results.results import Reading
from eegvit.views.view import DataView

FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^/\s:]+/)+(?=[^/\s:])")  # but those of addresses


def readings(view: DataView) -> tuple[Reading, ...]:
    """Return how many trials of each recording were read and left out, where that is known."""
    found = []
    for block in view.blocks:
        account = block.trials.account
        if account is None:
            continue
        why = ", ".join(f"{n} {reason}" for reason, n in account.left_out.items())
        left_out = sum(account.left_out.values())
        place = (block.data, block.subject, block.session)
        found.append(Reading(*place, account.read, left_out, why))
    return tuple(found)


def warnings_of(plan: Plan, warned: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return what was warned of, each once: of the data, of recordings, of the fits of a model.

    Files are named without the folders that they lie in, which are of one machine.

    Parameters
    ----------
    plan : Plan
    warned : mapping
        What was warned of while each fit was carried out, by its key.
    """
    said: dict[str, None] = dict.fromkeys(plan.remarks)
    views = {id(fit.view): fit.view for fit in plan.fits.values()}.values()
    for view in views:
        said |= dict.fromkeys(view.remarks)
        accounts = (block.trials.account for block in view.blocks)
        said |= dict.fromkeys(note for account in accounts if account for note in account.notes)
    fits: dict[tuple[str, str], set[str]] = defaultdict(set)
    for request in plan.requests:
        for warning in warned.get(request.key, ()):
            fits[request.model, warning].add(request.key)
    for (model, warning), keys in fits.items():
        n_fits = f"{len(keys)} fits" if len(keys) > 1 else "1 fit"
        said[f"{model} ({n_fits}): {warning}"] = None
    return tuple(dict.fromkeys(without_folders(one) for one in said))


def without_folders(text: str) -> str:
    """Return a text with absolute paths cut to the names of the files.

    Examples
    --------
    >>> without_folders(
    ...     "/home/ann/eeg/sub-02_epo.fif: too short, see https://mne.tools/stable/a.html"
    ... )
    'sub-02_epo.fif: too short, see https://mne.tools/stable/a.html'
    """
    return FOLDERS.sub("", text)
