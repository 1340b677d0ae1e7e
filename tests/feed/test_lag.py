"""Lateness of the loop."""

import asyncio
import time

from fakes.waiting import eventually

from coindcx_feed.feed.lag import LoopLag


async def test_blocked_loop_is_seen_in_the_maximum() -> None:
    """A loop that was held for 120 ms reports at least about 100 ms."""
    lag = LoopLag()
    assert lag.figures() is None
    watching = asyncio.create_task(lag.watch())
    await eventually(lambda: lag.figures())
    end = time.monotonic() + 0.12
    while time.monotonic() < end:
        pass
    before = (lag.figures() or {})["count"]
    await eventually(lambda: (lag.figures() or {})["count"] > before)
    figures = lag.figures() or {}
    watching.cancel()
    assert figures["max_ms"] >= 90
    lag.reset()
    assert lag.figures() is None
