"""Messages become what they say they are: exact money, nothing dropped, gaps of their own kind."""

import logging
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from fakes.frames import balance, order, position

from coindcx_feed.client import BalanceEvent, Gap, OrderEvent, OtherEvent, PositionEvent, SystemEvent
from coindcx_feed.client.envelope import Envelope
from coindcx_feed.client.items import Item, item_of
from coindcx_feed.sidecar import protocol

HEAD = {"id": "i", "timestamp": "2026-11-22T14:02:53.418Z", "seq": 7, "source": "stream"}


def item(kind: str, data: object, **more: object) -> Item:
    raw = msgspec.json.encode({**HEAD, "type": kind, **more, "data": data})
    return item_of(Envelope(raw, "E", "demo"))


def test_order_with_money_time_and_every_field() -> None:
    """Documented fields are typed, the others kept; derived ones keep their name."""
    found = item("order", order(price=2900.5, novel="x", filled_quantity=0.0), derived=["filled_quantity"])
    assert isinstance(found, OrderEvent)
    assert (found.type, found.seq, found.epoch, found.mode, found.source) == ("order", 7, "E", "demo", "stream")
    assert found.timestamp == datetime(2026, 11, 22, 14, 2, 53, 418_000, UTC)
    assert (found.data.price, found.data.status, found.data.filled_quantity) == (Decimal("2900.5"), "open", Decimal(0))
    assert found.data.model_extra is not None
    assert found.data.model_extra["novel"] == "x"
    assert (found.late, found.durable, found.derived) == (False, True, ("filled_quantity",))
    assert msgspec.json.decode(found.raw)["data"]["novel"] == "x"


def test_flags_are_passed_on() -> None:
    """An older update, not stored, read by REST."""
    found = item("position", position(unrealized_pnl=1.25), late=True, durable=False, source="rest")
    assert isinstance(found, PositionEvent)
    assert (found.late, found.durable, found.source) == (True, False, "rest")
    assert found.unrealized_pnl == Decimal("1.25")


def test_balance_keeps_all_digits() -> None:
    """The golden row: text on the wire, exact here."""
    found = item("balance", balance(free="1650841.59606695345873", currency="INR"))
    assert isinstance(found, BalanceEvent)
    assert str(found.data.balance) == "1650841.59606695345873"


def test_F16_gap_is_a_kind_of_its_own() -> None:
    """With the numbers and the reason; it has no number itself."""
    found = item_of(Envelope(protocol.resume_gap(101, None, "overwritten"), "E", "live"))
    assert isinstance(found, Gap)
    assert (found.missed_from, found.missed_to, found.reason, found.seq) == (101, None, "overwritten", None)


def test_system_events_tell_message_and_state() -> None:
    """The feed's own words; a change of epoch is one of them."""
    found = item("system", {"message": "upstream live", "state": "live", "coindcx_connected": True})
    assert isinstance(found, SystemEvent)
    assert (found.message, found.state) == ("upstream live", "live")
    changed = item_of(Envelope(protocol.epoch_changed("F", 9), "F", "live"))
    assert isinstance(changed, SystemEvent)
    assert (changed.message, changed.epoch, changed.state) == ("epoch_changed", "F", None)


@pytest.mark.parametrize(("kind", "data"), [("order", {"id": "x"}), ("liquidation", {"a": 1.5}), ("order", "text")])
def test_what_has_no_model_is_kept_as_sent(kind: str, data: object, caplog: pytest.LogCaptureFixture) -> None:
    """A record of another shape, a type of a later version: never an error, never dropped."""
    caplog.set_level(logging.WARNING)
    found = item(kind, data)
    assert isinstance(found, OtherEvent)
    assert (found.type, found.seq) == (kind, 7)
    assert found.data == ({"a": Decimal("1.5")} if kind == "liquidation" else data)
    item(kind, data)
    assert caplog.text.count("another shape") <= 1
