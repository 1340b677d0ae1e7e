"""Envelopes read back are the events that they were, whatever the record holds."""

import asyncio
import json
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position
from fakes.pipelines import new_pipeline

from coindcx_feed.events import Event, EventType, Source, encode_envelope
from coindcx_feed.exchange import wire
from coindcx_feed.feed.followed import followed_event, market_frame
from coindcx_feed.feed.normalize import AccountItem, MarketItem, normalize

FRAMES = [
    (ORDER, order()),
    (ORDER, order("o-2", filled_quantity=1)),
    (ORDER, {"id": "o-3", "pair": "B-ETH_USDT", "side": "buy", "status": "open"}),
    (ORDER, order("o-4", display_message='{"data":"x","filled_quantity":5}}', unknown={"a": [1.0, None]})),
    (POSITION, position()),
    (BALANCE, balance(free="1650841.59606695345873")),
]


def _events() -> list[Event]:
    pipeline, found = new_pipeline(100), list[Event]()
    append = pipeline.ring.append
    pipeline.ring.append = lambda event: (found.append(event), append(event))[1]  # type: ignore[method-assign]

    async def run() -> None:
        for event, record in FRAMES:
            pipeline.receive(event, {"event": event, "data": [record]})
        pipeline.note("upstream live: now", state="live", coindcx_connected=True)
        await pipeline.drain()

    asyncio.run(run())
    return found


def _read(raw: bytes) -> tuple[Event, AccountItem | None] | None:
    return followed_event(raw, json.loads(raw))


@pytest.mark.parametrize("event", _events(), ids=lambda event: event.facts.key)
def test_event_is_the_same_on_both_sides(event: Event) -> None:
    """Bytes, number, flags, facts and the exchange's own text; the time has the milliseconds that are sent."""
    found = _read(event.body)
    assert found is not None
    followed, item = found
    assert followed._replace(received_ns=event.received_ns, previous=event.previous) == event
    assert followed.record == event.record
    assert followed.received_ns == event.received_ns // 1_000_000 * 1_000_000
    assert (item is None) is (event.type is EventType.SYSTEM)


@pytest.mark.parametrize("record", [b"{}", b'{"id":"x"}', b'{"status":5}'])
def test_record_of_another_shape_is_kept_without_a_state(record: bytes) -> None:
    """A later version may know more: the event stays, with its bytes."""
    body, _ = encode_envelope(9, EventType.ORDER, Source.REST, 10**18, record, is_late=True, is_durable=False)
    found = _read(body)
    assert found is not None
    event, item = found
    assert (event.seq, event.source, event.is_late, event.body, event.record) == (9, Source.REST, True, body, record)
    assert item is None


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"type":"order","seq":1,"data":{}}',
        b'{"id":"i","timestamp":"2026-11-22T14:02:53.418Z","type":"liquidation","seq":1,"source":"stream","data":{}}',
        b'{"id":"i","timestamp":"2026-13-22T14:02:53.418Z","type":"order","seq":1,"source":"stream","data":{}}',
        b'{"id":"i","timestamp":"2026-11-22T14:02:53.418Z","type":"order","seq":1,"source":"moon","data":{}}',
        b'{"id":"i","timestamp":"2026-11-22T14:02:53.418Z","type":"order","seq":1,"data":{}}',
    ],
)
def test_other_messages_are_none(raw: bytes) -> None:
    """Never an error."""
    assert _read(raw) is None


@pytest.mark.parametrize(
    ("kind", "data", "event"),
    [
        ("price", {"pr": "futures", "prices": {"B-ETH_USDT": {"mp": 2900.5}}}, wire.PRICES_UPDATE_EVENT),
        ("price", {"pr": "f", "T": 1, "p": "2900.5"}, wire.PRICE_EVENT),
        ("trade", {"pr": "f", "T": 1, "p": "1", "q": "2", "s": "B-ETH_USDT"}, wire.TRADE_EVENT),
        (
            "book",
            {"pr": "futures", "ts": 1, "vs": 2, "asks": {}, "bids": {}, "type": "depth-snapshot"},
            wire.DEPTH_SNAPSHOT_EVENT,
        ),
        ("book", {"pr": "futures", "ts": 1, "vs": 2, "asks": {}, "bids": {}}, wire.DEPTH_UPDATE_EVENT),
    ],
)
def test_market_message_is_the_frame_that_it_came_in(kind: str, data: dict[str, Any], event: str) -> None:
    """With the time at which it was received there."""
    raw = b'{"id":"i","timestamp":"2026-11-22T14:02:53.418Z","type":"%b","mseq":5,"source":"stream","data":%b}' % (
        kind.encode(),
        json.dumps(data).encode(),
    )
    frame = market_frame(raw, data)
    assert frame is not None
    assert (frame.event, frame.received_ns) == (event, 1_795_356_173_418_000_000)
    (item,) = normalize(frame)
    assert isinstance(item, MarketItem)
    assert item.type == kind
