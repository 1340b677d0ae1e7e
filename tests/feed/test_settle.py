"""Rows of a REST read on the one ordered path: only what differs becomes an event, and nothing is doubled."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, balance, frame, order

from coindcx_feed.events import EventType, new_epoch
from coindcx_feed.exchange.records import FillRecord
from coindcx_feed.feed.durable import NoStore
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.normalize import AccountItem, normalize, read_item
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState


@pytest.fixture
async def pipeline() -> AsyncIterator[Pipeline]:
    made = Pipeline(Ring(1_000, new_epoch()), MarketFeed(), Marks(), AccountState(), NoStore())
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


def _receive(pipeline: Pipeline, event: str, *records: dict[str, Any]) -> None:
    pipeline.receive(event, {"event": event, "data": json.dumps(records)})


def _rows(event: str, *records: dict[str, Any]) -> list[AccountItem]:
    return [item for item in normalize(frame(event, list(records))) if isinstance(item, AccountItem)]


def _events(pipeline: Pipeline) -> list[tuple[str, str]]:
    return [(json.loads(e.body)["data"].get("status") or "", str(e.source)) for e in pipeline.ring.since(0, 100)]


async def test_F28_read_row_that_equals_the_state_is_confirmed(pipeline: Pipeline) -> None:
    """REST writes 10.0 for 10 and lacks fields: no event."""
    _receive(pipeline, ORDER, order(leverage=10, trades=[]))
    counts = await pipeline.settle(_rows(ORDER, order(leverage=10.0)))
    assert counts == {"confirmed": 1}
    assert _events(pipeline) == [("open", "stream")]


async def test_C7_missed_update_is_recovered_and_its_late_frame_not_doubled(pipeline: Pipeline) -> None:
    """What REST brought is an event with source rest; the frame that brings it again is a duplicate."""
    _receive(pipeline, ORDER, order())
    filled = order(status="filled", remaining_quantity=0, avg_price=2901, updated_at=1_790_000_000_900)
    counts = await pipeline.settle(_rows(ORDER, filled))
    _receive(pipeline, ORDER, {**filled, "trades": [], "avg_price": 2901.0})
    await pipeline.settle([])
    assert counts == {"new": 1}
    assert _events(pipeline) == [("open", "stream"), ("filled", "rest")]
    assert pipeline.duplicates.count == 1


async def test_F28_older_snapshot_never_overwrites_newer_state(pipeline: Pipeline) -> None:
    """A list call may trail the socket."""
    _receive(pipeline, ORDER, order(status="filled", updated_at=1_790_000_000_900))
    counts = await pipeline.settle(_rows(ORDER, order(status="open")))
    assert counts == {"older": 1}
    assert _events(pipeline) == [("filled", "stream")]


async def test_frame_between_the_known_and_the_read_update_is_late(pipeline: Pipeline) -> None:
    """An update that was missed and arrives after the read is kept and marked, without moving the state."""
    _receive(pipeline, ORDER, order())
    await pipeline.settle(_rows(ORDER, order(status="filled", updated_at=1_790_000_000_900)))
    _receive(pipeline, ORDER, order(status="partially_filled", updated_at=1_790_000_000_500))
    await pipeline.settle([])
    assert [event.is_late for event in pipeline.ring.since(0, 10)] == [False, False, True]
    known = pipeline.state.order("o-1")
    assert known is not None
    assert known.record.status == "filled"


async def test_held_frames_wait_for_the_read_and_keep_their_order(pipeline: Pipeline) -> None:
    """While a snapshot is read, account frames wait, then they go on before whatever came later.

    A wallet row has no time: where the stream goes on about the wallet, the row is older than what it says last.
    """
    _receive(pipeline, BALANCE, balance(free="1"))
    await pipeline.settle([])
    pipeline.hold()
    for free in ("3", "4"):
        _receive(pipeline, BALANCE, balance(free=free))
    counts = await pipeline.settle([*_rows(BALANCE, balance(free="2")), *_rows(ORDER, order())])
    pipeline.release()
    _receive(pipeline, BALANCE, balance(free="5"))
    await pipeline.settle([])
    told = [json.loads(event.body)["data"].get("balance", "order") for event in pipeline.ring.since(0, 10)]
    assert counts == {"new": 1, "trailing": 1}
    assert told == ["1", "order", "3", "4", "5"]


async def test_F07_frame_held_over_two_reads_is_not_doubled(pipeline: Pipeline) -> None:
    """The first read brings what the frame says, the second something newer: the frame is a repeat, no late event."""
    pipeline.hold()
    _receive(pipeline, ORDER, order(updated_at=1_790_000_000_100, remaining_quantity=0.03))
    await pipeline.settle(_rows(ORDER, order(updated_at=1_790_000_000_100, remaining_quantity=0.030)))
    await pipeline.settle(_rows(ORDER, order(status="filled", remaining_quantity=0, updated_at=1_790_000_000_900)))
    pipeline.release()
    await pipeline.settle([])
    assert _events(pipeline) == [("open", "rest"), ("filled", "rest")]
    assert pipeline.duplicates.count == 1


async def test_F28_wallet_that_held_frames_speak_of_is_left_to_them(pipeline: Pipeline) -> None:
    """The first look meets a wallet in motion: its newest value is not put before the frames that led to it."""
    pipeline.hold()
    _receive(pipeline, BALANCE, balance(free="2"))
    _receive(pipeline, BALANCE, balance(free="1"))
    counts = await pipeline.settle(_rows(BALANCE, balance(free="1")))
    pipeline.release()
    await pipeline.settle([])
    assert counts == {"trailing": 1}
    found = [(json.loads(event.body)["data"]["balance"], str(event.source)) for event in pipeline.ring.since(0, 100)]
    assert found == [("2", "stream"), ("1", "stream")]


async def test_row_that_is_no_record_is_kept_with_its_reason(pipeline: Pipeline) -> None:
    """A refused row is never dropped silently."""
    pipeline.refuse("orders row, field status: Field required", b'{"id":"a"}')
    kept = pipeline.quarantine.newest(1)[0]
    assert (kept.event, kept.raw) == ("read", b'{"id":"a"}')


async def test_fill_is_an_event_once(pipeline: Pipeline) -> None:
    """Its key is the exchange's fill_id: a second read confirms it."""
    fields = {"price": 107.54, "quantity": 4.67, "pair": "B-SOL_USDT", "timestamp": 1787841686516}
    raw = json.dumps({**fields, "fill_id": "f-1", "order_id": "o-1"}).encode()
    record = FillRecord.model_validate_json(raw)
    for expected in ({"new": 1}, {"confirmed": 1}):
        assert await pipeline.settle([read_item(EventType.FILL, record, raw, record.key)]) == expected
    events = pipeline.ring.since(0, 10)
    assert [(event.type, event.source, event.pair, event.record) for event in events] == [
        ("fill", "rest", "B-SOL_USDT", raw)
    ]


async def test_filled_quantity_that_grows_is_told(pipeline: Pipeline) -> None:
    """The socket never carries fills: the rise is the sign to read them."""
    told: list[str] = []
    pipeline.on_fill = lambda record: told.append(str(record.filled_quantity))
    for step, remaining in enumerate((0.05, 0.03, 0.03, 0)):
        _receive(pipeline, ORDER, order(remaining_quantity=remaining, updated_at=1_790_000_000_000 + step))
    await pipeline.settle([])
    assert told == ["0.02", "0.05"]
