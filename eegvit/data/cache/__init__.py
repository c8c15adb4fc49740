"""The cache: what was computed of recordings, kept on disk and checked before it is believed."""

from eegvit.data.cache.cache import LIMIT_GB, Cache
from eegvit.data.cache.listing import listing

__all__ = ["LIMIT_GB", "Cache", "listing"]
