"""`python -m eegvit.compress search`, the same as `eegvit search`."""

from __future__ import annotations

import sys

from eegvit.command import start

if __name__ == "__main__":
    if sys.argv[1:2] != ["search"]:
        sys.exit("usage: python -m eegvit.compress search STUDY ...")
    sys.exit(start("search", sys.argv[2:]))
