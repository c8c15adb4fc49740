"""A line of progress while a network is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from eegvit.train.recipe import Record

OnEpoch = Callable[[int, Record], None]


@contextmanager
def progress_line(n_epochs: int, what: str, shown: bool) -> Iterator[OnEpoch | None]:
    """Give what `train` is to call after each epoch, to show how far it is: None shows nothing.

    Examples
    --------
    >>> with progress_line(40, "EEGNet", shown=False) as on_epoch:
    ...     print(on_epoch)
    None
    """
    if not shown:
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=n_epochs, desc=what, unit="epoch") as line:

        def show(epoch: int, record: Record) -> None:
            losses = {
                name.removesuffix("_loss"): f"{value:.3f}"
                for name, value in record.items()
                if name.endswith("_loss")
            }
            line.set_postfix(losses, refresh=False)
            line.update(epoch - line.n)

        yield show
