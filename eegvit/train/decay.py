"""Which parameters of a network weight decay pulls towards zero."""

from __future__ import annotations

# words in the name of a parameter that says what is added or where something is, not what is mixed
ADDED = frozenset(
    {"bias", "pos", "position", "positions", "positional", "place", "places", "token", "tokens"}
)


def decays(name: str, n_dimensions: int) -> bool:
    """Tell whether a parameter decays: weights do, and biases, norms and positions do not.

    Parameters
    ----------
    name : str
        As `named_parameters` gives it.
    n_dimensions : int
        A bias or a position may have several; a number for each plane, as norms have, is none
        that mixes.

    Examples
    --------
    >>> decays("head.weight", 2), decays("norm.weight", 1), decays("pos_embed", 3)
    (True, False, False)
    """
    words = name.rpartition(".")[2].split("_")
    return n_dimensions > 1 and ADDED.isdisjoint(words)
