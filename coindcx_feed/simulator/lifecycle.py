"""Lives of orders: accepted, arriving at the book, open, filled in parts, ended."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from coindcx_feed.simulator.announcer import Announcer
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.market import STEP_MS
from coindcx_feed.simulator.matching import Match, queue_ahead, sweep, take_trades
from coindcx_feed.simulator.orders import Currency, Order
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.validation import is_leverage_bound, is_outside_band

# From creation, or from the firing of a stop; trade and fill times as seen on live accounts.
ARRIVAL_MS: Final = 210
LIMIT_FILL_MS: Final = 630
REJECT_MS: Final = 330
# A position's stop and target are cancelled this long after it is flat.
SIBLING_MS: Final = 30

SWEEP_LEVELS: Final = 50


class Lifecycle:
    """Moves orders along on the core's schedule."""

    def __init__(self, core: Core, announcer: Announcer) -> None:
        self._core = core
        self._announcer = announcer
        self._resting: dict[str, Order] = {}
        self._matched_ms = core.now_ms
        core.at(core.now_ms - core.now_ms % STEP_MS + STEP_MS, self._match_resting)

    def accept(self, order: Order) -> None:
        """Begin the life of an order whose margin is reserved; one with a trigger waits."""
        core, request = self._core, order.request
        is_bound = is_leverage_bound(
            core.account.positions.get((request.pair, request.currency)),
            core.open_orders(request.pair, request.currency),
        )
        position = core.account.position(order.instrument, request.currency, request.leverage, core.now_ms)
        if not is_bound:
            position.leverage, position.margin_type = request.leverage, request.margin_type
        order.announce("placed")
        core.keep([order])
        if request.trigger is not None:
            order.status = "untriggered"
            self._announcer.orders([order])
        else:
            self._announcer.new_orders([order])
            self.arrive_later(order)
        self._announcer.state_later(request.pair, request.currency)

    def arrive_later(self, order: Order) -> None:
        """Let an order reach the book after its usual time, counted from now."""
        sent_ms = self._core.now_ms
        self._core.after(ARRIVAL_MS, lambda: self._arrive(order, sent_ms))

    def end(self, orders: Iterable[Order], is_rejected: bool = False) -> None:
        """End orders that have not ended by now, together."""
        behaviour = self._core.behaviour
        keeps_remaining = is_rejected and behaviour.rejected_remainder == "remaining"
        chosen = [order for order in orders if not order.is_terminal]
        for order in chosen:
            order.apply_end(self._core.now_ms, is_rejected=is_rejected, keeps_remaining=keeps_remaining)
            self._core.account.release(order, self._core.now_ms)
            self._resting.pop(order.id, None)
        if chosen:
            self._announcer.orders(chosen)
        for pair, currency in dict.fromkeys((order.request.pair, order.request.currency) for order in chosen):
            self._announcer.state_later(pair, currency)

    def drop_legs(self, pair: str, currency: Currency) -> None:
        """Cancel the stop and target of a position that is flat or has turned; their quantities are 0."""
        position = self._core.account.positions[pair, currency]
        orders = self._core.open_orders(pair, currency)
        legs = [order for order in orders if order.status == "untriggered" and _is_idle_leg(order, position)]
        if legs:
            self._core.after(SIBLING_MS, lambda: self._end_legs(legs))

    def book_fill(self, order: Order, match: Match) -> bool:
        """Book one execution at the engine's time; see :meth:`Account.apply_fill`."""
        account, now_ms = self._core.account, self._core.now_ms
        return account.apply_fill(order, match.price, match.quantity, match.is_maker, match.at_ms, now_ms)

    def _end_legs(self, legs: list[Order]) -> None:
        if self._core.behaviour.shows_sibling:
            self.end(legs)
            return
        for leg in legs:
            leg.apply_end(self._core.now_ms)
            self._announcer.note(leg)

    def _arrive(self, order: Order, sent_ms: int) -> None:
        if order.is_terminal:
            return
        core, behaviour = self._core, self._core.behaviour
        pair, order.arrived_ms = order.request.pair, core.now_ms
        if behaviour.rejects_orders or is_outside_band(order, core.mark(pair)):
            core.at(sent_ms + REJECT_MS, lambda: self.end([order], is_rejected=True))
            return
        book = core.books.book(pair, core.now_ms, SWEEP_LEVELS)
        matches = sweep(order, book, core.now_ms)
        if not order.is_market or behaviour.shows_market_open:
            core.at(sent_ms + behaviour.open_ms, lambda: self._open(order))
        if order.is_market:
            core.at(sent_ms + behaviour.market_fill_ms, lambda: self._settle(order, matches))
        elif matches:
            core.at(sent_ms + LIMIT_FILL_MS, lambda: self._settle(order, matches))
        else:
            order.queue_ahead = queue_ahead(order, book)
            self._resting[order.id] = order

    def _open(self, order: Order) -> None:
        if order.status == "initial":
            order.status = "open"
            order.updated_ms = self._core.now_ms
            self._announcer.orders([order])

    def _match_resting(self) -> None:
        after_ms, self._matched_ms = self._matched_ms, self._core.now_ms
        for order in list(self._resting.values()):
            start_ms = max(after_ms, order.arrived_ms)
            matches = take_trades(order, self._core.market.trades(order.request.pair, start_ms, self._matched_ms))
            if matches:
                self._open(order)
                self._settle(order, matches)
        self._core.after(STEP_MS, self._match_resting)

    def _settle(self, order: Order, matches: Iterable[Match]) -> None:
        if order.is_terminal:
            return  # its cancellation came first
        has_failed = not all(self.book_fill(order, match) for match in matches)
        self.drop_legs(order.request.pair, order.request.currency)
        if order.is_terminal:
            self._resting.pop(order.id, None)
        elif order.is_market or has_failed:
            self.end([order])
            return
        else:
            self._resting[order.id] = order
        self._announcer.orders([order])
        self._announcer.state_later(order.request.pair, order.request.currency)


def _is_idle_leg(order: Order, position: Position) -> bool:
    return order.request.is_leg and position.active * order.sign >= Decimal(0)
