"""Exits in one or two parts, and liquidation orders: what they close, and that they never open."""

from decimal import Decimal as D

import msgspec
import pytest
from simulator.helpers import funded_exchange, opened, records, statuses

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.announcer import Announcer
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.closings import Closings
from coindcx_feed.simulator.lifecycle import Lifecycle
from coindcx_feed.simulator.orders import OrderRequest

ETH = "B-ETH_USDT"


@pytest.mark.parametrize(("limit", "children"), [(D(1_000), 1), (D(500), 2)])
def test_large_exit_is_split_into_two_children_of_a_group(limit: D, children: int) -> None:
    """From a value on; both children come in one frame and share the group."""
    exchange = funded_exchange()
    exchange.behaviour.split_exit_usdt = limit
    position = opened(exchange, quantity="0.3")
    group_id = exchange.exit(position)
    frames = [f for f in exchange.advance(exchange.now_ms + 3_000) if f.event == wire.ORDER_EVENT]
    first = msgspec.json.decode(frames[0].data)
    assert len(first) == children
    assert {row["group_id"] for row in first} == {group_id}
    assert sum(D(str(row["total_quantity"])) for row in first) == D("0.3")
    assert position.active == 0


def test_children_can_come_in_frames_of_their_own() -> None:
    """Nobody knows whether the real ones share a frame."""
    exchange = funded_exchange()
    exchange.behaviour = Behaviour(one_frame=False)
    position = opened(exchange)
    exchange.exit(position, parts=2)
    frames = [f for f in exchange.advance(exchange.now_ms + 3_000) if f.event == wire.ORDER_EVENT]
    # The doubled first frame is the copy of what was sent together.
    assert {len(msgspec.json.decode(frame.data)) for frame in frames if "initial" not in frame.data} == {1}


def test_smallest_position_is_not_split() -> None:
    """A third of one lot is nothing."""
    exchange = funded_exchange()
    exchange.exit(opened(exchange, "B-BTC_USDT", "0.001"), parts=2)
    assert len([order for order in exchange.open_orders() if order.request.stage == "exit"]) == 1


def test_liquidation_order_is_told_by_stage_fee_and_text() -> None:
    """Taker and liquidation fee together; no group."""
    exchange = funded_exchange()
    announcer = Announcer(exchange)
    closings = Closings(exchange, announcer, Lifecycle(exchange, announcer))
    closings.liquidate([opened(exchange)])
    last = records(exchange.advance(exchange.now_ms + 3_000), wire.ORDER_EVENT)[-1]
    assert (last["stage"], last["status"]) == ("liquidate", "filled")
    assert (last["group_id"], last["group_status"]) == (None, None)
    assert (last["liquidation_fee"], last["display_message"]) == (1, "ETHUSDT Position liquidated!")
    expected = last["avg_price"] * last["total_quantity"] * D("1.059") / 100
    assert abs(last["fee_amount"] - expected) < D("1e-9")


def test_closing_order_takes_only_what_is_left() -> None:
    """The position was halved meanwhile: the rest of the order is cancelled."""
    exchange = funded_exchange()
    position = opened(exchange, quantity="0.4")
    exchange.place(OrderRequest("sell", ETH, D("0.2"), None, D(5)))
    exchange.advance(exchange.now_ms + 100)
    exchange.exit(position)
    frames = exchange.advance(exchange.now_ms + 3_000)
    assert position.active == 0
    assert "partially_cancelled" in statuses(frames)
    assert exchange.account.wallet("USDT").locked == 0
