"""List, clear or limit what was kept of recordings; fits are kept in any case."""

from __future__ import annotations

import argparse

from eegvit.command.options import add_cache


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("what", nargs="?", choices=("list", "clear", "limit"), default="list")
    parser.add_argument("gigabytes", nargs="?", type=float, help="with limit: how large it may be")
    add_cache(parser)


def carry_out(options: argparse.Namespace) -> int:
    """List the cache, clear or limit it."""
    from eegvit.data.cache import Cache, listing

    cache = Cache(options.cache)
    if options.what == "list":
        print(listing(cache))
    elif options.what == "clear":
        print(f"{cache.clear() / 1e9:.2f} GB freed in {cache.root}; fits are kept")
    elif options.gigabytes is None:
        print(f"the limit is {cache.limit_gb:g} GB; `eegvit cache limit GIGABYTES` sets it")
    else:
        deleted = cache.limit(options.gigabytes)
        print(f"the limit is {cache.limit_gb:g} GB; {deleted} entries deleted")
    return 0
