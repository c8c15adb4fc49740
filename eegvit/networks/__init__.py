"""Torch modules: trials (n, channels, times) in, logits (n, classes) out."""

from __future__ import annotations
