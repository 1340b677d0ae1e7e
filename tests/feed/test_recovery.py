"""Comparison with the exchange's lists: how far back, how long, how often, and what becomes of each gap."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fakes.frames import ORDER, order
from fakes.pipelines import envelopes, feed, new_pipeline, row
from fakes.reads import FakeReads
from fakes.waiting import eventually

from coindcx_feed.errors import CredentialsRefused, RestError
from coindcx_feed.feed.recovery import Outcome, Recovery
from coindcx_feed.feed.watch import Gap

DAY_MS = 86_400_000


class Scene:
    """A pipeline, reads, and what the recovery told."""

    def __init__(self) -> None:
        self.pipeline, self.reads = new_pipeline(), FakeReads()
        self.told: list[tuple[Outcome, Gap | None]] = []
        self.recovery = Recovery(self.pipeline, self.reads, lambda outcome, gap: self.told.append((outcome, gap)))

    def statuses(self, order_id: str = "o-1") -> list[tuple[str, str]]:
        found = [event for event in envelopes(self.pipeline) if event["data"].get("id") == order_id]
        return [(event["data"]["status"], event["source"]) for event in found]


@asynccontextmanager
async def _scene() -> AsyncIterator[Scene]:
    scene = Scene()
    tasks = [asyncio.create_task(scene.pipeline.run()), asyncio.create_task(scene.recovery.run())]
    yield scene
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _gap(ago_s: float, lasted_s: float) -> Gap:
    start_ns = time.time_ns() - int(ago_s * 1e9)
    return Gap(start_ns, start_ns + int(lasted_s * 1e9), "the connection broke")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _ended(at_ms: int, order_id: str = "o-1") -> dict[str, Any]:
    return order(order_id, status="filled", remaining_quantity=0, created_at=at_ms, updated_at=at_ms)


async def test_F28_orders_of_a_gap_of_days_are_read_back_to_its_beginning() -> None:
    """Three days away: an order that ended two days ago is still listed, and recovered."""
    async with _scene() as scene:
        scene.recovery.compare()
        await eventually(lambda: scene.told)
        await feed(scene.pipeline, [row(ORDER, order(updated_at=_now_ms() - 3 * DAY_MS))])
        scene.reads.lists["orders"] = [_ended(_now_ms() - 2 * DAY_MS)]
        gap = _gap(3 * 86_400, 3 * 86_400)
        scene.recovery.compare(gap)
        await eventually(lambda: len(scene.told) == 2)
    assert scene.reads.since_ms("orders")[-1] <= gap.start_ns // 1_000_000
    assert scene.statuses() == [("open", "stream"), ("filled", "rest")]
    assert scene.told[1][0].recovered == 1


async def test_first_look_goes_back_one_day() -> None:
    """Nobody asked for the history of years at the first start."""
    async with _scene() as scene:
        scene.recovery.compare()
        await eventually(lambda: scene.told)
    (since_ms,) = scene.reads.since_ms("orders")
    assert abs(since_ms - (_now_ms() - DAY_MS)) < 60_000


async def test_F28_reading_that_takes_long_lets_frames_go_on_and_still_recovers() -> None:
    """Many pages: frames are held for a while only, an older row changes nothing, a missed order becomes an event."""
    async with _scene() as scene:
        scene.recovery.hold_s, scene.reads.delay_s = 0.05, 0.5
        at_ms = _now_ms()
        scene.reads.lists["orders"] = [order(updated_at=at_ms), _ended(at_ms, "o-2")]
        scene.recovery.compare(_gap(60, 50))
        await eventually(lambda: scene.reads.count("wallets") == 1)
        scene.pipeline.receive(ORDER, row(ORDER, _ended(at_ms + 5)))
        await eventually(lambda: scene.statuses())
        assert scene.told == []
        await eventually(lambda: scene.told)
    assert scene.statuses() == [("filled", "stream")]
    assert scene.statuses("o-2") == [("filled", "rest")]


async def test_F28_failed_comparison_is_tried_again_and_its_gap_resolved() -> None:
    """503 at the join: the gap says so at once, and once more when the lists were read after all."""
    async with _scene() as scene:
        scene.recovery.retry_first_s = scene.recovery._retry_s = scene.recovery._book_s = 0.05
        scene.reads.failing["wallets"] = RestError("wallets: was HTTP 503", 503)
        scene.reads.lists["orders"] = [_ended(_now_ms())]
        gap = _gap(60, 50)
        scene.recovery.compare(gap)
        await eventually(lambda: scene.told)
        assert (scene.told[0][0].recovered, scene.told[0][1]) == (None, gap)
        assert "not compared: wallets: was HTTP 503" in (scene.told[0][0].unknown or "")
        scene.reads.failing.clear()
        await eventually(lambda: scene.told[-1][0].unknown is None)
        assert (scene.told[-1][0].recovered, scene.told[-1][1]) == (1, gap)


async def test_F05_refused_credentials_are_not_asked_again() -> None:
    """401: only a new join compares anew."""
    async with _scene() as scene:
        scene.recovery.retry_first_s = scene.recovery._retry_s = 0.01
        scene.reads.failing["orders"] = CredentialsRefused("orders: was HTTP 401", 401)
        scene.recovery.compare(_gap(60, 50))
        await eventually(lambda: scene.told)
        asked = scene.reads.count("orders")
        scene.recovery._wake.set()
        await asyncio.wait_for(asyncio.shield(_turns(20)), 5)
    assert scene.reads.count("orders") == asked == 1


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0.01)  # twice as long as the retry would take


async def test_partial_comparison_keeps_what_it_recovered() -> None:
    """A page is missing: what came is counted, and added to what the next reading brings."""
    async with _scene() as scene:
        scene.recovery.retry_first_s = scene.recovery._retry_s = scene.recovery._book_s = 0.05
        scene.reads.partial.add("orders")
        scene.reads.lists["orders"] = [_ended(_now_ms())]
        gap = _gap(60, 50)
        scene.recovery.compare(gap)
        await eventually(lambda: scene.told)
        scene.reads.partial.clear()
        scene.reads.lists["orders"].append(_ended(_now_ms(), "o-2"))
        await eventually(lambda: scene.told[-1][0].unknown is None)
    assert [(outcome.recovered, told) for outcome, told in scene.told if told is not None][-1] == (2, gap)
    assert scene.told[0][0].recovered == 1


async def test_failed_fills_are_asked_for_again() -> None:
    """The order says that it is filled: the fill is read as soon as the list answers."""
    async with _scene() as scene:
        scene.recovery.retry_first_s = scene.recovery._retry_s = scene.recovery._book_s = 0.05
        scene.reads.failing["fills"] = RestError("fills: was HTTP 503", 503)
        at_ms = _now_ms()
        scene.reads.lists["fills"] = [
            {"fill_id": "f-1", "order_id": "o-1", "pair": "B-ETH_USDT", "price": 1, "quantity": 1, "timestamp": at_ms}
        ]
        scene.pipeline.receive(ORDER, row(ORDER, _ended(at_ms)))
        await eventually(lambda: scene.reads.count("fills") >= 1)
        scene.reads.failing.clear()
        await eventually(lambda: any(event["type"] == "fill" for event in envelopes(scene.pipeline)))
    fills = [event for event in envelopes(scene.pipeline) if event["type"] == "fill"]
    assert [fill["data"]["fill_id"] for fill in fills] == ["f-1"]


async def test_comparison_does_not_wait_for_long_lists_of_fills() -> None:
    """Fills take their time; a gap is compared meanwhile."""
    async with _scene() as scene:
        scene.reads.hold_fills()
        scene.pipeline.receive(ORDER, row(ORDER, _ended(_now_ms())))
        await eventually(lambda: scene.reads.count("fills") >= 1)
        scene.recovery.compare(_gap(60, 50))
        await eventually(lambda: scene.told)
        assert scene.reads.count("ledger") == 0
        scene.reads.release_fills()
        await eventually(lambda: scene.reads.count("ledger") >= 1)
