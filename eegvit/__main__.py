"""`python -m eegvit`, the same as `eegvit`."""

from __future__ import annotations

import sys

from eegvit.command import main

if __name__ == "__main__":
    sys.exit(main())
