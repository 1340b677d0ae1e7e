"""Switches of an order's life that no live account has shown."""

from decimal import Decimal as D

import pytest
from simulator.helpers import funded_exchange, near, opened, records, statuses

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.orders import OrderRequest

ETH = "B-ETH_USDT"


@pytest.mark.parametrize(("place", "remaining", "cancelled"), [("cancelled", "0", "0.1"), ("remaining", "0.1", "0")])
def test_every_order_can_be_rejected(place: str, remaining: str, cancelled: str) -> None:
    """Accepted, then ``rejected``; where its quantity is shown is a switch. The money comes back."""
    exchange = funded_exchange()
    exchange.behaviour = Behaviour(rejects_orders=True, rejected_remainder=place)  # type: ignore[arg-type]
    order = exchange.place(OrderRequest("buy", ETH, D("0.1"), None, D(5)))
    frames = exchange.advance(exchange.now_ms + 2_000)
    assert statuses(frames, order.id) == ["initial", "initial", "rejected"]
    last = records(frames, wire.ORDER_EVENT)[-1]
    assert (last["remaining_quantity"], last["cancelled_quantity"]) == (D(remaining), D(cancelled))
    assert last["display_message"] == "ETH market buy order rejected!"
    assert exchange.account.wallet("USDT").locked == 0
    assert exchange.open_orders() == []


def test_orders_ended_together_share_a_frame() -> None:
    """Cancel all: one array with every order, then each position and wallet once."""
    exchange = funded_exchange()
    for share in ("-0.01", "-0.02", "-0.03"):
        exchange.place(OrderRequest("buy", ETH, D("0.1"), near(exchange, ETH, share), D(5)))
    exchange.place(OrderRequest("buy", ETH, D("0.1"), near(exchange, ETH, "-0.03"), D(5), "INR"))
    exchange.advance(exchange.now_ms + 2_000)
    assert len(exchange.cancel_all()) == 4
    frames = exchange.advance(exchange.now_ms + 2_000)
    assert [(frame.event, frame.data.count('"id"')) for frame in frames] == [
        (wire.ORDER_EVENT, 4),
        (wire.POSITION_EVENT, 1),
        (wire.POSITION_EVENT, 1),
        (wire.BALANCE_EVENT, 1),
        (wire.BALANCE_EVENT, 1),
    ]
    assert exchange.account.wallet("USDT").locked == exchange.account.wallet("INR").locked == 0


def test_cancel_all_of_a_pair_spares_the_others() -> None:
    """And market orders, which cannot be cancelled."""
    exchange = funded_exchange()
    kept = exchange.place(OrderRequest("buy", "B-SOL_USDT", D(1), near(exchange, "B-SOL_USDT", "-0.03"), D(5)))
    market = exchange.place(OrderRequest("buy", ETH, D("0.1"), None, D(5)))
    gone = exchange.place(OrderRequest("buy", ETH, D("0.1"), near(exchange, ETH, "-0.03"), D(5)))
    assert exchange.cancel_all(ETH, "USDT") == [gone]
    exchange.advance(exchange.now_ms + 2_000)
    assert [order.status for order in (kept, market, gone)] == ["open", "filled", "cancelled"]


def test_margin_type_and_leverage_of_a_flat_position_follow_the_next_order() -> None:
    """An open one keeps its own."""
    exchange = funded_exchange()
    position = opened(exchange, margin_type="crossed", leverage=D(10))
    assert (position.margin_type, position.leverage) == ("crossed", D(10))
    exchange.exit(position)
    exchange.advance(exchange.now_ms + 2_000)
    assert opened(exchange, leverage=D(4)) is position
    assert (position.margin_type, position.leverage) == ("isolated", D(4))
