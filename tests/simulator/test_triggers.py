"""Stops and targets: a position's own pair and orders with a trigger, what fires them and what their firing does."""

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from simulator.helpers import FIXTURES, funded_exchange, near, opened, records, statuses

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders import Order, OrderRequest, Refusal
from coindcx_feed.simulator.topics import Frame

ETH = "B-ETH_USDT"
HOUR_MS = 3_600_000


def protect(exchange: Exchange, target: str | None = "0.05", stop: str | None = "-0.05") -> list[Order]:
    """Give a long position its legs, as shares away from the price."""
    position = exchange.account.positions[ETH, "USDT"]
    made = exchange.protect(
        position,
        None if target is None else near(exchange, ETH, target),
        None if stop is None else near(exchange, ETH, stop),
    )
    return [leg for leg in made.values() if isinstance(leg, Order)]


def until_fired(exchange: Exchange, order: Order) -> list[Frame]:
    """Let time pass until an order is no longer waiting, at most six hours."""
    frames: list[Frame] = []
    end_ms = exchange.now_ms + 6 * HOUR_MS
    while order.status == "untriggered" and exchange.now_ms < end_ms:
        frames += exchange.advance(exchange.now_ms + 1_000)
    return frames + exchange.advance(exchange.now_ms + 3_000)


def test_legs_wait_untriggered_with_zero_quantities() -> None:
    """One frame each, then the position with both prices, as in the constructed scenario."""
    exchange = funded_exchange()
    opened(exchange)
    stop, target = protect(exchange)
    rows = records(exchange.advance(exchange.now_ms + 100), wire.ORDER_EVENT)
    assert [row["order_type"] for row in rows] == ["stop_market", "take_profit_market"]
    for row in rows:
        assert (row["status"], row["order_category"], row["stage"]) == ("untriggered", "complete_tpsl", "tpsl_exit")
        assert (row["total_quantity"], row["remaining_quantity"], row["cancelled_quantity"]) == (0, 0, 0)
    assert rows[0]["group_id"] == rows[1]["group_id"]
    position = records([exchange_position(exchange)], wire.POSITION_EVENT)[0]
    assert position["stop_loss_trigger"] == stop.request.stop_price
    assert position["take_profit_trigger"] == target.request.stop_price


def exchange_position(exchange: Exchange) -> Frame:
    """Make the exchange send its position once more, by a margin that changes."""
    exchange.change_margin(exchange.account.positions[ETH, "USDT"], D(1))
    return next(frame for frame in exchange.advance(exchange.now_ms + 10) if frame.event == wire.POSITION_EVENT)


@pytest.mark.parametrize(("target", "stop"), [("0.002", "-0.05"), ("0.05", "-0.002")])
def test_leg_that_fires_closes_the_position_and_its_sibling(target: str, stop: str) -> None:
    """``untriggered, initial, filled``; the other one is cancelled 30 ms later with zero quantities."""
    exchange = funded_exchange()
    position = opened(exchange)
    legs = protect(exchange, target, stop)
    fired, sibling = (legs[1], legs[0]) if target == "0.002" else (legs[0], legs[1])
    frames = until_fired(exchange, fired)
    assert statuses(frames, fired.id) == ["untriggered", "initial", "filled"]
    assert statuses(frames, sibling.id) == ["untriggered", "cancelled"]
    rows = records(frames, wire.ORDER_EVENT)
    initial, filled = (row for row in rows if row["id"] == fired.id and row["status"] != "untriggered")
    assert (initial["total_quantity"], filled["remaining_quantity"]) == (D("0.3"), 0)
    assert filled["updated_at"] - initial["updated_at"] == 380
    cancelled = next(row for row in rows if row["id"] == sibling.id and row["status"] == "cancelled")
    assert cancelled["updated_at"] - filled["updated_at"] == 30
    assert (cancelled["total_quantity"], cancelled["cancelled_quantity"]) == (0, 0)
    assert position.active == 0
    assert exchange.open_orders() == []
    assert {row.stage for row in exchange.account.rows} == {"default", "tpsl_exit"}


def test_sequence_equals_the_constructed_scenario() -> None:
    """Statuses of both legs in the order of the recorded story."""
    lines = (FIXTURES / "scenarios" / "tpsl-stop-fires.constructed.jsonl").read_text().splitlines()
    expected = [
        (row["order_type"], row["status"])
        for line in lines
        if (frame := msgspec.json.decode(line)["frame"])["event"] == wire.ORDER_EVENT
        for row in msgspec.json.decode(frame["data"])
    ]
    exchange = funded_exchange()
    opened(exchange)
    stop, _ = protect(exchange, "0.05", "-0.002")
    rows = records(until_fired(exchange, stop), wire.ORDER_EVENT)
    assert [(row["order_type"], row["status"]) for row in rows] == expected


def test_sibling_without_a_frame_is_seen_by_rest_only() -> None:
    """Nobody knows whether the cancelled sibling is announced."""
    exchange = funded_exchange()
    exchange.behaviour.shows_sibling = False
    opened(exchange)
    stop, target = protect(exchange, "0.05", "-0.002")
    frames = until_fired(exchange, stop)
    assert statuses(frames, target.id) == ["untriggered"]
    assert target.status == "cancelled"


def test_second_leg_of_a_kind_is_refused_while_the_other_is_made() -> None:
    """Per leg, inside one reply."""
    exchange = funded_exchange()
    position = opened(exchange)
    protect(exchange, target=None)
    made = exchange.protect(position, near(exchange, ETH, "0.05"), near(exchange, ETH, "-0.04"))
    assert made["stop_loss"] == "SL already exists"
    assert isinstance(made["take_profit"], Order)
    again = exchange.protect(position, near(exchange, ETH, "0.06"))
    assert again == {"take_profit": "TP already exists"}


def test_leg_on_the_wrong_side_is_refused() -> None:
    """A long's target above the price, its stop below; mirrored for a short."""
    exchange = funded_exchange()
    position = opened(exchange)
    made = exchange.protect(position, near(exchange, ETH, "-0.01"), near(exchange, ETH, "0.01"))
    assert made == {
        "stop_loss": "Trigger price should be less than the current price",
        "take_profit": "Trigger price should be greater than the current price",
    }
    short = opened(exchange, "B-SOL_USDT", "3", "sell")
    made = exchange.protect(short, near(exchange, "B-SOL_USDT", "-0.05"), near(exchange, "B-SOL_USDT", "0.05"))
    assert all(isinstance(leg, Order) and leg.request.side == "buy" for leg in made.values())


def test_flat_position_takes_no_legs() -> None:
    """There is nothing to protect."""
    exchange = funded_exchange()
    position = opened(exchange)
    exchange.exit(position)
    exchange.advance(exchange.now_ms + 2_000)
    with pytest.raises(Refusal, match="inactive position"):
        exchange.protect(position, near(exchange, ETH, "0.05"))


@pytest.mark.parametrize("how", ["exit", "market", "turn"])
def test_legs_go_with_their_position(how: str) -> None:
    """Closed by an exit, by an order, or turned round: both legs are cancelled."""
    exchange = funded_exchange()
    position = opened(exchange)
    legs = protect(exchange)
    if how == "exit":
        exchange.exit(position)
    else:
        exchange.place(OrderRequest("sell", ETH, D("0.3") if how == "market" else D("0.5"), None, D(5)))
    exchange.advance(exchange.now_ms + 3_000)
    assert [leg.status for leg in legs] == ["cancelled", "cancelled"]


def test_waiting_leg_can_be_cancelled_alone() -> None:
    """A market type, but untriggered: the other leg stays."""
    exchange = funded_exchange()
    opened(exchange)
    stop, target = protect(exchange)
    exchange.cancel(stop.id)
    exchange.advance(exchange.now_ms + 500)
    assert (stop.status, target.status) == ("cancelled", "untriggered")
    assert exchange.account.positions[ETH, "USDT"].active == D("0.3")


@pytest.mark.parametrize(
    ("side", "trigger", "stop", "limit", "order_type"),
    [
        ("buy", "stop", "0.002", None, "stop_market"),
        ("sell", "stop", "-0.002", None, "stop_market"),
        ("buy", "take_profit", "-0.002", None, "take_profit_market"),
        ("sell", "take_profit", "0.002", "0.001", "take_profit_limit"),
        ("buy", "stop", "0.002", "0.004", "stop_limit"),
    ],
)
def test_order_with_a_trigger_lives_like_another_once_fired(
    side: Any, trigger: Any, stop: str, limit: str | None, order_type: str
) -> None:
    """Reserved when placed, ``untriggered`` until the last price is there, then ``initial`` and filled."""
    exchange = funded_exchange()
    price = None if limit is None else near(exchange, ETH, limit)
    order = exchange.place(
        OrderRequest(side, ETH, D("0.1"), price, D(5), trigger=trigger, stop_price=near(exchange, ETH, stop))
    )
    assert exchange.account.wallet("USDT").locked == order.locked_margin > 0
    frames = until_fired(exchange, order)
    frames += exchange.advance(exchange.now_ms + HOUR_MS)
    shown = [status for status in statuses(frames, order.id) if status != "partially_filled"]
    assert shown == ["untriggered", "initial", *(["open"] if limit else []), "filled"]
    assert records(frames, wire.ORDER_EVENT)[0]["order_type"] == order_type
    assert exchange.account.positions[ETH, "USDT"].active == (D("0.1") if side == "buy" else D("-0.1"))
    assert exchange.account.wallet("USDT").locked == exchange.account.positions[ETH, "USDT"].locked_margin


def test_nothing_fires_before_the_price_is_there() -> None:
    """Five minutes beside a far trigger."""
    exchange = funded_exchange()
    stop = near(exchange, ETH, "0.09")
    order = exchange.place(OrderRequest("buy", ETH, D("0.1"), None, D(5), trigger="stop", stop_price=stop))
    frames = exchange.advance(exchange.now_ms + 300_000)
    assert statuses(frames) == ["untriggered"]
    assert order.status == "untriggered"
    assert order.display_message == "ETH stop market buy order placed!"
