"""`python -m eegvit.run STUDY`: one study file in, one leaderboard out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from eegvit.command import start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a study; return the exit code."""
    return start("run", sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
