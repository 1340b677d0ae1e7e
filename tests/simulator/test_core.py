"""Time, schedule and order list of the engine."""

from decimal import Decimal as D

import pytest
from simulator.helpers import START_MS

from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.orders import OrderRequest, Refusal

ETH = "B-ETH_USDT"


def test_actions_run_at_their_time_in_order() -> None:
    """Equal times in the order they were asked for; a past time is now."""
    core, seen = Core(1, START_MS), list[tuple[str, int]]()
    core.at(START_MS + 20, lambda: seen.append(("late", core.now_ms)))
    core.after(10, lambda: seen.append(("first", core.now_ms)))
    core.at(START_MS + 10, lambda: seen.append(("second", core.now_ms)))
    core.at(START_MS - 5, lambda: seen.append(("past", core.now_ms)))
    core.advance(START_MS + 15)
    assert seen == [("past", START_MS), ("first", START_MS + 10), ("second", START_MS + 10)]
    core.advance(START_MS + 20)
    assert seen[-1] == ("late", START_MS + 20)


def test_action_may_ask_for_another_at_the_same_time() -> None:
    """It still happens in the same advance."""
    core, seen = Core(1, START_MS), list[int]()
    core.after(10, lambda: core.after(0, lambda: seen.append(core.now_ms)))
    core.advance(START_MS + 10)
    assert seen == [START_MS + 10]


def test_unknown_pair_is_refused() -> None:
    """With the exchange's 404."""
    with pytest.raises(Refusal, match="B-NOPE_USDT not found") as caught:
        Core(1, START_MS).instrument("B-NOPE_USDT")
    assert caught.value.status == 404


def test_open_orders_are_those_that_can_still_change() -> None:
    """Of a pair and currency, or all."""
    core = Core(1, START_MS)
    orders = [core.new_order(OrderRequest("buy", ETH, D(1), D(2000), currency=name)) for name in ("USDT", "INR")]
    core.keep(orders)
    assert core.open_orders() == orders
    assert core.open_orders(ETH, "INR") == orders[1:]
    assert core.open_orders("B-BTC_USDT") == []
    orders[0].apply_end(START_MS)
    assert core.open_orders() == orders[1:]
    assert list(core.orders.values()) == orders


@pytest.mark.parametrize(("active", "side", "closable"), [("2", "sell", "2"), ("2", "buy", "0"), ("-3", "buy", "3")])
def test_closable_is_the_size_against_the_order(active: str, side: str, closable: str) -> None:
    """Nothing without a position."""
    core = Core(1, START_MS)
    order = core.new_order(OrderRequest("buy" if side == "buy" else "sell", ETH, D(1)))
    assert core.closable(order) == 0
    core.account.position(order.instrument, "USDT", D(5), START_MS).active = D(active)
    assert core.closable(order) == D(closable)


def test_new_order_has_the_market_price_without_a_limit() -> None:
    """As on the wire, where the price of a market order is not null."""
    core = Core(1, START_MS)
    assert core.new_order(OrderRequest("buy", ETH, D(1))).price == core.market.last_price(ETH, START_MS)
    assert core.new_order(OrderRequest("buy", ETH, D(1), D(2000))).price == D(2000)
