"""Wait for a condition with a deadline instead of sleeping for a guess."""

import asyncio
import threading
import time
from collections.abc import Callable

DEADLINE_S = 15.0


async def eventually(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return when the condition is true; fail after the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.01)


def eventually_sync(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """As ``eventually``, for tests without a loop."""
    end = time.monotonic() + deadline_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        pause.wait(0.02)
