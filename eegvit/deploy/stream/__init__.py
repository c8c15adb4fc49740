"""Decoding while a recording is made: chunks of samples in, decisions out."""

from eegvit.deploy.stream.decisions import Account, Decision
from eegvit.deploy.stream.stream import Stream

__all__ = ["Account", "Decision", "Stream"]
