"""Matching decides on no more than remains, at no worse than the limit."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator.helpers import START_MS, new_order

from coindcx_feed.simulator.book import Book, Level
from coindcx_feed.simulator.market import PublicTrade
from coindcx_feed.simulator.matching import SWEEP, queue_ahead, sweep, take_trades

# ETH: ticks of 0.01, lots of 0.001.
BOOK = Book([Level(277_600, 20), Level(277_590, 30)], [Level(277_610, 20), Level(277_640, 30)])
LEVELS = st.lists(st.integers(min_value=1, max_value=80), min_size=1, max_size=10)


def test_market_order_takes_level_by_level() -> None:
    """First the best price, then the next."""
    matches = sweep(new_order(price=None, quantity="0.03"), BOOK, START_MS)
    assert [(match.price, match.quantity) for match in matches] == [(D("2776.1"), D("0.02")), (D("2776.4"), D("0.01"))]
    assert not any(match.is_maker for match in matches)


def test_market_order_beyond_the_book_gets_what_there_is() -> None:
    """The rest is the engine's to cancel."""
    assert sum(match.quantity for match in sweep(new_order("sell", "1", None), BOOK, START_MS)) == D("0.05")


@pytest.mark.parametrize(
    ("side", "price", "filled"),
    [("buy", "2776.3", "0.02"), ("buy", "2776", "0"), ("sell", "2776", "0.02"), ("sell", "2775.9", "0.05")],
)
def test_limit_order_takes_up_to_its_price(side: str, price: str, filled: str) -> None:
    """Never at a worse one."""
    matches = sweep(new_order(side, "0.06", price), BOOK, START_MS)
    assert sum((match.quantity for match in matches), D(0)) == D(filled)


@pytest.mark.parametrize(
    ("side", "price", "ahead"), [("buy", "2776", "0.02"), ("sell", "2776.4", "0.03"), ("buy", "2775", "0")]
)
def test_queue_is_what_stands_at_the_price(side: str, price: str, ahead: str) -> None:
    """Own side, same price."""
    assert queue_ahead(new_order(side, "0.01", price), BOOK) == D(ahead)


def trade(tick: int, lots: int, *, sold: bool = True, at_ms: int = START_MS) -> PublicTrade:
    return PublicTrade(at_ms, tick, lots, sold)


def test_trades_at_the_price_use_up_the_queue_first() -> None:
    """Partial fills as maker, at the order's own price and the trade's time."""
    order = new_order(quantity="0.05", price="2776")
    order.queue_ahead = D("0.03")
    trades = [trade(277_600, 20), trade(277_600, 25, at_ms=START_MS + 7), trade(277_600, 99, sold=False)]
    matches = take_trades(order, trades)
    assert [(m.price, m.quantity, m.is_maker, m.at_ms) for m in matches] == [(D(2776), D("0.015"), True, START_MS + 7)]
    assert order.queue_ahead == 0


@pytest.mark.parametrize(("side", "tick", "sold"), [("buy", 277_599, True), ("sell", 277_601, False)])
def test_trade_through_the_price_fills_a_multiple_of_itself(side: str, tick: int, sold: bool) -> None:
    """The market cannot pass a resting order by: its queue is gone, and it fills in parts."""
    order = new_order(side, "0.05", "2776")
    order.queue_ahead = D(5)
    matches = take_trades(order, [trade(tick, 10, sold=sold), trade(tick, 10, sold=sold)])
    assert [match.quantity for match in matches] == [D("0.03"), D("0.02")]


@pytest.mark.parametrize(
    ("side", "tick", "sold"), [("buy", 277_601, True), ("sell", 277_599, False), ("buy", 277_599, False)]
)
def test_other_trades_do_not_touch_it(side: str, tick: int, sold: bool) -> None:
    """A better price, or the wrong aggressor."""
    assert take_trades(new_order(side, "0.05", "2776"), [trade(tick, 500, sold=sold)]) == []


@given(
    st.sampled_from(["buy", "sell"]),
    st.integers(min_value=1, max_value=500),
    st.one_of(st.none(), st.integers(min_value=277_500, max_value=277_700)),
    LEVELS,
    LEVELS,
)
def test_sweep_never_exceeds_order_or_book(
    side: str, lots: int, limit: int | None, bids: list[int], asks: list[int]
) -> None:
    """Quantities and prices respect both."""
    book = Book(
        [Level(277_600 - 10 * number, size) for number, size in enumerate(bids)],
        [Level(277_610 + 10 * number, size) for number, size in enumerate(asks)],
    )
    order = new_order(side, str(D(lots) / 1000), None if limit is None else str(D(limit) / 100))
    matches = sweep(order, book, START_MS)
    total = sum((match.quantity for match in matches), D(0))
    assert total <= min(order.total, D(sum(asks if side == "buy" else bids)) / 1000)
    if limit is None:
        assert total == min(order.total, D(sum(asks if side == "buy" else bids)) / 1000)
    else:
        assert all((match.price - order.price) * order.sign <= 0 for match in matches)


@given(
    st.lists(
        st.tuples(st.integers(min_value=277_597, max_value=277_603), st.integers(1, 60), st.booleans()), max_size=20
    ),
    st.integers(min_value=0, max_value=90),
)
def test_resting_fills_never_exceed_order_or_flow(rows: list[tuple[int, int, bool]], ahead: int) -> None:
    """At most the order; the flow at its price less the queue, and a multiple of what went through."""
    order = new_order(quantity="0.05", price="2776")
    order.queue_ahead = D(ahead) / 1000
    matches = take_trades(order, [trade(tick, lots, sold=sold) for tick, lots, sold in rows])
    total = sum((match.quantity for match in matches), D(0))
    assert total <= order.total
    at_price = D(sum(lots for tick, lots, sold in rows if sold and tick == 277_600)) / 1000
    through = D(sum(lots for tick, lots, sold in rows if sold and tick < 277_600)) / 1000
    assert total == min(order.total, max(at_price - D(ahead) / 1000, D(0)) + through * SWEEP)
