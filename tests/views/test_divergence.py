"""State from the stream beside the last REST snapshot."""

from typing import Any

from fakes.frames import ORDER, balance, order
from fakes.pipelines import filled, row

from coindcx_feed.events import EventType, new_epoch
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord
from coindcx_feed.feed.recovery import Outcome
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState
from coindcx_feed.views.divergence import board

DONE = Outcome(5_000_000_000, 0, 1, 0, None)
READ_MS = 4_000.0


def _board(streamed: Any, listed: Any, kind: EventType = EventType.ORDER, received_ns: int = 1) -> dict[str, Any]:
    state = AccountState()
    state.apply(kind, streamed, 7, received_ns, is_late=False)
    return board(Ring(1_000, new_epoch()), state, {(kind, listed.id): (READ_MS, listed)}, DONE)


def test_records_that_agree_make_no_row() -> None:
    """One compared, none differs."""
    same = OrderRecord.model_validate(order())
    found = _board(same, same)
    assert (found["compared"], found["rows"], found["at_ms"]) == (1, [], 5_000.0)


def test_difference_is_named_with_both_values_and_its_last_event() -> None:
    """Grave ones first; the row leads to the event that brought what is shown."""
    streamed = OrderRecord.model_validate(order(status="open", leverage=5))
    listed = OrderRecord.model_validate(order(status="filled", leverage=4))
    rows = _board(streamed, listed)["rows"]
    assert [(row["field"], row["rest"], row["stream"], row["is_grave"], row["touched"]) for row in rows] == [
        ("status", "filled", "open", True, [7]),
        ("leverage", "4", "5", False, [7]),
    ]


def test_field_leads_to_the_events_that_moved_it() -> None:
    """Three updates: the status moved in the last two, the leverage came with the first and was not touched since."""
    steps = [("initial", 1), ("open", 2), ("partially_filled", 3)]
    pipeline = filled(*(row(ORDER, order(status=status, leverage=5, updated_at=at)) for status, at in steps))
    listed = OrderRecord.model_validate(order(status="filled", leverage=4, updated_at=3))
    rows = board(pipeline.ring, pipeline.state, {(EventType.ORDER, listed.id): (READ_MS, listed)}, DONE)["rows"]
    assert {row["field"]: row["touched"] for row in rows} == {"status": [3, 2, 1], "leverage": [1]}
    assert all(row["stream_ms"] > 0 for row in rows)


def test_update_after_the_read_is_newer_not_different() -> None:
    """By its own time, or by its arrival where it has none."""
    streamed = OrderRecord.model_validate(order(status="filled", updated_at=1_790_000_000_900))
    assert _board(streamed, OrderRecord.model_validate(order()))["rows"] == []
    wallet = BalanceRecord.model_validate(balance(free="2"))
    listed = BalanceRecord.model_validate(balance(free="1"))
    assert _board(wallet, listed, EventType.BALANCE, received_ns=4_500_000_000)["rows"] == []
    assert _board(wallet, listed, EventType.BALANCE, received_ns=3_500_000_000)["rows"][0]["field"] == "balance"
