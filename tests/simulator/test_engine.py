"""Lives of orders on the engine's own clock: sequences, times, cancels, exits, determinism."""

import itertools
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.helpers import START_MS, funded_exchange, records

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.demo import DemoTrader
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders import OrderRequest, Refusal
from coindcx_feed.simulator.topics import Frame

ETH = "B-ETH_USDT"


def limit_request(exchange: Exchange, distance: str, *, quantity: str = "0.05", currency: str = "USDT") -> OrderRequest:
    """A buy limit this fraction below the bid."""
    instrument = exchange.instrument(ETH)
    bid = exchange.market.best_bid(ETH, exchange.now_ms)
    price = instrument.price(bid - round(bid * float(distance)))
    return OrderRequest("buy", ETH, D(quantity), price, D(5), "INR" if currency == "INR" else "USDT")


def market_request(side: str = "buy", quantity: str = "0.05") -> OrderRequest:
    return OrderRequest("sell" if side == "sell" else "buy", ETH, D(quantity), None, D(5))


def story(frames: list[Frame]) -> list[tuple[int, str]]:
    """Return (offset, status) of the order records."""
    return [
        (frame.at_ms - START_MS, record["status"])
        for frame in frames
        if frame.event == wire.ORDER_EVENT
        for record in records([frame], wire.ORDER_EVENT)
    ]


def test_market_order_goes_initial_initial_filled() -> None:
    """The doubled first frame is identical, there is no ``open``, the times are the measured ones."""
    exchange = funded_exchange()
    exchange.place(market_request())
    frames = exchange.advance(START_MS + 5_000)
    assert story(frames) == [(0, "initial"), (30, "initial"), (550, "filled")]
    texts = [frame.data for frame in frames if frame.event == wire.ORDER_EVENT]
    assert texts[0] == texts[1]
    filled = records(frames, wire.ORDER_EVENT)[-1]
    assert filled["fee_amount"] == filled["avg_price"] * D("0.05") * D("0.059") / 100
    assert (filled["remaining_quantity"], filled["trades"], filled["updated_at"]) == (0, [], START_MS + 550)


def test_order_position_balance_follow_each_other() -> None:
    """Position 2 ms and wallet 5 ms after the order's frame; the position shows the resting quantity."""
    exchange = funded_exchange()
    exchange.place(limit_request(exchange, "0.01"))
    frames = exchange.advance(START_MS + 10)
    assert [(frame.at_ms - START_MS, frame.event) for frame in frames] == [
        (0, wire.ORDER_EVENT),
        (2, wire.POSITION_EVENT),
        (5, wire.BALANCE_EVENT),
    ]
    position = records(frames, wire.POSITION_EVENT)[0]
    assert (position["active_pos"], position["inactive_pos_buy"]) == (0, D("0.05"))
    assert all(frame.channel == wire.PRIVATE_CHANNEL for frame in frames)


def test_resting_order_opens_and_is_cancelled() -> None:
    """The remainder moves to cancelled, the wallet is whole again."""
    exchange = funded_exchange()
    order = exchange.place(limit_request(exchange, "0.02", currency="INR"))
    frames = exchange.advance(START_MS + 2_000)
    exchange.cancel(order.id)
    frames += exchange.advance(START_MS + 4_000)
    assert story(frames) == [(0, "initial"), (30, "initial"), (295, "open"), (2_120, "cancelled")]
    last = records(frames, wire.ORDER_EVENT)[-1]
    assert (last["remaining_quantity"], last["cancelled_quantity"], last["locked_margin"]) == (0, D("0.05"), 0)
    balances = records(frames, wire.BALANCE_EVENT)
    assert {row["currency_short_name"] for row in balances} == {"INR"}
    assert (balances[0]["balance"], balances[-1]["balance"]) != (balances[-1]["balance"], balances[0]["balance"])
    assert (balances[-1]["balance"], balances[-1]["locked_balance"]) == ("2500000", "0")


def test_marketable_limit_order_opens_then_fills_at_no_worse_price() -> None:
    """``initial, initial, open, filled`` as seen on live accounts."""
    exchange = funded_exchange()
    order = exchange.place(limit_request(exchange, "-0.005"))
    frames = exchange.advance(START_MS + 2_000)
    assert story(frames) == [(0, "initial"), (30, "initial"), (295, "open"), (630, "filled")]
    assert order.avg_price <= order.price
    fill = exchange.account.fills[-1]
    assert (fill.at_ms - START_MS, fill.is_maker) == (210, False)


def test_order_at_the_touch_fills_in_parts_as_maker() -> None:
    """A large order at the bid: partial fills, at its own price, until it is filled or the time is up."""
    exchange = funded_exchange(usdt=5_000_000)
    order = exchange.place(limit_request(exchange, "0", quantity="60"))
    frames = exchange.advance(START_MS + 600_000)
    statuses = [status for _, status in story(frames)]
    assert "partially_filled" in statuses
    assert {fill.price for fill in exchange.account.fills} == {order.price}
    assert sum(fill.quantity for fill in exchange.account.fills) == order.filled
    for record in records(frames, wire.ORDER_EVENT):
        assert (
            record["fee_amount"]
            == record["avg_price"]
            * (record["total_quantity"] - record["remaining_quantity"] - record["cancelled_quantity"])
            * D("0.0236")
            / 100
        )


def test_order_outside_the_band_is_accepted_then_rejected() -> None:
    """Quantity moves to cancelled, the margin comes back."""
    exchange = funded_exchange()
    exchange.place(limit_request(exchange, "0.15"))
    frames = exchange.advance(START_MS + 2_000)
    assert story(frames) == [(0, "initial"), (30, "initial"), (330, "rejected")]
    last = records(frames, wire.ORDER_EVENT)[-1]
    assert (last["remaining_quantity"], last["cancelled_quantity"]) == (0, D("0.05"))
    assert exchange.account.wallet("USDT").locked == 0


@pytest.mark.parametrize(("choice", "count"), [("identical", 1), ("later", 2), ("none", 1)])
def test_second_initial_is_switchable(choice: str, count: int) -> None:
    """Identical, with a later time, or absent."""
    exchange = Exchange(1, START_MS, Behaviour(initial_repeat=choice))  # type: ignore[arg-type]
    exchange.deposit("USDT", D(1_000))
    exchange.place(market_request())
    frames = [frame for frame in exchange.advance(START_MS + 200) if frame.event == wire.ORDER_EVENT]
    assert len(frames) == (1 if choice == "none" else 2)
    assert len({frame.data for frame in frames}) == count


def test_open_of_market_orders_is_switchable() -> None:
    """Off by default."""
    exchange = Exchange(1, START_MS, Behaviour(shows_market_open=True))
    exchange.deposit("USDT", D(1_000))
    exchange.place(market_request())
    assert [status for _, status in story(exchange.advance(START_MS + 2_000))][2:] == ["open", "filled"]


def test_cancel_refusals() -> None:
    """Unknown, already ended, and market orders."""
    exchange = funded_exchange()
    order = exchange.place(market_request())
    with pytest.raises(Refusal, match="market order cannot be cancelled"):
        exchange.cancel(order.id)
    exchange.advance(START_MS + 2_000)
    with pytest.raises(Refusal, match="already filled and cannot be cancelled") as caught:
        exchange.cancel(order.id)
    assert caught.value.status == 422
    with pytest.raises(Refusal, match="not found") as caught:
        exchange.cancel("nope")
    assert caught.value.status == 404


def test_cancel_before_the_fill_wins() -> None:
    """A marketable limit order cancelled at once never fills; a second cancel is accepted and does nothing."""
    exchange = funded_exchange()
    order = exchange.place(limit_request(exchange, "-0.005"))
    exchange.cancel(order.id)
    exchange.cancel(order.id)
    statuses = [status for _, status in story(exchange.advance(START_MS + 3_000))]
    assert statuses == ["initial", "initial", "cancelled"]
    assert order.filled == 0


def test_refused_order_leaves_no_trace() -> None:
    """Unknown pair, and too little money."""
    exchange = funded_exchange(usdt=10)
    with pytest.raises(Refusal, match="not found"):
        exchange.place(OrderRequest("buy", "B-NOPE_USDT", D(1)))
    with pytest.raises(Refusal, match="Insufficient funds"):
        exchange.place(market_request())
    assert exchange.advance(START_MS + 2_000) == []
    assert exchange.orders == {}


def test_closing_order_needs_no_margin() -> None:
    """Up to the size of the position, shared by all closing orders; only the rest is reserved."""
    exchange = funded_exchange()
    exchange.place(market_request())
    exchange.advance(START_MS + 2_000)
    first = exchange.place(market_request("sell", "0.03"))
    second = exchange.place(market_request("sell", "0.05"))
    assert (first.ideal_margin, first.reserved_quantity) == (D(0), D(0))
    assert second.reserved_quantity == D("0.03")
    exchange.advance(START_MS + 4_000)
    assert exchange.account.positions[ETH, "USDT"].active == D("-0.03")


@pytest.mark.parametrize("parts", [1, 2])
def test_exit_closes_by_orders_of_one_group(parts: int) -> None:
    """Two parts come as two records in one frame; the group succeeds and the position is flat."""
    exchange = funded_exchange()
    exchange.place(market_request(quantity="0.3"))
    exchange.advance(START_MS + 2_000)
    position = exchange.account.positions[ETH, "USDT"]
    group_id = exchange.exit(position, parts)
    frames = exchange.advance(START_MS + 5_000)
    rows = records(frames, wire.ORDER_EVENT)
    assert {row["group_id"] for row in rows} == {group_id}
    assert {row["stage"] for row in rows} == {"exit"}
    last = [frame for frame in frames if frame.event == wire.ORDER_EVENT][-1]
    ended = records([last], wire.ORDER_EVENT)
    assert len(ended) == parts
    assert {(row["status"], row["group_status"]) for row in ended} == {("filled", "success")}
    assert ended[0]["display_message"] == "ETHUSDT Position exited successfully!"
    assert (position.active, exchange.account.wallet("USDT").locked) == (D(0), D(0))
    with pytest.raises(Refusal, match="inactive"):
        exchange.exit(position)


def test_exit_never_opens_a_new_position() -> None:
    """Two exits at once: the second one finds nothing to close and is cancelled."""
    exchange = funded_exchange()
    exchange.place(market_request())
    exchange.advance(START_MS + 2_000)
    position = exchange.account.positions[ETH, "USDT"]
    exchange.exit(position)
    exchange.exit(position)
    exchange.advance(START_MS + 5_000)
    assert position.active == 0
    assert [order.status for order in exchange.orders.values()] == ["filled", "filled", "cancelled"]


def test_old_orders_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; open orders stay."""
    monkeypatch.setattr("coindcx_feed.simulator.core.ORDERS_KEPT", 20)
    exchange = funded_exchange()
    keeper = exchange.place(limit_request(exchange, "0.05"))
    for number in range(40):
        exchange.cancel(exchange.place(limit_request(exchange, "0.05")).id)
        exchange.advance(START_MS + 1_000 * (number + 1))
    assert len(exchange.orders) <= 21
    assert keeper.id in exchange.orders


def test_time_does_not_run_backwards() -> None:
    """An earlier time lets nothing pass."""
    exchange = funded_exchange()
    exchange.advance(START_MS + 5_000)
    assert exchange.advance(START_MS) == []
    assert exchange.now_ms == START_MS + 5_000


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=120_000), max_size=8))
def test_cut_of_time_changes_nothing(cuts: list[int]) -> None:
    """The same seed gives the same frames, however the two minutes are cut."""
    end = START_MS + 120_000

    def run(times: list[int]) -> list[Frame]:
        exchange = Exchange(5, START_MS)
        DemoTrader(exchange, 5).start()
        return [frame for at_ms in times for frame in exchange.advance(at_ms)]

    whole = run([end])
    assert run([START_MS + cut for cut in sorted(cuts)] + [end]) == whole
    assert all(a.at_ms <= b.at_ms for a, b in itertools.pairwise(whole))


def test_market_order_beyond_the_book_is_filled_in_part_and_cancelled() -> None:
    """What fifty levels do not hold is cancelled; money and quantities still add up."""
    exchange = funded_exchange(usdt=50_000_000)
    exchange.place(market_request(quantity="2000"))
    last = records(exchange.advance(START_MS + 2_000), wire.ORDER_EVENT)[-1]
    assert last["status"] == "partially_cancelled"
    assert last["cancelled_quantity"] > 0
    position = exchange.account.positions[ETH, "USDT"]
    assert position.active == last["total_quantity"] - last["cancelled_quantity"]
    assert exchange.account.wallet("USDT").locked == position.locked_margin


def test_closing_order_that_would_open_without_money_is_cancelled() -> None:
    """Its position was closed by another order meanwhile, and the wallet cannot carry a new one."""
    exchange = funded_exchange(usdt=30)
    exchange.place(market_request())
    exchange.advance(START_MS + 2_000)
    bid = exchange.instrument(ETH).price(exchange.market.best_bid(ETH, exchange.now_ms))
    closing = exchange.place(OrderRequest("sell", ETH, D("0.05"), bid * D("0.99") // D("0.01") * D("0.01"), D(5)))
    exchange.exit(exchange.account.positions[ETH, "USDT"])
    exchange.account.deposit(exchange.now_ms, "USDT", -exchange.account.wallet("USDT").available)
    exchange.at(exchange.now_ms + 600, lambda: exchange.account.deposit(
        exchange.now_ms, "USDT", -exchange.account.wallet("USDT").available
    ))  # fmt: skip
    exchange.advance(START_MS + 5_000)
    assert (closing.status, exchange.account.positions[ETH, "USDT"].active) == ("cancelled", D(0))
    assert exchange.account.ledger.total("USDT") == 0
