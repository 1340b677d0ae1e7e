"""Refusals carry the documented statuses and messages."""

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from simulator.helpers import FIXTURES, START_MS, new_order

from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.orders import Refusal
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.validation import (
    check_margin_change,
    check_request,
    check_trigger,
    is_leverage_bound,
    is_outside_band,
)

ETH = instruments()["B-ETH_USDT"]
DOCUMENTED = {
    (row["http_status"], row["message"])
    for row in msgspec.json.decode((FIXTURES / "rest" / "errors.docs.json").read_bytes())
}


def refusal(position: Position | None = None, **order: Any) -> tuple[int, str]:
    request = new_order(**order).request
    with pytest.raises(Refusal) as caught:
        check_request(request, ETH, request.price or D(2776), position, [])
    return caught.value.status, caught.value.message


@pytest.mark.parametrize(
    ("order", "status", "message"),
    [
        ({"price": "2776.005"}, 400, "Price should be divisible by 0.01"),
        ({"price": "39.85"}, 400, "Price is out of permissible range"),
        ({"price": "152000.01"}, 400, "Price is out of permissible range"),
        ({"quantity": "9500.001"}, 422, "Quantity for limit variant orders should be less than 9500.0"),
        ({"quantity": "2000.001", "price": None}, 422, "Quantity for market variant orders should be less than 2000.0"),
        ({"quantity": "0.0005"}, 422, "Quantity should be greater than 0.001"),
        ({"quantity": "0.0105"}, 400, "Quantity should be divisible by 0.001"),
        ({"quantity": "0.008"}, 400, "Minimum order value should be 24.0 USDT"),
        ({"leverage": 0}, 400, "Leverage cannot be less than 1x"),
        ({"leverage": 101}, 400, "Max allowed leverage for current position size = 100x"),
        ({"quantity": "9000", "leverage": 5}, 400, "Max allowed leverage for current position size = 3x"),
    ],
)
def test_bad_orders(order: dict[str, Any], status: int, message: str) -> None:
    """One rule each."""
    assert refusal(**order) == (status, message)


def test_messages_are_among_the_documented_ones() -> None:
    """Word for word, where the document gives a figure."""
    assert refusal(price="2776.005") in DOCUMENTED
    assert refusal(quantity="9500.001") in DOCUMENTED
    assert refusal(price="39.85") in DOCUMENTED


def test_leverage_must_equal_an_open_positions() -> None:
    """A flat position without orders is free."""
    position = Position("position-1", ETH, "USDT", D(5), START_MS)
    request = new_order(leverage=4).request
    check_request(request, ETH, D(2776), position, [])
    with pytest.raises(Refusal, match="Order leverage must be equal to position leverage"):
        check_request(request, ETH, D(2776), position, [new_order()])
    position.active = D(1)
    assert refusal(position, leverage=4) == (422, "Order leverage must be equal to position leverage")
    check_request(new_order(leverage=5).request, ETH, D(2776), position, [])


LAST = D(2776)


@pytest.mark.parametrize(
    ("side", "trigger", "stop", "price", "message"),
    [
        ("buy", "stop", "2776", None, "Trigger price should be greater than the current price"),
        ("sell", "take_profit", "2770", None, "Trigger price should be greater than the current price"),
        ("sell", "stop", "2776", None, "Trigger price should be less than the current price"),
        ("buy", "take_profit", "2780", None, "Trigger price should be less than the current price"),
        ("buy", "stop", "2780", "2779", "Limit price should be greater than the trigger price"),
        ("sell", "stop", "2770", "2771", "Limit price should be less than the trigger price"),
        ("buy", "stop", "2780.005", None, "Price should be divisible by 0.01"),
    ],
)
def test_bad_triggers(side: str, trigger: Any, stop: str, price: str | None, message: str) -> None:
    """The documented messages, by side and kind."""
    order = new_order(side, price=price, trigger=trigger, stop_price=D(stop))
    with pytest.raises(Refusal) as caught:
        check_trigger(order.request, ETH, LAST)
    assert (caught.value.status, caught.value.message) in DOCUMENTED
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("side", "trigger", "stop", "price"),
    [("buy", "stop", "2780", "2780"), ("sell", "stop", "2770", None), ("sell", "take_profit", "2790", "2785")],
)
def test_good_triggers(side: str, trigger: Any, stop: str, price: str | None) -> None:
    """A limit at the trigger itself is allowed."""
    check_trigger(new_order(side, price=price, trigger=trigger, stop_price=D(stop)).request, ETH, LAST)


def test_trigger_needs_its_price() -> None:
    """A stop without one is no order."""
    with pytest.raises(Refusal, match="Stop price can't be empty for stop_market Order"):
        check_trigger(new_order(price=None, trigger="stop").request, ETH, LAST)


def test_crossed_margin_is_for_usdt_and_for_the_whole_position() -> None:
    """Not for INR, and not against an open position's own type."""
    assert refusal(currency="INR", margin_type="crossed")[0] == 422
    position = Position("position-1", ETH, "USDT", D(5), START_MS)
    check_request(new_order(margin_type="crossed").request, ETH, LAST, position, [])
    check_margin_change(position, [], "crossed")
    position.active = D(1)
    assert "margin type" in refusal(position, margin_type="crossed")[1]
    with pytest.raises(Refusal, match="cannot be changed"):
        check_margin_change(position, [], "crossed")
    with pytest.raises(Refusal, match="USDT margin only"):
        check_margin_change(Position("position-2", ETH, "INR", D(5), START_MS), [], "crossed")


def test_leverage_is_bound_by_size_or_orders() -> None:
    """Neither: free."""
    position = Position("position-1", ETH, "USDT", D(5), START_MS)
    assert not is_leverage_bound(None, [])
    assert not is_leverage_bound(position, [])
    assert is_leverage_bound(position, [new_order()])


@pytest.mark.parametrize(("price", "outside"), [("2500", False), ("2498", True), ("3054", True), (None, False)])
def test_venue_band_is_ten_percent(price: str | None, outside: bool) -> None:
    """Limit orders far from the mark are accepted first and rejected later; market orders are not."""
    assert is_outside_band(new_order(price=price), D("2776")) is outside
