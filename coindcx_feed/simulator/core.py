"""What all parts of the engine share: its time, its schedule, the market, the account and the orders. No decisions."""

import heapq
import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from coindcx_feed.simulator.accounts import Account
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.book import BookMaker
from coindcx_feed.simulator.funding import FundingRates
from coindcx_feed.simulator.instruments import Instrument, instruments
from coindcx_feed.simulator.market import Market
from coindcx_feed.simulator.orders import Currency, Order, OrderRequest, Refusal
from coindcx_feed.simulator.topics import Frame
from coindcx_feed.simulator.versions import Versions

ORDERS_KEPT: Final = 5_000


class Core:
    """State of one account on the simulated exchange.

    Attributes:
        now_ms: Time of the engine, Unix ms.
        orders: Orders by id, oldest first; ended ones are forgotten after a few thousand.
        versions: What was published in the last minute, for lists that trail.
        frames: Frames of the account not yet taken by :meth:`advance`.

    Threads: one at a time.
    """

    def __init__(self, seed: int, start_ms: int, behaviour: Behaviour | None = None) -> None:
        self.seed = seed
        self.now_ms = start_ms
        self.behaviour = behaviour or Behaviour()
        self.market = Market(seed, instruments())
        self.funding = FundingRates(self.market, lambda: self.behaviour.funding_interval_ms)
        self.books = BookMaker(self.market)
        self.account = Account(random.Random(f"ids {seed}"), self.mark)
        self.orders: dict[str, Order] = {}
        self.versions = Versions()
        self.frames: list[Frame] = []
        self._live: dict[str, Order] = {}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0

    @property
    def pairs(self) -> list[str]:
        """Traded pairs, in the order of the instrument list."""
        return list(self.market.instruments)

    def at(self, at_ms: int, action: Callable[[], None]) -> None:
        """Do something at a time, or at once in the next :meth:`advance` if it has passed."""
        self._count += 1
        heapq.heappush(self._due, (max(at_ms, self.now_ms), self._count, action))

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Do something so many milliseconds from now."""
        self.at(self.now_ms + delay_ms, action)

    def advance(self, to_ms: int) -> list[Frame]:
        """Let time pass up to and including ``to_ms``.

        Returns:
            The account's frames of that time, in order. A time in the past lets nothing pass.
        """
        while self._due and self._due[0][0] <= to_ms:
            at_ms, _, action = heapq.heappop(self._due)
            self.now_ms = at_ms
            action()
        self.now_ms = max(self.now_ms, to_ms)
        frames, self.frames = self.frames, []
        return frames

    def instrument(self, pair: str) -> Instrument:
        """Return a contract.

        Raises:
            Refusal: If the pair is not traded.
        """
        if pair not in self.market.instruments:
            raise Refusal(404, f"Instrument {pair[:40]} not found")
        return self.market.instruments[pair]

    def mark(self, pair: str) -> Decimal:
        """Return the present mark, USDT."""
        return self.market.mark_price(pair, self.now_ms)

    def open_orders(self, pair: str | None = None, currency: Currency | None = None) -> list[Order]:
        """Return the orders that can still fill or fire, oldest first."""
        self._live = {order.id: order for order in self._live.values() if not order.is_terminal}
        return [
            order
            for order in self._live.values()
            if pair in (None, order.request.pair) and currency in (None, order.request.currency)
        ]

    def closable(self, order: Order) -> Decimal:
        """Return how much of its position an order can close, base coins."""
        position = self.account.positions.get((order.request.pair, order.request.currency))
        active = position.active if position is not None else Decimal(0)
        return abs(active) if active * order.sign < 0 else Decimal(0)

    def new_order(self, request: OrderRequest) -> Order:
        """Return an order that nothing knows of yet."""
        now = self.now_ms
        price = request.price or self.market.last_price(request.pair, now)
        instrument = self.instrument(request.pair)
        return Order(self.account.new_id(), instrument, request, price, now, now, request.quantity)

    def keep(self, orders: Iterable[Order]) -> None:
        """Put orders on the list; old ended ones leave it."""
        for order in orders:
            self.orders[order.id] = self._live[order.id] = order
        if len(self.orders) > ORDERS_KEPT:
            ended = [order_id for order_id, order in self.orders.items() if order.is_terminal]
            for order_id in ended[: ORDERS_KEPT // 10]:
                del self.orders[order_id]
                self.versions.forget(order_id)
