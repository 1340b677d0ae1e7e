"""An order's quantities, status and record."""

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.helpers import FIXTURES, START_MS, new_order

from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.orders import conversion_rate, order_record


def scenario_record(name: str, index: int) -> dict[str, object]:
    lines = (FIXTURES / "scenarios" / f"{name}.constructed.jsonl").read_text().splitlines()
    record: dict[str, object] = msgspec.json.decode(msgspec.json.decode(lines[index])["frame"]["data"])[0]
    return record


def test_record_has_the_scenarios_fields_and_no_filled_quantity() -> None:
    """Same keys in the same order as the constructed frames."""
    record = order_record(new_order())
    assert list(record) == list(scenario_record("limit-partial-then-filled", 0))
    assert "filled_quantity" not in record


def test_partial_fill_equals_the_scenario() -> None:
    """Two of five: status, average, fee and quantities as in the constructed frame."""
    order = new_order()
    order.apply_quantity(D("2776.5"), D("0.02"), D("0.01310508"), START_MS + 4_500)
    shown = msgspec.json.decode(socket_text(order_record(order)))
    expected = scenario_record("limit-partial-then-filled", 5)
    for name in ("status", "avg_price", "fee_amount", "remaining_quantity", "cancelled_quantity", "updated_at"):
        assert shown[name] == expected[name]


def test_average_is_weighted() -> None:
    """Two fills at two prices."""
    order = new_order(quantity="3", price=None)
    order.apply_quantity(D(100), D(1), D(0), START_MS)
    order.apply_quantity(D(106), D(2), D(0), START_MS)
    assert (order.avg_price, order.status, order.display_message) == (D(104), "filled", "ETH market buy order filled!")


@pytest.mark.parametrize(
    ("fills", "rejected", "status"),
    [([], False, "cancelled"), (["0.02"], False, "partially_cancelled"), ([], True, "rejected")],
)
def test_end_moves_the_remainder_to_cancelled(fills: list[str], rejected: bool, status: str) -> None:
    """Remaining is 0 afterwards; how it ended is in the status."""
    order = new_order()
    for quantity in fills:
        order.apply_quantity(D(2776), D(quantity), D(0), START_MS)
    order.apply_end(START_MS + 1, is_rejected=rejected)
    assert (order.status, order.remaining, order.is_terminal) == (status, D(0), True)
    assert order.cancelled == D("0.05") - sum(map(D, fills))


@given(st.lists(st.integers(min_value=1, max_value=40), max_size=6), st.booleans())
def test_quantities_are_conserved(lots: list[int], ends: bool) -> None:
    """Total = filled + remaining + cancelled, at every step."""
    order = new_order(quantity="0.100")
    filled = D(0)
    for lot in lots:
        quantity = min(D(lot) / 1000, order.remaining)
        if quantity:
            order.apply_quantity(D(2776), quantity, D(0), START_MS)
            filled += quantity
        assert order.total == order.filled + order.remaining + order.cancelled
    if ends and not order.is_terminal:
        order.apply_end(START_MS)
    assert order.total == order.filled + order.remaining + order.cancelled
    assert order.filled == filled


@pytest.mark.parametrize(
    ("trigger", "price", "order_type", "text"),
    [
        (None, "1", "limit_order", "ETH limit buy order placed!"),
        (None, None, "market_order", "ETH market buy order placed!"),
        ("stop", "1", "stop_limit", "ETH stop limit buy order placed!"),
        ("stop", None, "stop_market", "ETH stop market buy order placed!"),
        ("take_profit", "1", "take_profit_limit", "ETH take profit limit buy order placed!"),
        ("take_profit", None, "take_profit_market", "ETH take profit market buy order placed!"),
    ],
)
def test_type_follows_trigger_and_price(trigger: Any, price: str | None, order_type: str, text: str) -> None:
    """Six words of the exchange, and the text for humans."""
    order = new_order(price=price, trigger=trigger, stop_price=D(5))
    order.announce("placed")
    record = order_record(order)
    assert (record["order_type"], record["stop_price"], record["display_message"]) == (order_type, D(5), text)


def test_leg_equals_the_scenario() -> None:
    """A position's stop: zero quantities until it fires and takes the position's size."""
    order = new_order("sell", "0", None, pair="B-SOL_USDT", stage="tpsl_exit", trigger="stop", stop_price=D("118.5"))
    order.status, order.price = "untriggered", D("119.27")
    shown = msgspec.json.decode(socket_text(order_record(order)))
    expected = scenario_record("tpsl-stop-fires", 1)
    for name in set(expected) - {"id", "created_at", "updated_at", "group_id"}:
        assert shown[name] == expected[name], name
    order.take_size(D(4))
    assert (order.total, order.remaining, order.filled) == (D(4), D(4), D(0))


def test_rejected_order_may_keep_its_remainder() -> None:
    """Nobody has seen which it is; quantities add up either way."""
    order = new_order()
    order.apply_end(START_MS, is_rejected=True, keeps_remaining=True)
    assert (order.status, order.remaining, order.cancelled) == ("rejected", D("0.05"), D(0))
    assert order.total == order.filled + order.remaining + order.cancelled


@pytest.mark.parametrize(
    ("side", "trigger", "upwards"),
    [("buy", "stop", True), ("sell", "stop", False), ("buy", "take_profit", False), ("sell", "take_profit", True)],
)
def test_direction_in_which_a_trigger_fires(side: str, trigger: Any, upwards: bool) -> None:
    """Stops of buyers and targets of sellers wait for a higher price."""
    assert new_order(side, trigger=trigger).request.fires_upwards is upwards


def test_announcement_names_coin_kind_and_side() -> None:
    """The text for humans."""
    order = new_order()
    assert order.display_message is None
    order.announce("placed")
    assert order.display_message == "ETH limit buy order placed!"


def test_rates() -> None:
    """One USDT is 102 INR."""
    assert (conversion_rate("USDT"), conversion_rate("INR")) == (D(1), D(102))
