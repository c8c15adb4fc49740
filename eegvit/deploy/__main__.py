"""`python -m eegvit.deploy`, the same as `eegvit deploy`."""

from __future__ import annotations

import sys

from eegvit.command import start

if __name__ == "__main__":
    sys.exit(start("deploy", sys.argv[1:] or ["--help"]))
