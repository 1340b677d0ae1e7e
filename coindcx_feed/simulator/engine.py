"""The engine: what can be done to the simulated account. Pure and deterministic: no I/O, no real time.

Same seed, same start and same calls give the same frames, however the time is cut into ``advance`` calls.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from coindcx_feed.simulator.announcer import Announcer
from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.closings import Closings
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.lifecycle import Lifecycle
from coindcx_feed.simulator.margin import rounded
from coindcx_feed.simulator.orders import Currency, MarginType, Order, OrderRequest, Refusal, conversion_rate
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.risk import Risk
from coindcx_feed.simulator.triggers import Triggers
from coindcx_feed.simulator.validation import check_margin_change, check_request, is_leverage_bound

CANCEL_MS: Final = 120


class Exchange(Core):
    """One account on the simulated exchange.

    Every method takes effect at the engine's present time; its frames come with :meth:`advance`.
    """

    def __init__(self, seed: int, start_ms: int, behaviour: Behaviour | None = None) -> None:
        super().__init__(seed, start_ms, behaviour)
        self._announcer = Announcer(self)
        self._lifecycle = Lifecycle(self, self._announcer)
        self._closings = Closings(self, self._announcer, self._lifecycle)
        self._triggers = Triggers(self, self._announcer, self._lifecycle, self._closings)
        self._risk = Risk(self, self._announcer, self._lifecycle, self._closings)

    def deposit(self, currency: Currency, amount: Decimal) -> None:
        """Add money from outside to a wallet."""
        self.account.deposit(self.now_ms, currency, amount)
        self.after(0, lambda: self._announcer.wallet(currency))

    def place(self, request: OrderRequest) -> Order:
        """Accept an order; one with a trigger waits for its price.

        Raises:
            Refusal: If it is not accepted; nothing has changed then.
        """
        instrument = self.instrument(request.pair)
        last = self.market.last_price(request.pair, self.now_ms)
        position = self.account.positions.get((request.pair, request.currency))
        others = self.open_orders(request.pair, request.currency)
        check_request(request, instrument, last, position, others)
        order = self.new_order(request)
        self.account.reserve(order, _opening_quantity(order, position, others))
        self._lifecycle.accept(order)
        if request.trigger is not None:
            self._triggers.wait(order)
        return order

    def cancel(self, order_id: str) -> Order:
        """Accept the cancellation of an order; it ends a moment later unless it is filled before.

        Raises:
            Refusal: If there is no such order, or it cannot be cancelled.
        """
        order = self.orders.get(order_id)
        if order is None:
            raise Refusal(404, "Order not found")
        if order.is_terminal:
            raise Refusal(422, f"Order is already {order.status} and cannot be cancelled")
        if order.is_market and order.status != "untriggered":
            raise Refusal(422, "A market order cannot be cancelled")
        self.after(CANCEL_MS, lambda: self._lifecycle.end([order]))
        return order

    def cancel_all(self, pair: str | None = None, currency: Currency | None = None) -> list[Order]:
        """Accept the cancellation of every open order, of one position or of the account; they end together."""
        orders = [
            order for order in self.open_orders(pair, currency) if not order.is_market or order.status == "untriggered"
        ]
        self.after(CANCEL_MS, lambda: self._lifecycle.end(orders))
        return orders

    def exit(self, position: Position, parts: int | None = None) -> str:
        """Close a position at market; see :meth:`Closings.exit`."""
        return self._closings.exit(position, parts)

    def protect(
        self, position: Position, take_profit: Decimal | None = None, stop_loss: Decimal | None = None
    ) -> dict[str, Order | str]:
        """Give a position its own target and stop; see :meth:`Triggers.protect`."""
        return self._triggers.protect(position, take_profit, stop_loss)

    def set_margin_type(self, pair: str, currency: Currency, margin_type: MarginType) -> Position:
        """Choose isolated or crossed for the next orders of a pair.

        Raises:
            Refusal: If the position is open or has orders, or the margin is INR.
        """
        position = self.account.position(self.instrument(pair), currency, Decimal(1), self.now_ms)
        check_margin_change(position, self.open_orders(pair, currency), margin_type)
        position.margin_type = margin_type
        self.after(0, lambda: self._announcer.positions([position]))
        return position

    def change_margin(self, position: Position, amount: Decimal) -> None:
        """Add own money to an isolated position, or take it out.

        Args:
            position: Any.
            amount: In the margin currency; negative takes out.
        Raises:
            Refusal: If the position is flat or crossed, would be liquidated at once, or the money is not there.
        """
        if not position.active or position.is_crossed:
            raise Refusal(422, "Cannot change margin for an inactive position")
        change = rounded(amount / conversion_rate(position.currency))
        spare = position.locked_margin + change - position.maintenance(position.avg_price)
        mark = self.mark(position.pair)
        if spare + position.active * (mark - position.avg_price) <= 0:
            raise Refusal(422, "Liquidation will be triggered instantly")
        self.account.change_margin(position, change, self.now_ms)
        self.after(0, lambda: self._announcer.positions([position]))
        self.after(0, lambda: self._announcer.wallet(position.currency))

    def is_bound(self, pair: str, currency: Currency) -> bool:
        """Tell whether leverage and margin type of a position are fixed for now."""
        return is_leverage_bound(self.account.positions.get((pair, currency)), self.open_orders(pair, currency))


def _opening_quantity(order: Order, position: Position | None, others: Iterable[Order]) -> Decimal:
    # Only what opens or enlarges a position needs margin; orders that close it already share its size.
    if position is None or position.active * order.sign >= 0:
        return order.total
    closing = sum(
        (other.remaining - other.reserved_quantity for other in others if other.sign == order.sign), Decimal(0)
    )
    return max(order.total - max(abs(position.active) - closing, Decimal(0)), Decimal(0))
