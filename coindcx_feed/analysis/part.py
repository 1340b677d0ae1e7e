"""Some consecutive events as columns, wherever they are kept: enough to say what happened without reading a body."""

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]


class Part(NamedTuple):
    """One entry per event, oldest first.

    ``kinds`` are places in ``tuple(EventType)``; ``keys`` are numbers that equal ids of one type share; ``has_price``
    marks events with a price, which of a position means that it is held; ``counts`` leaves out late updates, which
    changed nothing, where that is known; ``codes`` finds the ``statuses`` of some words, lower case.
    """

    seqs: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    keys: npt.NDArray[Any]
    has_price: Mask
    counts: Mask
    statuses: npt.NDArray[np.uint16]
    codes: Callable[[Collection[str]], list[int]]

    def says(self, words: Collection[str]) -> Mask:
        """Mark the events whose status is one of some words."""
        return np.isin(self.statuses, self.codes(words))
