"""The one path of account events: nothing lost, nothing doubled, one order."""

import asyncio
import contextlib
import functools
import json
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Any

from fakes.frames import BALANCE, ORDER, POSITION, balance, frame, order, position, rows
from fakes.pipelines import envelopes, feed, new_pipeline, row
from fakes.waiting import eventually
from hypothesis import given, settings
from hypothesis import strategies as st

from coindcx_feed.events import Event
from coindcx_feed.exchange import codec, wire
from coindcx_feed.feed.normalize import normalize
from coindcx_feed.feed.pipeline import SLICE, Pipeline

RECORDED = [found for found in rows("ws/*.jsonl", "scenarios/*.jsonl") if "event" in found]
ACCOUNT = {ORDER, POSITION, BALANCE}
BTC = "B-BTC_USDT"


@contextlib.asynccontextmanager
async def running(pipeline: Pipeline) -> AsyncIterator[Pipeline]:
    task = asyncio.create_task(pipeline.run())
    try:
        yield pipeline
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _records(found: Iterable[dict[str, Any]]) -> list[Any]:
    return [record for one in found if one["event"] in ACCOUNT for record in json.loads(one["data"])]


def _outcomes(pipeline: Pipeline) -> int:
    return len(pipeline.ring) + pipeline.duplicates.count + pipeline.quarantine.count


async def test_C1_recorded_records_in_are_events_plus_duplicates_plus_quarantined() -> None:
    """All fixtures at once: no record without an outcome, none with two."""
    pipeline = new_pipeline()
    await feed(pipeline, RECORDED)
    sent = _records(RECORDED)
    market = [found for found in RECORDED if found["event"] not in ACCOUNT]
    assert pipeline.counters["records"] == len(sent)
    assert _outcomes(pipeline) + pipeline.counters["market"] == len(sent) + len(market)
    assert pipeline.counters["frames"] == len(RECORDED)
    assert pipeline.counters["failures"] == 0
    assert [entry.reason.split(":")[0] for entry in pipeline.quarantine.newest(10)] == ["foreign product"] * 2


async def test_C1_events_stand_in_order_of_arrival_with_their_values() -> None:
    """Taking the duplicates out of what was sent leaves exactly what was published."""
    pipeline = new_pipeline()
    await feed(pipeline, RECORDED)
    expected: list[Any] = []
    state: dict[str, Any] = {}
    for record in _records(RECORDED):
        is_repeat = record in expected if "updated_at" in record else state.get(record["id"]) == record
        state[record["id"]] = record
        if not is_repeat:
            expected.append(record)
    derived = {"filled_quantity", "unrealized_pnl"}
    published = [
        {name: value for name, value in envelope["data"].items() if name not in derived}
        for envelope in envelopes(pipeline)
    ]
    assert published == expected


async def test_record_of_an_event_is_the_exchange_text_byte_for_byte() -> None:
    """The ring gives back the verbatim slice, without derived fields."""
    pipeline = new_pipeline()
    texts = ['{"id":"a" , "status":"open","price":2900.50,"total_quantity":1e-2 }', '{ "id":"b","status":"é\\u00e9"}']
    pipeline.receive(ORDER, {"event": ORDER, "data": "[" + " ,\n".join(texts) + "]"})
    await pipeline.drain()
    assert [event.record.decode() for event in pipeline.ring.since(0, 10)] == texts


async def test_recorded_identical_rows_raise_the_duplicate_counter() -> None:
    """The captured doubled initial: one event, one duplicate with its raw text and frame number."""
    pipeline = new_pipeline()
    found = rows("ws/df-order-update.captured-abridged.jsonl")
    await feed(pipeline, found)
    assert [envelope["data"]["status"] for envelope in envelopes(pipeline)] == ["initial", "open", "filled"]
    (entry,) = pipeline.duplicates.newest(10)
    assert (entry.arrival, entry.event) == (2, ORDER)
    assert entry.raw.decode() == found[1]["data"][1:-1]


async def test_F09_recorded_out_of_order_scenario() -> None:
    """filled before open, repeats, late initial: arrival order in the log, the state never goes back."""
    pipeline = new_pipeline()
    await feed(pipeline, rows("scenarios/out-of-order-and-duplicates.*"))
    found = envelopes(pipeline)
    assert [(envelope["data"]["status"], envelope.get("late", False)) for envelope in found] == [
        ("initial", False), ("filled", False), ("open", True),
    ]  # fmt: skip
    assert pipeline.duplicates.count == 2
    assert pipeline.counters["late"] == 1
    (entity,) = pipeline.state.orders()
    assert (entity.record.status, entity.seq) == ("filled", 2)
    assert [event.previous for event in pipeline.ring.since(0, 10)] == [0, 1, 2]


async def test_envelope_of_an_event_holds_what_the_contract_says() -> None:
    """Names and texts of the sidecar's messages."""
    pipeline = new_pipeline()
    await pipeline.replay([frame(ORDER, [order(remaining_quantity=0.02)])], "history")
    (envelope,) = envelopes(pipeline)
    assert len(envelope.pop("id")) == 36
    data = envelope.pop("data")
    assert envelope == {
        "timestamp": "2026-09-21T14:13:20.000Z", "type": "order", "seq": 1, "source": "stream",
        "derived": ["filled_quantity"],
    }  # fmt: skip
    assert data == {**order(remaining_quantity=0.02), "filled_quantity": 0.03}


async def test_position_gets_its_pnl_from_a_fresh_mark_and_null_without_one() -> None:
    """Marks arrive between the frames; the position after them is computed with them."""
    pipeline = new_pipeline()
    prices = json.dumps({"pr": "futures", "prices": {"B-ETH_USDT": {"mp": 2900.1}}})
    pipeline.receive(POSITION, row(POSITION, position(updated_at=1)))
    pipeline.receive(wire.PRICES_UPDATE_EVENT, {"event": wire.PRICES_UPDATE_EVENT, "data": prices})
    pipeline.receive(POSITION, row(POSITION, position(updated_at=2)))
    await pipeline.drain()
    assert [envelope["data"]["unrealized_pnl"] for envelope in envelopes(pipeline)] == [None, 2.5]


async def test_market_frames_get_no_seq() -> None:
    """C3: an event's number is never spent on replaceable data."""
    pipeline = new_pipeline()
    trade = {"T": 1, "p": "1", "q": "1", "s": BTC, "pr": "f"}
    for number in range(3):
        pipeline.receive(wire.TRADE_EVENT, {"data": json.dumps(trade)})
        pipeline.receive(ORDER, row(ORDER, order(f"o-{number}")))
    await pipeline.drain()
    assert [envelope["seq"] for envelope in envelopes(pipeline)] == [1, 2, 3]
    assert pipeline.market.version == 3


async def test_notes_stand_between_the_frames_around_them() -> None:
    """The order of events is the order of facts."""
    pipeline = new_pipeline()
    pipeline.receive(ORDER, row(ORDER, order("a")))
    pipeline.note("upstream stale", coindcx_connected=False, state="stale")
    pipeline.receive(ORDER, row(ORDER, order("b")))
    await pipeline.drain()
    found = envelopes(pipeline)
    assert [envelope["type"] for envelope in found] == ["order", "system", "order"]
    assert (found[1]["source"], found[1]["seq"]) == ("local", 2)
    assert found[1]["data"] == {"message": "upstream stale", "coindcx_connected": False, "state": "stale"}


async def test_failure_inside_is_quarantined_and_the_stream_goes_on() -> None:
    """A bug costs one frame, is counted, and its raw text is kept."""
    pipeline = new_pipeline()

    class Hostile(dict[str, Any]):
        def __contains__(self, _key: object) -> bool:
            raise OverflowError

    pipeline.receive(ORDER, Hostile(data="x"))
    await feed(pipeline, [row(ORDER, order())])
    assert pipeline.counters["failures"] == 1
    assert [entry.reason for entry in pipeline.quarantine.newest(5)] == ["internal error OverflowError"]
    assert len(pipeline.ring) == 1


async def test_F11_malformed_frames_are_quarantined_and_the_stream_goes_on() -> None:
    """Bad packet, deep nesting, wrong shape: reason, event name, frame number; the next order is an event."""
    pipeline = new_pipeline()
    pipeline.receive(codec.MALFORMED, "2[")
    pipeline.receive(ORDER, {"data": "[" * 100_000})
    pipeline.receive("surprise", None)
    await feed(pipeline, [row(ORDER, order())])
    newest = pipeline.quarantine.newest(5)
    assert [(entry.arrival, entry.event) for entry in newest] == [(3, "surprise"), (2, ORDER), (1, codec.MALFORMED)]
    assert pipeline.counters["failures"] == 0
    assert len(pipeline.ring) == 1


async def test_C2_nothing_is_seen_before_it_is_stored() -> None:
    """Neither as an event nor in the state of the account, while records of one slice are judged by each other."""
    stored: list[tuple[list[int], int, int]] = []

    class Slow:
        is_durable = True

        async def append(self, events: list[Event]) -> list[Event]:
            await asyncio.sleep(0)
            stored.append(([event.seq for event in events], pipeline.ring.version, len(pipeline.state.orders())))
            return events

    pipeline = new_pipeline(store=Slow())
    await feed(pipeline, [row(ORDER, order("a"), order("a"), order("b")), row(ORDER, order("c"))])
    await feed(pipeline, [row(ORDER, order("d"))])
    assert stored == [([1, 2, 3], 0, 0), ([4], 3, 3)]
    assert pipeline.ring.version == len(pipeline.state.orders()) == 4
    assert pipeline.duplicates.count == 1


async def test_F12_burst_is_handled_in_slices_with_one_wake_up_each() -> None:
    """Other tasks of the loop get their turn; 5,000 frames keep their order."""
    pipeline, calls = new_pipeline(capacity=10_000), []
    pipeline.on_publish(lambda: calls.append(pipeline.ring.version))
    async with running(pipeline):
        for number in range(5_000):
            pipeline.receive(ORDER, row(ORDER, order(f"o-{number}")))
        await eventually(lambda: pipeline.ring.version == 5_000)
    assert calls == list(range(SLICE, 5_001, SLICE))
    assert [envelope["data"]["id"] for envelope in envelopes(pipeline)] == [f"o-{n}" for n in range(5_000)]


async def test_F12_frames_of_many_records_are_slices_too() -> None:
    """A hundred records in each of ten frames: other tasks get their turn after two frames, not after all."""
    pipeline, calls = new_pipeline(), []
    pipeline.on_publish(lambda: calls.append(pipeline.ring.version))
    async with running(pipeline):
        for first in range(0, 1_000, 100):
            pipeline.receive(ORDER, row(ORDER, *(order(f"o-{number}") for number in range(first, first + 100))))
        await eventually(lambda: pipeline.ring.version == 1_000)
    assert calls == list(range(SLICE, 1_001, SLICE))


async def test_listener_is_called_for_market_messages_and_not_for_silence() -> None:
    """A duplicate or a quarantined frame is nothing new to send."""
    pipeline, calls = new_pipeline(), []
    pipeline.on_publish(lambda: calls.append(1))
    trade = {"T": 1, "p": "1", "q": "1", "s": BTC, "pr": "f"}
    await feed(pipeline, [row(ORDER, order())])
    await feed(pipeline, [row(ORDER, order()), row("nonsense")])
    await feed(pipeline, [{"event": wire.TRADE_EVENT, "data": json.dumps(trade)}])
    assert calls == [1, 1]


def _has(pipeline: Pipeline, count: int) -> bool:
    return pipeline.ring.version == count


async def test_frame_that_arrives_alone_is_published_without_waiting() -> None:
    """Between two frames nothing is held back."""
    pipeline = new_pipeline()
    async with running(pipeline):
        for number in range(1, 4):
            pipeline.receive(ORDER, row(ORDER, order(f"o-{number}")))
            await eventually(functools.partial(_has, pipeline, number))


async def test_replay_takes_frames_of_the_past_with_their_own_times() -> None:
    """The demo's history: times as simulated, then a system event that names its origin."""
    pipeline = new_pipeline()
    await pipeline.replay(
        [frame(ORDER, [order()], received_ns=5_000_000_000), frame(BALANCE, [balance()])], "simulated"
    )
    await pipeline.drain()
    found = envelopes(pipeline)
    assert [envelope["type"] for envelope in found] == ["order", "balance", "system"]
    assert found[0]["timestamp"] == "1970-01-01T00:00:05.000Z"
    assert found[2]["data"] == {"message": "simulated"}


async def test_quarantine_is_logged_in_one_line_without_the_payload() -> None:
    """T15, T16: reason and frame number, cut; what the frame held stays out of the log."""
    pipeline = new_pipeline()
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("coindcx_feed.feed.pipeline")
    logger.addHandler(handler)
    try:
        await feed(pipeline, [row(ORDER, {"id": "x", "price": "canary"}), {"event": "a\nb" * 100, "data": "canary"}])
    finally:
        logger.removeHandler(handler)
    assert len(messages) == 2
    assert not any("\n" in message or "canary" in message or len(message) > 400 for message in messages)


RECORDS = st.one_of(
    st.tuples(
        st.just(ORDER),
        st.builds(order, st.sampled_from("ab"), updated_at=st.integers(1, 3), price=st.sampled_from([1, "NaN"])),
    ),
    st.tuples(st.just(POSITION), st.builds(position, st.sampled_from("ab"), updated_at=st.integers(1, 3))),
    st.tuples(st.just(BALANCE), st.builds(balance, st.sampled_from("ab"), st.sampled_from(["1", "2", "x"]))),
)
FRAMES = st.lists(
    st.one_of(
        RECORDS.map(lambda pair: row(pair[0], pair[1])),
        st.lists(RECORDS, min_size=1, max_size=4).map(lambda found: row(ORDER, *(record for _, record in found))),
        st.sampled_from([{"event": ORDER, "data": "[{"}, {"event": "other", "data": "[]"}, row(ORDER)]),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(FRAMES, st.lists(st.integers(1, 5), max_size=10))
def test_C1_C3_generated_frames_have_one_outcome_per_record_and_dense_numbers(
    frames: list[dict[str, Any]], slices: list[int]
) -> None:
    """Whatever comes and however it is sliced: sums agree, ``seq`` has no hole, ``previous`` points to the same id."""
    pipeline = new_pipeline()
    expected = 0
    for found in frames:
        pipeline.receive(found["event"], found)
        expected += len(list(normalize(frame(found["event"], found["data"]))))

    async def drain() -> None:
        for limit in slices:
            await pipeline.drain(limit)
        await pipeline.drain()

    asyncio.run(drain())
    assert _outcomes(pipeline) == expected
    events = pipeline.ring.since(0, 1_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    last: dict[tuple[str, str], int] = {}
    for event, envelope in zip(events, envelopes(pipeline), strict=True):
        key = (event.type, envelope["data"]["id"])
        assert event.previous == last.get(key, 0)
        last[key] = event.seq
