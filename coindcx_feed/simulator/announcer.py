"""Frames of the account: which records leave, when, and how often. Changes nothing but the times of positions."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.accounts import Purse
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.jstext import amount_text, socket_text
from coindcx_feed.simulator.orders import Currency, Order, order_record
from coindcx_feed.simulator.positions import Position, position_record
from coindcx_feed.simulator.topics import Frame


class Announcer:
    """Writes the records of the engine's state into :attr:`Core.frames`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def orders(self, orders: Iterable[Order]) -> None:
        """Send orders as they are now: in one frame, or one each if the exchange is set to."""
        chosen = list(orders)
        for order in chosen:
            self.note(order)
        groups = [chosen] if self._core.behaviour.one_frame else [[order] for order in chosen]
        for group in groups:
            self._publish(wire.ORDER_EVENT, socket_text([order_record(order) for order in group]))

    def note(self, order: Order) -> None:
        """Make the present state of an order known to REST only."""
        self._core.versions.note(order.id, self._core.now_ms, order)

    def new_orders(self, orders: list[Order]) -> None:
        """Send new orders, and again a moment later.

        The first frame of an order comes twice on the real wire; whether the copies are identical is unknown.
        """
        behaviour = self._core.behaviour
        self.orders(orders)
        if behaviour.initial_repeat == "none":
            return
        copy = [order_record(order) for order in orders]
        again_ms = self._core.now_ms + behaviour.initial_repeat_ms
        if behaviour.initial_repeat == "later":
            for record in copy:
                record["updated_at"] = again_ms
        text = socket_text(copy)
        self._core.at(again_ms, lambda: self._publish(wire.ORDER_EVENT, text))

    def state_later(self, pair: str, currency: Currency) -> None:
        """Send position and wallet with their usual delays."""
        behaviour = self._core.behaviour
        position = self._core.account.positions[pair, currency]
        self._core.after(behaviour.position_lag_ms, lambda: self.positions([position]))
        self._core.after(behaviour.balance_lag_ms, lambda: self.wallet(currency))

    def positions(self, positions: Iterable[Position]) -> None:
        """Send positions with their marks of now, in one frame."""
        core, rows = self._core, list[dict[str, Any]]()
        for position in positions:
            position.mark_price = core.mark(position.pair) if position.active else Decimal(0)
            position.updated_ms = core.now_ms
            core.versions.note(position.id, core.now_ms, position)
            rows.append(position_record(position, core.open_orders(position.pair, position.currency)))
        self._publish(wire.POSITION_EVENT, socket_text(rows))

    def wallet(self, currency: Currency) -> None:
        """Send a wallet."""
        account, now_ms = self._core.account, self._core.now_ms
        self._core.versions.note((Purse, currency), now_ms, account.purse(currency))
        self._publish(wire.BALANCE_EVENT, socket_text([account.wallet_record(currency, amount_text)]))

    def _publish(self, event: str, data: str) -> None:
        self._core.frames.append(Frame(self._core.now_ms, event, data, wire.PRIVATE_CHANNEL))
