"""Show or clear what was kept of recordings; fits are kept in any case."""

from __future__ import annotations

import argparse

from eegvit.command.options import add_cache


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("what", nargs="?", choices=("list", "clear"), default="list")
    add_cache(parser)


def carry_out(options: argparse.Namespace) -> int:
    """Show the cache or clear it."""
    from eegvit.data.cache import Cache, listing

    cache = Cache(options.cache)
    if options.what == "list":
        print(listing(cache))
    else:
        print(f"{cache.clear() / 1e9:.2f} GB freed in {cache.root}; fits are kept")
    return 0
