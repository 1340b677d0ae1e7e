"""Events as rows and details: the exchange's texts, what changed, what belongs together."""

import asyncio
import json
from typing import Any

import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position, rows
from fakes.pipelines import at, filled, new_pipeline, replayed, row

from coindcx_feed.events import EventType, Source
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Stored
from coindcx_feed.views import rows as views

ROW_NAMES = {
    "seq", "type", "source", "late", "received_ms", "exchange_ms", "pair", "side", "status", "price", "quantity",
    "filled_quantity", "id", "message", "what_changed", "is_repeat",
}  # fmt: skip

MS = 1_795_000_000_000


def _rows(pipeline: Pipeline) -> list[views.Row]:
    return [views.row(pipeline.ring, event) for event in pipeline.ring.since(0, 1_000)]


def _told(kind: EventType, data: dict[str, Any]) -> str:
    body = json.dumps({"data": data}).encode()
    return views.change_text(None, Stored(1, kind, Source.REST, None, 0, None, 0, False, body, 0, 0))


def _details(pipeline: Pipeline, seq: int) -> dict[str, Any]:
    found = views.details(pipeline.ring, seq)
    assert found is not None
    return found


def test_every_recorded_record_makes_a_row_with_its_own_texts() -> None:
    """Value for value: numbers as written, ids, statuses and messages."""
    sent = [found for found in rows("ws/df-*", "ws/balance*", "scenarios/*.jsonl") if "event" in found]
    pipeline = filled(*(found for found in sent if found["event"] in (ORDER, POSITION, BALANCE)))
    found = _rows(pipeline)
    assert len(found) == len(pipeline.ring) > 40
    for shown, event in zip(found, pipeline.ring.since(0, 1_000), strict=True):
        record = json.loads(event.record, parse_float=str, parse_int=str)
        assert set(shown) == ROW_NAMES
        assert shown["id"] == record["id"]
        assert shown["status"] == record.get("status")
        price = record.get("avg_price") if shown["type"] == "position" else record.get("price")
        assert shown["price"] == price
        quantity = {"order": "total_quantity", "position": "active_pos", "balance": "balance"}[shown["type"]]
        assert shown["quantity"] == record[quantity]
        assert shown["pair"] == record.get("pair", record.get("currency_short_name"))


def test_fill_and_booking_are_told_with_grouped_figures() -> None:
    """As every other figure of the column; what a record leaves out is a dash, and every digit stays."""
    fill = {"id": "f", "price": "84162.4", "quantity": "12000", "fee_amount": "1000.2184"}
    booked = {"id": "l", "amount": "-3176.5", "fee_amount": 9.67, "margin_currency_short_name": "USDT"}
    assert _told(EventType.FILL, fill) == "12,000 at 84,162.4 · fee 1,000.2184 USDT"
    assert _told(EventType.LEDGER, booked) == "amount \N{MINUS SIGN}3,176.5 · fee 9.67 USDT"
    assert _told(EventType.LEDGER, {}) == "amount \N{EN DASH}"


def test_row_is_plain_data() -> None:
    """It crosses a hot reload and goes to the browser as JSON."""
    pipeline = filled(row(ORDER, order(display_message="placed!")))
    assert json.loads(json.dumps(_rows(pipeline))) == _rows(pipeline)


def test_system_event_shows_its_message_and_state() -> None:
    """It has no id and no pair."""
    pipeline = new_pipeline()
    pipeline.note("upstream live", coindcx_connected=True, state="live")
    asyncio.run(pipeline.drain())
    found = _rows(pipeline)[0]
    assert (found["type"], found["source"], found["status"]) == ("system", "local", "live")
    assert (found["message"], found["what_changed"]) == ("upstream live", "upstream live")
    assert (found["id"], found["pair"], found["price"]) == (None, None, None)


def test_gap_says_how_long_why_and_what_was_read_back() -> None:
    """A time away is one readable line; what is odd about it is left out, not guessed."""
    start, end = "2026-11-21T13:00:00.000Z", "2026-11-21T13:00:12.400Z"
    odd = {"start": "yesterday", "cause": 7, "recovered": None, "unknown": "fills not read"}
    pipeline = new_pipeline()
    pipeline.note("upstream_gap", start=start, end=end, cause="socket closed", recovered=3, unknown=None)
    pipeline.note("upstream_gap", start=start, end=None, cause="silent", recovered=None, unknown=None)
    pipeline.note("upstream_gap", **odd)
    asyncio.run(pipeline.drain())
    assert [found["what_changed"] for found in _rows(pipeline)] == [
        "away from the exchange for 12.4 s · socket closed · 3 recovered",
        "away from the exchange · silent",
        "away from the exchange · 7 · fills not read",
    ]
    assert {found["message"] for found in _rows(pipeline)} == {"upstream_gap"}


@pytest.mark.parametrize("name", ["state", "message", "currency_short_name", "balance", "active_pos", "quantity"])
@pytest.mark.parametrize("value", [7, 1.50, {"a": [1]}, [], True, None, "text"])
def test_unknown_field_of_any_type_does_not_break_the_table(name: str, value: Any) -> None:
    """Tomorrow's record may use a name that other records use, with another type."""
    pipeline = filled(
        row(ORDER, order(**{name: value})), row(BALANCE, {**balance(), "display_message": value, "side": value})
    )
    assert [found["id"] for found in _rows(pipeline)] == ["o-1", "w-1"]
    assert [_details(pipeline, seq)["id"] for seq in (1, 2)] == ["o-1", "w-1"]


def test_late_event_is_marked() -> None:
    """The table says so."""
    pipeline = filled(row(ORDER, order(updated_at=5)), row(ORDER, order(updated_at=4)))
    assert [found["late"] for found in _rows(pipeline)] == [False, True]


def test_what_changed_compares_with_the_event_before_of_the_same_id() -> None:
    """First seen, then the change, whatever came between."""
    pipeline = filled(
        row(ORDER, order("a")),
        row(ORDER, order("b")),
        row(ORDER, order("a", status="filled", remaining_quantity=0, updated_at=1_790_000_000_900)),
    )
    texts = [found["what_changed"] for found in _rows(pipeline)]
    assert texts[:2] == ["first seen", "first seen"]
    assert "filled" in texts[2]


def test_repeats_that_change_nothing_are_counted() -> None:
    """Each says how many came in a row; a change begins anew, and another id between them does not."""
    sent = [order(updated_at=MS + second) for second in range(4)]
    between = order("another", updated_at=MS + 2)
    pipeline = filled(*(row(ORDER, each) for each in (*sent[:3], between, sent[3])))
    said = [shown["what_changed"] for shown in _rows(pipeline)]
    assert said[0] == said[3] == "first seen"
    assert [said[1], said[2], said[4]] == ["no change", "no change, 2 in a row", "no change, 3 in a row"]


def test_long_run_without_a_change_is_counted_to_its_limit() -> None:
    """What is counted for one row is bounded, and says so."""
    sent = [row(ORDER, order(updated_at=MS + second)) for second in range(views.RUN + 3)]
    found = [shown["what_changed"] for shown in _rows(filled(*sent))]
    assert found[views.RUN] == f"no change, {views.RUN} in a row"
    assert found[-1] == f"no change, {views.RUN}+ in a row"


def test_what_changed_is_empty_when_the_event_before_is_no_longer_kept() -> None:
    """F13: unknown is neither "no change" nor "first seen"."""
    pipeline = filled(*(row(BALANCE, balance(free=str(number))) for number in range(5)), capacity=3)
    oldest, *later = (views.row(pipeline.ring, event)["what_changed"] for event in pipeline.ring.since(2, 10))
    assert oldest == ""
    assert all("available" in text for text in later)


def test_details_hold_the_record_verbatim_and_all_its_fields() -> None:
    """Raw JSON, fields as written, and the envelope that clients get."""
    text = '{"id":"a","status":"open" , "price":2900.50,"metatags":null,"note":"<b>é</b>"}'
    pipeline = filled({"event": ORDER, "data": f"[{text}]"})
    found = _details(pipeline, 1)
    assert found["record"] == text
    assert found["fields"] == [
        ("id", "a"), ("status", "open"), ("price", "2900.50"), ("metatags", "null"), ("note", "<b>é</b>"),
    ]  # fmt: skip
    assert json.loads(found["body"])["data"]["filled_quantity"] is None
    assert set(found) >= ROW_NAMES


def test_details_of_an_event_that_is_gone_are_none() -> None:
    """Overwritten, or never there."""
    pipeline = filled(*(row(BALANCE, balance(free=str(number))) for number in range(5)), capacity=3)
    assert views.details(pipeline.ring, 1) is None
    assert views.details(pipeline.ring, 99) is None


def test_details_tell_changes_with_texts_and_the_time_between() -> None:
    """Field, before, after; since which event and how long ago."""
    pipeline = replayed(
        at(row(ORDER, order(price=2900)), 0), at(row(ORDER, order(price="2900.50", updated_at=1_790_000_000_500)), 1.5)
    )
    found = _details(pipeline, 2)["changes"]
    assert (found["since_seq"], found["since_ms"]) == (1, 1_500.0)
    assert {"field": "price", "before": "2900", "after": "2900.50"} in found["rows"]
    first = _details(pipeline, 1)["changes"]
    assert (first["since_seq"], first["since_ms"], first["rows"]) == (None, None, [])


def test_timeline_is_the_life_of_the_id_oldest_first() -> None:
    """The recorded partial fill, without the frames of positions and balances between."""
    pipeline = filled(*rows("scenarios/limit-partial-then-filled.*"))
    orders = [found for found in _rows(pipeline) if found["type"] == "order"]
    timeline = _details(pipeline, orders[0]["seq"])["timeline"]
    assert [found["status"] for found in timeline] == [found["status"] for found in orders]
    assert timeline[0]["status"] == "initial"
    assert timeline[-1]["status"] == "filled"


def test_timeline_does_not_mix_types_that_share_an_id() -> None:
    """A position with an order's id is another thing."""
    pipeline = filled(row(ORDER, order("x")), row(POSITION, position("x")))
    assert [found["type"] for found in _details(pipeline, 1)["timeline"]] == ["order"]


def test_related_are_events_of_other_ids_of_the_pair_within_two_seconds() -> None:
    """Balances have no pair and may belong to anything; system events are left out."""
    other = order("o-2", pair="B-BTC_USDT")
    pipeline = replayed(
        at(row(ORDER, order("early")), 0),
        at(row(ORDER, order("o-1")), 5),
        at(row(POSITION, position("p-1")), 5.2),
        at(row(ORDER, other), 5.4),
        at(row(BALANCE, balance("w-1")), 6),
        at(row(ORDER, order("o-1", status="filled")), 6.5),
        at(row(POSITION, position("late", updated_at=9)), 7.6),
    )
    found = _details(pipeline, 2)["related"]
    assert [shown["id"] for shown in found] == ["p-1", "w-1"]


def test_T13_hostile_texts_come_out_as_they_came_in() -> None:
    """Markup is the page's concern; nothing is lost or interpreted here."""
    text = "<script>alert(1)</script> ![x](http://evil) \u202e \x00 =1+1"
    pipeline = filled(row(ORDER, order(display_message=text)))
    assert _rows(pipeline)[0]["message"] == text
    assert dict(_details(pipeline, 1)["fields"])["display_message"] == text


def test_rows_are_built_once_for_all_readers() -> None:
    """The same object is given again, and an update that changes nothing is known as such."""
    pipeline = filled(*(row(ORDER, order(updated_at=MS + second)) for second in range(2)))
    known, keys = views.Rows(), pipeline.ring.find(None).keys
    first = known.of(pipeline.ring, keys)
    assert [row["is_repeat"] for row in first] == [True, False]
    assert all(again is row for again, row in zip(known.of(pipeline.ring, keys), first, strict=True))


def test_row_of_an_event_that_was_overwritten_is_left_out() -> None:
    """Also when a later epoch gave its number to another event."""
    pipeline = filled(*(row(ORDER, order(updated_at=MS + second)) for second in range(2)))
    (newest, received_ns), oldest = pipeline.ring.find(None).keys
    keys = [(newest + 1, received_ns), (newest, received_ns - 1), oldest]
    assert [found["seq"] for found in views.Rows().of(pipeline.ring, keys)] == [oldest[0]]
