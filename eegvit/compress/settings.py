"""How to prune."""

from __future__ import annotations

from typing import Literal, get_args

Of = Literal["macs", "parameters", "latency"]
By = Literal["taylor", "magnitude", "random"]
SETTINGS = ("to", "of", "by", "rounds", "tuning")  # parameters that say how to prune


def mistakes(to: float, of: str, by: str, rounds: int, tuning: float) -> list[tuple[str, str]]:
    """Return (parameter, sentence) for what is wrong with the settings of pruning.

    Examples
    --------
    >>> mistakes(2.0, "macs", "taylor", 4, 1.0)
    [('to', 'to=2.0: it is a share of what the network costs, above 0 and up to 1')]
    """
    wrong = []
    if not 0 < to <= 1:
        text = f"to={to!r}: it is a share of what the network costs, above 0 and up to 1"
        wrong.append(("to", text))
    for name, value, known in (("of", of, get_args(Of)), ("by", by, get_args(By))):
        if value not in known:
            wrong.append((name, f"{name}={value!r}: it is one of {', '.join(known)}"))
    if rounds < 1:
        wrong.append(("rounds", f"rounds={rounds!r}: it must be 1 or more"))
    if not tuning >= 0:
        wrong.append(("tuning", f"tuning={tuning!r}: it must be 0 or more"))
    return wrong
