"""The joint search for size and speed: one network for all shapes, and the steps to a small one."""

from eegvit.compress.search.joint import Found, search_shape

__all__ = ["Found", "search_shape"]
