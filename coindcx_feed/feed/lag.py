"""How late the feed's loop runs: what a page, an export or a garbage collection costs the path of events."""

import asyncio
import time
from collections import deque
from typing import Final

import numpy as np

EVERY_S: Final = 0.02
KEPT: Final = 3_000
"""One minute of samples."""


class LoopLag:
    """Sleeps in small steps and notes how much later than asked it wakes. Threads: loop writes, any reads."""

    def __init__(self) -> None:
        self._late_ms: deque[float] = deque(maxlen=KEPT)

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            due = time.monotonic() + EVERY_S
            await asyncio.sleep(EVERY_S)
            self._late_ms.append((time.monotonic() - due) * 1000)

    def figures(self) -> dict[str, float] | None:
        """Return p50, p99 and maximum of the last minute, ms; ``None`` before the first sample."""
        samples = list(self._late_ms)
        if not samples:
            return None
        p50, p99, most = np.percentile(samples, (50, 99, 100)).tolist()
        return {"p50_ms": p50, "p99_ms": p99, "max_ms": most, "count": len(samples)}

    def reset(self) -> None:
        """Forget the samples: a measurement begins."""
        self._late_ms.clear()
