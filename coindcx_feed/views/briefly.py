"""Answers that stay good for a moment."""

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

KEPT_S: Final = 0.4


class Briefly(Generic[T]):
    """Works a figure out at most every ``KEPT_S``: a dozen parts of each open page ask for it, twice a second each.

    Threads: any; two that ask at once may both work it out.
    """

    def __init__(self, make: Callable[[], T], now_s: Callable[[], float] = time.monotonic) -> None:
        self._make, self._now_s = make, now_s
        self._kept: tuple[float, T] | None = None

    def __call__(self) -> T:
        kept, now_s = self._kept, self._now_s()
        if kept is None or now_s - kept[0] >= KEPT_S:
            kept = self._kept = (now_s, self._make())
        return kept[1]
