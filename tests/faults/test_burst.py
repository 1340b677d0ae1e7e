"""Row F12: steady load near the limit, then everything at once, then silence: nothing is lost, doubled or unstored."""

import asyncio
import sqlite3
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.frames import order
from fakes.numbered import NumberedExchange, numbered_exchange
from fakes.waiting import eventually
from faults.outages import log_of, plain
from faults.test_process import Child, checked, child
from faults.trials import figure, percentile

SHARE = 0.8
ORDERS = 500
PAUSE_S = 0.01
GO_ON_S = 120.0
"""A long burst takes a while on a slow machine; nothing may be lost in it."""


class Load:
    """Numbered updates of many orders, one record per frame."""

    def __init__(self, exchange: NumberedExchange, feed: Child) -> None:
        self._exchange, self._feed = exchange, feed
        self.sent = 0

    async def send(self, count: int) -> None:
        """Send so many frames at once."""
        for _ in range(count):
            self.sent += 1
            await self._exchange.update("order", _update(self.sent))

    async def steadily(self, per_s: float, seconds: float) -> None:
        """Send at a rate, however late a turn comes."""
        began_s, before, count = time.monotonic(), self.sent, int(per_s * seconds)
        while (done := self.sent - before) < count:
            await self.send(min(count, int((time.monotonic() - began_s) * per_s)) - done)
            await asyncio.sleep(PAUSE_S)

    async def arrived(self) -> None:
        """Wait until a client has every one of them."""
        await eventually(lambda: len(self._feed.received) >= self.sent and self._newest >= self.sent, GO_ON_S)

    @property
    def _newest(self) -> int:
        tail = self._feed.received[-10:]
        return max((int(message["data"].get("x_number", 0)) for message in tail), default=0)


def _update(number: int) -> dict[str, Any]:
    return order(f"o-{number % ORDERS}", status="partially_filled", updated_at=1_790_000_000_000 + number)


def _delays_ms(feed: Child, first: int) -> list[float]:
    stamps = [datetime.fromisoformat(message["timestamp"]).timestamp() for message in feed.received[first:]]
    return [(at_ns / 1e9 - stamp) * 1000 for at_ns, stamp in zip(feed.arrived_ns[first:], stamps, strict=True)]


@pytest.mark.timeout(600)
async def test_F12_load_near_the_limit_and_a_burst_are_stored_and_seen(tmp_path: Path, is_long: bool) -> None:
    """80 % of the rate measured here for a minute, 50,000 frames at once, then quiet; the log has what clients saw."""
    sample, seconds, burst = (10_000, 60.0, 50_000) if is_long else (1_000, 2.0, 2_000)
    async with numbered_exchange() as exchange, child(exchange, tmp_path, 10.0) as feed:
        load = Load(exchange, feed)
        began_s = time.monotonic()
        await load.send(sample)
        await load.arrived()
        rate = sample / (time.monotonic() - began_s)
        first = len(feed.received)
        await load.steadily(SHARE * rate, seconds)
        await load.arrived()
        steady_ms = _delays_ms(feed, first)
        began_s = time.monotonic()
        await load.send(burst)
        await load.arrived()
        burst_s = time.monotonic() - began_s
    verdict = checked(exchange, feed)
    delays = {"p50_ms": percentile(steady_ms, 0.5), "p99_ms": percentile(steady_ms, 0.99)}
    figure("F12", per_s=rate, steady_s=seconds, **delays, burst=burst, burst_s=burst_s, checker=verdict)
    assert verdict.findings == {}
    assert [raw for raw in feed.raws if plain(raw) != raw] == []
    with closing(sqlite3.connect(log_of(tmp_path))) as log:
        stored = [bytes(body) for (body,) in log.execute("SELECT body FROM events ORDER BY seq")]
    assert stored[: len(feed.raws)] == feed.raws
