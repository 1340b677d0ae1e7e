"""Differences by value."""

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import OrderRecord, PositionRecord
from coindcx_feed.feed.compare import differences


def _order(**fields: object) -> OrderRecord:
    return OrderRecord.model_validate({"id": "a", "status": "open", **fields})


def test_number_style_and_ways_to_say_none_are_no_difference() -> None:
    """The socket writes 10 and null, REST writes 10.0 and the text None."""
    stream = _order(leverage=10, group_id=None, stop_price=0, updated_at=1)
    rest = _order(leverage="10.0", group_id="None", stop_price=None, updated_at=2)
    assert differences(EventType.ORDER, stream, rest) == []


def test_field_of_one_side_only_is_no_difference() -> None:
    """REST rows lack trades and sometimes more."""
    assert differences(EventType.ORDER, _order(trades=[], fee_amount="0.1"), _order()) == []


def test_real_difference_is_named_with_both_values() -> None:
    """Field, before, after."""
    found = differences(EventType.ORDER, _order(remaining_quantity="0.05"), _order(remaining_quantity="0.02"))
    assert [(item.field, str(item.before), str(item.after)) for item in found] == [
        ("remaining_quantity", "0.05", "0.02")
    ]


def test_mark_of_a_position_moves_without_an_update() -> None:
    """A read shows the mark of its moment."""
    fields = {"id": "p", "pair": "B-ETH_USDT", "active_pos": 1}
    before = PositionRecord.model_validate({**fields, "mark_price": 100})
    after = PositionRecord.model_validate({**fields, "mark_price": 101})
    assert differences(EventType.POSITION, before, after) == []
