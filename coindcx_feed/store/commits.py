"""How long commits took: the newest thousand."""

from collections import deque
from typing import Final

KEPT: Final = 1_000


class Commits:
    """Durations of the newest commits. Threads: one adds, any read."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=KEPT)

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def figures(self) -> dict[str, float | None]:
        """Return the median and the 99th percentile, ms; ``None`` before the first commit."""
        ordered = sorted(self._seconds.copy())
        if not ordered:
            return {"commit_ms_p50": None, "commit_ms_p99": None}
        middle, late = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
        return {"commit_ms_p50": round(middle * 1000, 3), "commit_ms_p99": round(late * 1000, 3)}
