"""The clock of a replay: the past runs by at a rate, stands still, or jumps; and how well the pace is kept."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

KEPT: Final = 10_000
"""Events whose lateness is remembered."""


class ReplayClock:
    """Maps the monotonic clock to times of the past. Threads: one.

    Args:
        rate: Seconds of the past per second; 0 stands still, infinity is always there already.
        monotonic: Seconds of this machine's clock.
    """

    def __init__(self, rate: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._monotonic = monotonic
        self._anchor_s = monotonic()
        self._anchor_ns = 0

    def now_ns(self) -> int:
        """Return the time of the past that is now; at an infinite rate the last jump's."""
        if self.rate == math.inf:
            return self._anchor_ns
        return self._anchor_ns + int((self._monotonic() - self._anchor_s) * self.rate * 1e9)

    def jump(self, at_ns: int) -> None:
        """Let it be a time of the past now."""
        self._anchor_s, self._anchor_ns = self._monotonic(), at_ns

    def set_rate(self, rate: float) -> None:
        """Go on from now at another rate."""
        self.jump(self.now_ns())
        self.rate = rate

    def until_s(self, at_ns: int) -> float:
        """Return how long it is until a time of the past, in seconds of this machine; negative when it has passed."""
        if self.rate == math.inf:
            return 0.0
        if self.rate == 0:
            return math.inf
        return self._due_s(at_ns) - self._monotonic()

    def late_s(self, at_ns: int) -> float:
        """Return how long ago a time of the past was, 0 when it is still to come."""
        return max(0.0, -self.until_s(at_ns))

    def error_percent(self, at_ns: int) -> float | None:
        """Return by how much the time since the last jump differs from the ideal one; ``None`` right after it."""
        ideal_s = self._due_s(at_ns) - self._anchor_s
        real_s = self._monotonic() - self._anchor_s
        return abs(real_s - ideal_s) / ideal_s * 100 if ideal_s > 0 else None

    def _due_s(self, at_ns: int) -> float:
        return self._anchor_s + (at_ns - self._anchor_ns) / 1e9 / self.rate


class Pace:
    """How late events were shown against the ideal time. Threads: the loop adds, any may read."""

    def __init__(self, clock: ReplayClock) -> None:
        self._clock = clock
        self._late_ms: deque[float] = deque(maxlen=KEPT)
        self._error_percent: float | None = None

    def add(self, at_ns: int) -> None:
        """Note that an event of a time of the past is shown now; without a finite rate there is no ideal."""
        if 0 < self._clock.rate < math.inf:
            self._late_ms.append(self._clock.late_s(at_ns) * 1000)
            self._error_percent = self._clock.error_percent(at_ns)

    def clear(self) -> None:
        """Forget what was: the pace changes."""
        self._late_ms.clear()
        self._error_percent = None

    def figures(self) -> dict[str, float | None] | None:
        """Return p50, p99 and maximum of the lateness, ms, and the error of the whole; ``None`` without an event."""
        late = list(self._late_ms)
        if not late:
            return None
        p50, p99, most = np.percentile(late, (50, 99, 100)).tolist()
        return {"late_p50_ms": p50, "late_p99_ms": p99, "late_max_ms": most, "error_percent": self._error_percent}
