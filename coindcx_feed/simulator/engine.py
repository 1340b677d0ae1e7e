"""The engine: orders live, match and end on a clock of its own. Pure and deterministic: no I/O, no real time.

Same seed, same start and same calls give the same frames, however the time is cut into ``advance`` calls.
"""

import heapq
import random
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.accounts import Account
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.book import BookMaker
from coindcx_feed.simulator.instruments import Instrument, instruments
from coindcx_feed.simulator.jstext import amount_text, socket_text
from coindcx_feed.simulator.market import STEP_MS, Market
from coindcx_feed.simulator.matching import Match, queue_ahead, sweep, take_trades
from coindcx_feed.simulator.orders import Currency, Order, OrderRequest, Refusal, Side, order_record
from coindcx_feed.simulator.positions import Position, position_record
from coindcx_feed.simulator.topics import Frame
from coindcx_feed.simulator.validation import check_request, is_outside_band

# From creation; trade and fill times as seen on live accounts.
ARRIVAL_MS: Final = 210
LIMIT_FILL_MS: Final = 630
REJECT_MS: Final = 330
CANCEL_MS: Final = 120
EXIT_FILL_MS: Final = 495

# The position's and the wallet's frame come this long after the order's.
POSITION_LAG_MS: Final = 2
WALLET_LAG_MS: Final = 5

ORDERS_KEPT: Final = 5_000
_SWEEP_LEVELS: Final = 50


class Exchange:
    """One account on the simulated exchange.

    Attributes:
        now_ms: Time of the engine, Unix ms.
        orders: Orders by id, oldest first; ended ones are forgotten after a few thousand.

    Threads: one at a time.
    """

    def __init__(self, seed: int, start_ms: int, behaviour: Behaviour | None = None) -> None:
        self.seed = seed
        self.now_ms = start_ms
        self.behaviour = behaviour or Behaviour()
        self.market = Market(seed, instruments())
        self.books = BookMaker(self.market)
        self.account = Account(random.Random(f"ids {seed}"))
        self.orders: dict[str, Order] = {}
        self._live: dict[str, Order] = {}
        self._resting: dict[str, Order] = {}
        self._matched_ms = start_ms
        self._frames: list[Frame] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self.at(start_ms - start_ms % STEP_MS + STEP_MS, self._match_resting)

    @property
    def pairs(self) -> list[str]:
        """Traded pairs, in the order of the instrument list."""
        return list(self.market.instruments)

    def at(self, at_ms: int, action: Callable[[], None]) -> None:
        """Do something at a time, or at once in the next :meth:`advance` if it has passed."""
        self._count += 1
        heapq.heappush(self._due, (max(at_ms, self.now_ms), self._count, action))

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
        frames, self._frames = self._frames, []
        return frames

    def instrument(self, pair: str) -> Instrument:
        """Return a contract.

        Raises:
            Refusal: If the pair is not traded.
        """
        if pair not in self.market.instruments:
            raise Refusal(404, f"Instrument {pair[:40]} not found")
        return self.market.instruments[pair]

    def open_orders(self, pair: str | None = None, currency: Currency | None = None) -> list[Order]:
        """Return the orders that can still fill, oldest first."""
        self._live = {order.id: order for order in self._live.values() if not order.is_terminal}
        return [
            order
            for order in self._live.values()
            if pair in (None, order.request.pair) and currency in (None, order.request.currency)
        ]

    def deposit(self, currency: Currency, amount: Decimal) -> None:
        """Add money from outside to a wallet, now."""
        self.account.deposit(self.now_ms, currency, amount)
        self.at(self.now_ms, lambda: self._publish_wallet(currency))

    def place(self, request: OrderRequest) -> Order:
        """Accept an order, now.

        Raises:
            Refusal: If it is not accepted; nothing has changed then.
        """
        instrument = self.instrument(request.pair)
        price = request.price or self.market.last_price(request.pair, self.now_ms)
        position = self.account.positions.get((request.pair, request.currency))
        others = self.open_orders(request.pair, request.currency)
        check_request(request, instrument, price, position, others)
        order = self._new_order(request, instrument, price)
        self.account.reserve(order, _opening_quantity(order, position, others))
        self._accept(order, position)
        return order

    def cancel(self, order_id: str) -> Order:
        """Accept the cancellation of an order, now; it ends a moment later unless it is filled before.

        Raises:
            Refusal: If there is no such order, or it cannot be cancelled.
        """
        order = self.orders.get(order_id)
        if order is None:
            raise Refusal(404, "Order not found")
        if order.is_terminal:
            raise Refusal(422, f"Order is already {order.status} and cannot be cancelled")
        if order.is_market:
            raise Refusal(422, "A market order cannot be cancelled")
        self.at(self.now_ms + CANCEL_MS, lambda: self._end(order))
        return order

    def exit(self, position: Position, parts: int = 1) -> str:
        """Close a position at market, now, by one or two orders of a group.

        Returns:
            The group id.
        Raises:
            Refusal: If the position is flat.
        """
        size = abs(position.active)
        if not size:
            raise Refusal(422, "Cannot exit an inactive position")
        pair, lot = position.pair, position.instrument.quantity_increment
        group_id = f"{self.account.new_id()[:8]}{pair}{self.now_ms // 1000}"
        second = size / 3 // lot * lot if parts > 1 else Decimal(0)
        side: Side = "sell" if position.active > 0 else "buy"
        orders: list[Order] = []
        for quantity in (size - second, second):
            if quantity:
                request = OrderRequest(
                    side, pair, quantity, None, position.leverage, position.currency, "exit", group_id
                )
                price = self.market.last_price(pair, self.now_ms)
                orders.append(self._new_order(request, position.instrument, price))
        for order in orders:
            self.orders[order.id] = self._live[order.id] = order
        self._publish_twice(orders)
        self.at(self.now_ms + EXIT_FILL_MS, lambda: self._settle_exit(orders))
        return group_id

    def _new_order(self, request: OrderRequest, instrument: Instrument, price: Decimal) -> Order:
        now = self.now_ms
        return Order(self.account.new_id(), instrument, request, price, now, now, request.quantity)

    def _accept(self, order: Order, position: Position | None) -> None:
        request, created_ms = order.request, order.created_ms
        if position is None:
            self.account.position(order.instrument, request.currency, request.leverage, created_ms)
        elif not position.active:
            position.leverage = request.leverage
        order.announce("placed")
        self.orders[order.id] = self._live[order.id] = order
        self._forget_old_orders()
        self._publish_twice([order])
        self._publish_state_later(order)
        self.at(created_ms + ARRIVAL_MS, lambda: self._arrive(order))

    def _arrive(self, order: Order) -> None:
        if order.is_terminal:
            return
        now, created_ms, pair = self.now_ms, order.created_ms, order.request.pair
        if is_outside_band(order, self.market.mark_price(pair, now)):
            self.at(created_ms + REJECT_MS, lambda: self._end(order, is_rejected=True))
            return
        book = self.books.book(pair, now, _SWEEP_LEVELS)
        matches = sweep(order, book, now)
        if not order.is_market or self.behaviour.shows_market_open:
            self.at(created_ms + self.behaviour.open_ms, lambda: self._open(order))
        if order.is_market:
            self.at(created_ms + self.behaviour.market_fill_ms, lambda: self._settle(order, matches))
        elif matches:
            self.at(created_ms + LIMIT_FILL_MS, lambda: self._settle(order, matches))
        else:
            order.queue_ahead = queue_ahead(order, book)
            self._resting[order.id] = order

    def _open(self, order: Order) -> None:
        if order.status == "initial":
            order.status = "open"
            order.updated_ms = self.now_ms
            self._publish_orders([order])

    def _match_resting(self) -> None:
        after_ms, self._matched_ms = self._matched_ms, self.now_ms
        for order in list(self._resting.values()):
            trades = self.market.trades(order.request.pair, max(after_ms, order.created_ms + ARRIVAL_MS), self.now_ms)
            matches = take_trades(order, trades)
            if matches:
                self._open(order)
                self._settle(order, matches)
        self.at(self.now_ms + STEP_MS, self._match_resting)

    def _settle(self, order: Order, matches: Iterable[Match]) -> None:
        if order.is_terminal:
            return  # its cancellation came first
        has_failed = not all(self._book(order, match) for match in matches)
        if order.is_terminal:
            self._resting.pop(order.id, None)
        elif order.is_market or has_failed:
            self._end(order)
            return
        else:
            self._resting[order.id] = order
        self._publish_orders([order])
        self._publish_state_later(order)

    def _book(self, order: Order, match: Match) -> bool:
        return self.account.apply_fill(order, match.price, match.quantity, match.is_maker, match.at_ms, self.now_ms)

    def _settle_exit(self, orders: list[Order]) -> None:
        for order in orders:
            book = self.books.book(order.request.pair, self.now_ms, _SWEEP_LEVELS)
            for match in sweep(order, book, self.now_ms):
                # Other orders may have closed part of the position since: an exit never opens a new one.
                quantity = min(match.quantity, self._closable(order))
                if quantity:
                    self._book(order, match._replace(quantity=quantity))
            if not order.is_terminal:
                order.apply_end(self.now_ms)
        if len(orders) > 1:
            self._publish_orders(orders[:1])
        self.at(self.now_ms + 9, lambda: self._finish_exit(orders))

    def _closable(self, order: Order) -> Decimal:
        active = self.account.positions[order.request.pair, order.request.currency].active
        return abs(active) if active * order.sign < 0 else Decimal(0)

    def _finish_exit(self, orders: list[Order]) -> None:
        for order in orders:
            order.updated_ms = self.now_ms
            if order.status == "filled":
                order.group_status = "success"
                order.display_message = f"{order.instrument.base}USDT Position exited successfully!"
        self._publish_orders(orders)
        self._publish_state_later(orders[0])

    def _end(self, order: Order, is_rejected: bool = False) -> None:
        if order.is_terminal:
            return
        order.apply_end(self.now_ms, is_rejected=is_rejected)
        self.account.release(order, self.now_ms)
        self._resting.pop(order.id, None)
        self._publish_orders([order])
        self._publish_state_later(order)

    def _forget_old_orders(self) -> None:
        if len(self.orders) > ORDERS_KEPT:
            ended = [order_id for order_id, order in self.orders.items() if order.is_terminal]
            for order_id in ended[: ORDERS_KEPT // 10]:
                del self.orders[order_id]

    def _publish_twice(self, orders: list[Order]) -> None:
        # The first frame of an order comes twice on the real wire; whether the copies are identical is unknown.
        choice = self.behaviour.initial_repeat
        self._publish_orders(orders)
        if choice == "none":
            return
        copy = [order_record(order) for order in orders]
        again_ms = self.now_ms + self.behaviour.initial_repeat_ms
        if choice == "later":
            for record in copy:
                record["updated_at"] = again_ms
        text = socket_text(copy)
        self.at(again_ms, lambda: self._publish(wire.ORDER_EVENT, text))

    def _publish_orders(self, orders: list[Order]) -> None:
        self._publish(wire.ORDER_EVENT, socket_text([order_record(order) for order in orders]))

    def _publish_state_later(self, order: Order) -> None:
        pair, currency = order.request.pair, order.request.currency
        self.at(self.now_ms + POSITION_LAG_MS, lambda: self._publish_position(pair, currency))
        self.at(self.now_ms + WALLET_LAG_MS, lambda: self._publish_wallet(currency))

    def _publish_position(self, pair: str, currency: Currency) -> None:
        position = self.account.positions[pair, currency]
        position.mark_price = self.market.mark_price(pair, self.now_ms) if position.active else Decimal(0)
        position.updated_ms = self.now_ms
        record = position_record(position, self.open_orders(pair, currency))
        self._publish(wire.POSITION_EVENT, socket_text([record]))

    def _publish_wallet(self, currency: Currency) -> None:
        record = self.account.wallet_record(currency, amount_text)
        self._publish(wire.BALANCE_EVENT, socket_text([record]))

    def _publish(self, event: str, data: str) -> None:
        self._frames.append(Frame(self.now_ms, event, data, wire.PRIVATE_CHANNEL))


def _opening_quantity(order: Order, position: Position | None, others: Iterable[Order]) -> Decimal:
    # Only what opens or enlarges a position needs margin; orders that close it already share its size.
    if position is None or position.active * order.sign >= 0:
        return order.total
    closing = sum(
        (other.remaining - other.reserved_quantity for other in others if other.sign == order.sign), Decimal(0)
    )
    return max(order.total - max(abs(position.active) - closing, Decimal(0)), Decimal(0))
