"""The books under everything the exchange can do: a trader who acts by chance, and the sums that must hold."""

import contextlib
import random
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator.helpers import START_MS, held, near, thin

from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.crossed import crossed_margin
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders import CURRENCIES, Currency, OrderRequest, Refusal, Side
from coindcx_feed.simulator.positions import Position

ETH, SOL = "B-ETH_USDT", "B-SOL_USDT"
SIDES: list[Side] = ["buy", "sell"]


class Trader:
    """Does anything a trader can do, by chance; what is refused is not done."""

    def __init__(self, exchange: Exchange, rng: random.Random) -> None:
        self._exchange = exchange
        self._rng = rng
        self._actions = [self._place, self._protect, self._exit, self._thin, self._drain, self._choose, self._cancel]

    def act(self) -> None:
        action = self._rng.choices(self._actions, weights=[10, 3, 1, 3, 2, 1, 1])[0]
        pair: str = self._rng.choice([ETH, SOL])
        currency: Currency = self._rng.choices(CURRENCIES, weights=[3, 1])[0]
        with contextlib.suppress(Refusal):
            action(pair, currency, self._exchange.account.positions.get((pair, currency)))

    def _place(self, pair: str, currency: Any, position: Position | None) -> None:
        rng, exchange, more = self._rng, self._exchange, dict[str, Any]()
        side: Side = rng.choice(SIDES)
        ahead, behind = ("0.001", "-0.001") if side == "buy" else ("-0.001", "0.001")
        kind = rng.choice(["market", "market", "limit", "stop"])
        if kind == "stop":
            more = {"trigger": "stop", "stop_price": near(exchange, pair, ahead)}
        price = near(exchange, pair, behind) if kind == "limit" else None
        leverage = D(rng.choice([3, 20, 50]))
        if position is not None:
            more["margin_type"] = position.margin_type
            leverage = position.leverage if exchange.is_bound(pair, currency) else leverage
        quantity = D(rng.randint(1, 40)) / (10 if pair == ETH else 1)
        exchange.place(OrderRequest(side, pair, quantity, price, leverage, currency, **more))

    def _protect(self, pair: str, _currency: Any, position: Position | None) -> None:
        if position is not None:
            ahead, behind = ("0.002", "-0.002") if position.active > 0 else ("-0.002", "0.002")
            self._exchange.protect(position, near(self._exchange, pair, ahead), near(self._exchange, pair, behind))

    def _exit(self, _pair: str, _currency: Any, position: Position | None) -> None:
        if position is not None:
            self._exchange.exit(position)

    def _thin(self, _pair: str, _currency: Any, position: Position | None) -> None:
        if position is not None and position.active:
            thin(self._exchange, position, D("0.0005"))

    def _drain(self, _pair: str, currency: Any, _position: Position | None) -> None:
        # Down to what crossed positions need just now, and a little.
        account = self._exchange.account
        crossed = crossed_margin(account, self._exchange.now_ms)
        least = crossed.maintenance * D("1.05") - crossed.profit if currency == "USDT" else D(0)
        self._exchange.deposit(currency, -max(account.wallet(currency).available - max(least, D(20)), D(0)))

    def _choose(self, pair: str, currency: Any, _position: Position | None) -> None:
        self._exchange.set_margin_type(pair, currency, self._rng.choice(["crossed", "isolated"]))

    def _cancel(self, pair: str, _currency: Any, _position: Position | None) -> None:
        self._exchange.cancel_all(pair)


def traded(seed: int, check: Callable[[Exchange], None]) -> Exchange:
    """Trade by chance for some minutes, and look at the account after each step."""
    rng = random.Random(seed)
    behaviour = Behaviour(funding_interval_ms=rng.choice([7_000, 60_000]), split_exit_usdt=D(2_000))
    exchange = Exchange(3, START_MS + rng.randrange(10**8), behaviour)
    exchange.deposit("USDT", D(1_500))
    exchange.deposit("INR", D(120_000))
    if rng.random() < 0.7:
        exchange.set_margin_type(ETH, "USDT", "crossed")
    trader = Trader(exchange, rng)
    for _ in range(rng.randint(4, 14)):
        trader.act()
        exchange.advance(exchange.now_ms + rng.choice([500, 5_000, 60_000, 240_000]))
        check(exchange)
    return exchange


def check_books(exchange: Exchange) -> None:
    """Zero per currency, locked is margin, nothing below zero, quantities add up."""
    account, orders = exchange.account, list(exchange.orders.values())
    for currency in ("USDT", "INR"):
        wallet = account.ledger.wallet(currency)
        assert account.ledger.total(currency) == 0
        assert wallet.available >= 0
        assert wallet.locked == held(account, orders, currency)
    crossed = [order.locked_margin for order in orders if order.request.margin_type == "crossed"]
    assert account.crossed_order_margin == sum(crossed, D(0))
    assert all(order.total == order.filled + order.remaining + order.cancelled for order in orders)
    assert all(not order.locked_margin for order in orders if order.is_terminal)


@settings(max_examples=25, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_books_balance_whatever_happens(seed: int) -> None:
    """Crossed and isolated, funding, stops, liquidations: the books hold, and the ledger rows are what was booked."""
    account = traded(seed, check_books).account
    funded = sum((row.profit for row in account.rows if row.stage == "funding" and row.currency == "USDT"), D(0))
    closed = sum((row.profit for row in account.rows if row.stage != "funding" and row.currency == "USDT"), D(0))
    fees = sum((row.fee for row in account.rows if row.currency == "USDT"), D(0))
    ledger = account.ledger
    assert ledger.balance("USDT", "funding") == -funded
    assert ledger.balance("USDT", "market") == -closed
    assert ledger.balance("USDT", "fees") == fees


def test_chance_reaches_every_stage() -> None:
    """The property above would prove little if its trader never met a liquidation."""
    met: set[str] = set()
    crossed: set[str] = set()
    for seed in range(40):
        exchange = traded(seed, lambda _exchange: None)
        met |= {row.stage for row in exchange.account.rows}
        crossed |= {
            o.request.stage for o in exchange.orders.values() if o.request.margin_type == "crossed" and o.filled
        }
        if len(met) == 5 and "liquidate" in crossed:
            return
    pytest.fail(f"expected all stages, was {met} and crossed {crossed}")
