"""What there is in a cache, in columns."""

from __future__ import annotations

import time
from typing import Any

from eegvit.data.cache.cache import Cache

ROW = "{:<12}  {:>10}  {:<16}  {}"


def listing(cache: Cache) -> str:
    """Return the entries of a cache as a table, last used first, and their size in all.

    Examples
    --------
    >>> import tempfile
    >>> print(listing(Cache(tempfile.mkdtemp())))
    key                   MB  last used         what
    0 entries, 0.00 of 50 GB in ...
    """
    entries = cache.entries()
    lines = [ROW.format("key", "MB", "last used", "what")]
    for entry in entries:
        used = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["used"]))
        size = f"{entry['bytes'] / 1e6:,.1f}"
        lines.append(ROW.format(entry["key"][:12], size, used, title(entry["recipe"])))
    total = sum(entry["bytes"] for entry in entries) / 1e9
    lines.append(f"{len(entries)} entries, {total:.2f} of {cache.limit_gb:g} GB in {cache.root}")
    return "\n".join(lines)


def title(recipe: dict[str, Any]) -> str:
    """Return what an entry is, in a line.

    Examples
    --------
    >>> title({"card": {"name": "2b", "band": [4, 40]}, "subject": "1"})
    'trials of 2b, subject 1'
    >>> title({"digests": {"trials": {"card": {"name": "2b"}, "subject": "1"}}})
    'hashes of trials of 2b, subject 1'
    >>> title({"block": "0b1c9e55aa", "steps": [["eegvit.features.csp.BandCovariances", "7f"]]})
    'BandCovariances of block 0b1c9e55'
    >>> title({})
    'damaged or of another version'
    """
    match recipe:
        case {"card": {"name": name}, "subject": subject}:
            return f"trials of {name}, subject {subject}"
        case {"digests": {"trials": trials}}:
            return f"hashes of {title(trials)}"
        case {"trials": trials, "align": {"method": method}}:
            return f"{method} alignment of {title(trials)}"
        case {"block": str(block), "steps": [*steps]}:
            names = [str(step[0]).rpartition(".")[2] for step in steps]
            return f"{', '.join(names)} of block {block[:8]}"
        case {"arrays": _, "subject": subject}:
            return f"arrays in memory, subject {subject}"
        case {"what": what, **more}:
            return f"{what} {more.get('model', '')}".rstrip()
    return "damaged or of another version" if not recipe else ", ".join(recipe)
