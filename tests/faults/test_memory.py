"""Row F29, memory: what a feed keeps after connections that ended and frames that were bad. The feed is a child."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes.frames import balance, position
from fakes.numbered import NumberedExchange, numbered_exchange
from fakes.waiting import eventually
from faults.test_process import Child, child
from faults.trials import figure

from coindcx_feed.exchange import wire

PAGE_KIB = 4
MOST_KIB = 512.0
"""Per connection: two drops an hour stay below 1 MiB."""
SHORT_MOST_KIB = 8 * MOST_KIB
"""Of the short form, whose few points one arena of the allocator can bend."""


def _rss_kib(feed: Child) -> int:
    return int(Path(f"/proc/{feed.process.pid}/statm").read_text("ascii").split()[1]) * PAGE_KIB


async def _one_life(exchange: NumberedExchange, feed: Child, number: int) -> None:
    joins = len(exchange.server.joins)
    await exchange.server.emit(wire.ORDER_EVENT, '[{"id":"cut"', wire.PRIVATE_CHANNEL)
    await exchange.update("position", position("p-1", updated_at=1_790_000_000_000 + number))
    await exchange.update("balance", balance("w-1", str(number)))
    await exchange.server.kick()
    await eventually(lambda: len(exchange.server.joins) > joins)
    await eventually(partial(_told, feed, number))


def _told(feed: Child, gaps: int) -> bool:
    return len(feed.system("upstream_gap")) >= gaps


@pytest.mark.timeout(900)
async def test_F29_ended_connections_leave_little_memory_behind(tmp_path: Path, is_long: bool) -> None:
    """The slope over the second half of many short connections, each with a bad frame and a comparison."""
    lives = 100 if is_long else 5
    sizes: list[int] = []
    async with numbered_exchange() as exchange, child(exchange, tmp_path, 10.0, ring_capacity=1_000) as feed:
        for number in range(1, lives + 1):
            await _one_life(exchange, feed, number)
            sizes.append(_rss_kib(feed))
    half = sizes[len(sizes) // 2 :]
    slope = float(np.polyfit(range(len(half)), half, 1)[0])
    figure("F29", lives=lives, rss_first_kib=sizes[0], rss_last_kib=sizes[-1], kib_per_connection=slope)
    assert slope <= (MOST_KIB if is_long else SHORT_MOST_KIB)
