"""How long to wait before the next connection."""

import random
from collections.abc import Callable
from typing import Final

JITTER: Final = 0.5
"""Each delay is shortened by up to this share, so that many clients do not come back together."""


class Backoff:
    """Doubling delays with jitter.

    Args:
        first_s: Longest first delay.
        most_s: Longest delay at all.
        uniform: Source of randomness in [0, 1).
    """

    def __init__(self, first_s: float, most_s: float, uniform: Callable[[], float] = random.random) -> None:
        self._first_s, self._most_s, self._uniform = first_s, most_s, uniform
        self._next_s = first_s

    def next(self) -> float:
        """Return the next delay, seconds, and lengthen the one after it."""
        delay = self._next_s
        self._next_s = min(delay * 2, self._most_s)
        return delay * (1 - JITTER * self._uniform())

    def reset(self) -> None:
        self._next_s = self._first_s
