"""Answers that stay good for a moment."""

import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

KEPT_S: Final = 0.4
LONG_S: Final = 1.8
"""For what sums up minutes, and is drawn every two seconds at most."""


class Briefly(Generic[T]):
    """Works a figure out at most every ``kept_s``: a dozen parts of each open page ask for it, twice a second each.

    Threads: any; two that ask at once may both work it out.
    """

    def __init__(
        self, make: Callable[[], T], now_s: Callable[[], float] = time.monotonic, *, kept_s: float = KEPT_S
    ) -> None:
        self._make, self._now_s, self._kept_s = make, now_s, kept_s
        self._kept: tuple[float, T] | None = None

    def __call__(self) -> T:
        kept, now_s = self._kept, self._now_s()
        if kept is None or now_s - kept[0] >= self._kept_s:
            kept = self._kept = (now_s, self._make())
        return kept[1]
