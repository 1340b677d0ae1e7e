"""Orders that close positions at market: exits in one or two parts, fired stops and targets, liquidations."""

from decimal import Decimal
from typing import Final

from coindcx_feed.simulator.announcer import Announcer
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.lifecycle import SWEEP_LEVELS, Lifecycle
from coindcx_feed.simulator.matching import sweep
from coindcx_feed.simulator.orders import Order, OrderRequest, Refusal, Side, Stage
from coindcx_feed.simulator.positions import Position

EXIT_FILL_MS: Final = 495
# The children of a split exit end in frames this far apart.
SPLIT_MS: Final = 9

_MESSAGES: Final[dict[Stage, str]] = {
    "exit": "Position exited successfully!",
    "liquidate": "Position liquidated!",
}


class Closings:
    """Closes positions and never opens one: an order takes what is left of its position and ends."""

    def __init__(self, core: Core, announcer: Announcer, lifecycle: Lifecycle) -> None:
        self._core = core
        self._announcer = announcer
        self._lifecycle = lifecycle

    def exit(self, position: Position, parts: int | None = None) -> str:
        """Close a position at market, now, by orders of one group.

        Args:
            position: Any.
            parts: 1 or 2; ``None`` splits from the value :attr:`Behaviour.split_exit_usdt` on.
        Returns:
            The group id.
        Raises:
            Refusal: If the position is flat.
        """
        if not position.active:
            raise Refusal(422, "Cannot exit an inactive position")
        group_id = f"{self._core.account.new_id()[:8]}{position.pair}{self._core.now_ms // 1000}"
        orders = [self._order(position, part, "exit", group_id) for part in self._parts(position, parts)]
        self._start(orders)
        return group_id

    def liquidate(self, positions: list[Position]) -> None:
        """Close positions by force, now, all in one go."""
        self._start([self._order(position, abs(position.active), "liquidate") for position in positions])

    def settle(self, orders: list[Order]) -> None:
        """Fill closing orders from the book of now and end them: the first alone, then all."""
        for order in orders:
            self._fill(order)
        if len(orders) > 1:
            self._announcer.orders(orders[:1])
            self._core.after(SPLIT_MS, lambda: self._finish(orders))
        else:
            self._finish(orders)

    def _parts(self, position: Position, parts: int | None) -> list[Decimal]:
        size, lot = abs(position.active), position.instrument.quantity_increment
        if parts is None:
            value = size * self._core.mark(position.pair)
            parts = 2 if value >= self._core.behaviour.split_exit_usdt else 1
        second = size / 3 // lot * lot if parts > 1 else Decimal(0)
        return [size - second, second] if second else [size]

    def _order(self, position: Position, quantity: Decimal, stage: Stage, group_id: str | None = None) -> Order:
        side: Side = "sell" if position.active > 0 else "buy"
        request = OrderRequest(
            side, position.pair, quantity, None, position.leverage, position.currency, stage, group_id,
            margin_type=position.margin_type,
        )  # fmt: skip
        return self._core.new_order(request)

    def _start(self, orders: list[Order]) -> None:
        self._core.keep(orders)
        self._announcer.new_orders(orders)
        self._core.after(EXIT_FILL_MS, lambda: self.settle(orders))

    def _fill(self, order: Order) -> None:
        book = self._core.books.book(order.request.pair, self._core.now_ms, SWEEP_LEVELS)
        for match in sweep(order, book, self._core.now_ms):
            # Other orders may have closed part of the position since.
            quantity = min(match.quantity, self._core.closable(order))
            if quantity:
                self._lifecycle.book_fill(order, match._replace(quantity=quantity))
        if not order.is_terminal:
            order.apply_end(self._core.now_ms)

    def _finish(self, orders: list[Order]) -> None:
        for order in orders:
            order.updated_ms = self._core.now_ms
            message = _MESSAGES.get(order.request.stage)
            if order.status == "filled" and message is not None:
                order.group_status = "success" if order.request.group_id else None
                order.display_message = f"{order.instrument.base}USDT {message}"
        self._announcer.orders(orders)
        for pair, currency in dict.fromkeys((order.request.pair, order.request.currency) for order in orders):
            self._announcer.state_later(pair, currency)
            self._lifecycle.drop_legs(pair, currency)
