"""Funding and liquidation, and the books under everything the exchange can do."""

from decimal import Decimal as D
from typing import Any

import pytest
from simulator.helpers import START_MS, funded_exchange, near, opened, records, statuses, thin

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders import OrderRequest
from coindcx_feed.simulator.topics import Frame

ETH, SOL = "B-ETH_USDT", "B-SOL_USDT"


def funding_exchange(interval_ms: int = 60_000) -> Exchange:
    """An engine with money whose fundings are a minute apart."""
    exchange = funded_exchange()
    exchange.behaviour = Behaviour(funding_interval_ms=interval_ms)
    return exchange


def until_liquidated(exchange: Exchange, minutes: int = 240) -> list[Frame]:
    """Let time pass until a liquidation order has ended, and a moment more."""
    frames: list[Frame] = []
    for _ in range(minutes * 6):
        frames += exchange.advance(exchange.now_ms + 10_000)
        if any(row["stage"] == "liquidate" for row in records(frames, wire.ORDER_EVENT)):
            break
    return frames + exchange.advance(exchange.now_ms + 5_000)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_funding_moves_the_margin_of_an_isolated_position(side: Any) -> None:
    """Size × mark × rate: longs pay a positive rate, shorts receive it; the wallet's total follows."""
    exchange = funding_exchange()
    position = opened(exchange, side=side)
    margin, total = position.locked_margin, exchange.account.wallet("USDT")
    at_ms = (exchange.now_ms // 60_000 + 1) * 60_000
    frames = exchange.advance(at_ms)
    paid = (-position.active * exchange.mark(ETH) * exchange.funding.settled(ETH, at_ms)).quantize(D("1E-12"))
    assert position.locked_margin - margin == paid == position.funding
    assert exchange.account.wallet("USDT").locked - total.locked == paid
    row = exchange.account.rows[-1]
    assert (row.stage, row.profit, row.fee, row.position_id, row.at_ms) == ("funding", paid, D(0), position.id, at_ms)
    assert row.parent_type != "Derivatives::Futures::Order"
    assert [frame.event for frame in frames if frame.at_ms == at_ms] == [wire.POSITION_EVENT, wire.BALANCE_EVENT]


def test_funding_of_inr_and_crossed_positions() -> None:
    """INR books move at the peg; a crossed position moves the free part of the wallet."""
    exchange = funding_exchange()
    rupees = opened(exchange, SOL, "3", currency="INR")
    crossed = opened(exchange, margin_type="crossed")
    free, rows = exchange.account.wallet("USDT").available, len(exchange.account.rows)
    frames = exchange.advance((exchange.now_ms // 60_000 + 1) * 60_000)
    funded = list(exchange.account.rows)[rows:]
    assert [(row.pair, row.currency) for row in funded] == [(SOL, "INR"), (ETH, "USDT")]
    assert funded[0].profit == rupees.funding * 102
    assert exchange.account.wallet("USDT").available - free == crossed.funding
    assert exchange.account.wallet("USDT").locked == 0
    together = [f for f in frames if f.event == wire.POSITION_EVENT][-1]
    assert [row["pair"] for row in records([together], wire.POSITION_EVENT)] == [SOL, ETH]


def test_funding_takes_no_more_than_the_isolated_margin() -> None:
    """What is left of it is the limit; nothing becomes negative."""
    exchange = funded_exchange()
    position = opened(exchange)
    exchange.account.fund(position, D(1_000_000), D(1), exchange.now_ms)
    assert position.locked_margin == exchange.account.wallet("USDT").locked == 0
    assert exchange.account.ledger.total("USDT") == 0


def test_flat_account_has_no_funding() -> None:
    """No row and no frame."""
    exchange = funding_exchange(1_000)
    assert exchange.advance(START_MS + 120_000) == []


def test_funding_ends_with_the_position() -> None:
    """The sum begins at zero with the next one."""
    exchange = funding_exchange(1_000)
    position = opened(exchange)
    assert position.funding != 0
    exchange.exit(position)
    exchange.advance(exchange.now_ms + 5_000)
    rows = len(exchange.account.rows)
    exchange.advance(exchange.now_ms + 5_000)
    assert (position.funding, len(exchange.account.rows)) == (D(0), rows)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_isolated_position_is_liquidated_at_its_price(side: Any) -> None:
    """Its orders go first, then it is closed by force; the loss is its margin and never the wallet's."""
    exchange = funded_exchange()
    position = opened(exchange, ETH, "1", side, leverage=D(50))
    share = "-0.05" if side == "buy" else "0.05"
    resting = exchange.place(OrderRequest(side, ETH, D("0.1"), near(exchange, ETH, share), D(50)))
    thin(exchange, position, D("0.0015"))
    free = exchange.account.wallet("USDT").available + resting.locked_margin
    frames = until_liquidated(exchange)
    price = records([f for f in frames if f.event == wire.POSITION_EVENT], wire.POSITION_EVENT)[0]["liquidation_price"]
    liquidation = next(order for order in exchange.orders.values() if order.request.stage == "liquidate")
    assert statuses(frames, liquidation.id) == ["initial", "initial", "filled"]
    assert statuses(frames, resting.id)[-1] == "cancelled"
    mark = exchange.market.mark_price(ETH, liquidation.created_ms)
    assert mark <= price if side == "buy" else mark >= price
    assert (position.active, exchange.account.wallet("USDT").locked) == (D(0), D(0))
    assert exchange.account.wallet("USDT").available >= free
    assert exchange.account.rows[-1].stage == "liquidation"
    assert exchange.account.ledger.total("USDT") == 0


def test_crossed_account_is_liquidated_together() -> None:
    """Maintenance against the equity of the wallet: orders first, then all crossed positions in one frame."""
    exchange = funded_exchange(usdt=700)
    opened(exchange, ETH, "2", margin_type="crossed", leverage=D(50))
    opened(exchange, SOL, "100", margin_type="crossed", leverage=D(50))
    isolated = opened(exchange, "B-DOGE_USDT", "1000")
    order = exchange.place(
        OrderRequest("buy", ETH, D("0.1"), near(exchange, ETH, "-0.05"), D(50), margin_type="crossed")
    )
    spare = exchange.account.wallet("USDT").available - D(105)
    exchange.account.deposit(exchange.now_ms, "USDT", -spare)
    frames = until_liquidated(exchange)
    rows = records(frames, wire.ORDER_EVENT)
    assert {row["pair"] for row in rows if row["stage"] == "liquidate"} == {ETH, SOL}
    assert {row["position_margin_type"] for row in rows if row["stage"] == "liquidate"} == {"crossed"}
    assert order.status == "cancelled"
    assert exchange.account.crossed_positions() == []
    assert isolated.active == 1000
    assert exchange.account.ledger.total("USDT") == 0
    assert exchange.account.wallet("USDT").available >= 0


def test_calm_crossed_account_is_left_alone() -> None:
    """Ten minutes with plenty of money."""
    exchange = funded_exchange()
    position = opened(exchange, margin_type="crossed")
    frames = exchange.advance(exchange.now_ms + 600_000)
    assert position.active == D("0.3")
    assert frames == []
