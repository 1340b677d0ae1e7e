"""Orders that wait for a price: stops and targets, a position's own ones among them, and what fires them."""

from decimal import Decimal
from typing import Final, NamedTuple

from coindcx_feed.simulator.announcer import Announcer
from coindcx_feed.simulator.closings import Closings
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.lifecycle import Lifecycle
from coindcx_feed.simulator.market import STEP_MS
from coindcx_feed.simulator.orders import Order, OrderRequest, Refusal, Side, Trigger
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.validation import check_trigger

# From firing to the end of a position's stop or target, as constructed from live exits.
LEG_FILL_MS: Final = 380

_NAMES: Final[dict[Trigger, str]] = {"take_profit": "TP", "stop": "SL"}


class _Waiting(NamedTuple):
    """An order and its trigger in ticks."""

    order: Order
    tick: int


class Triggers:
    """Watches the last price for every waiting order."""

    def __init__(self, core: Core, announcer: Announcer, lifecycle: Lifecycle, closings: Closings) -> None:
        self._core = core
        self._announcer = announcer
        self._lifecycle = lifecycle
        self._closings = closings
        self._waiting: list[_Waiting] = []
        self._watched_ms = core.now_ms
        core.at(core.now_ms - core.now_ms % STEP_MS + STEP_MS, self._watch)

    def wait(self, order: Order) -> None:
        """Watch an order that has a trigger and was accepted."""
        if order.request.stop_price is not None:
            self._waiting.append(_Waiting(order, order.instrument.tick(order.request.stop_price)))

    def protect(
        self, position: Position, take_profit: Decimal | None, stop_loss: Decimal | None
    ) -> dict[str, Order | str]:
        """Give a position a target, a stop, or both.

        Args:
            position: An open one.
            take_profit: Price that fires the target, USDT; ``None`` for none.
            stop_loss: Price that fires the stop, USDT; ``None`` for none.
        Returns:
            By ``take_profit`` and ``stop_loss``, as far as asked for: the order, or the reason it was refused.
        Raises:
            Refusal: If the position is flat.
        """
        if not position.active:
            raise Refusal(422, "Cannot create TP/SL for an inactive position")
        group_id = f"{self._core.account.new_id()[:8]}{position.pair}{self._core.now_ms // 1000}"
        made: dict[str, Order | str] = {}
        if stop_loss is not None:
            made["stop_loss"] = self._leg(position, "stop", stop_loss, group_id)
        if take_profit is not None:
            made["take_profit"] = self._leg(position, "take_profit", take_profit, group_id)
        if any(isinstance(leg, Order) for leg in made.values()):
            self._announcer.state_later(position.pair, position.currency)
        return made

    def _leg(self, position: Position, trigger: Trigger, price: Decimal, group_id: str) -> Order | str:
        orders = self._core.open_orders(position.pair, position.currency)
        if any(order.request.is_leg and order.request.trigger == trigger for order in orders):
            return f"{_NAMES[trigger]} already exists"
        side: Side = "sell" if position.active > 0 else "buy"
        request = OrderRequest(
            side, position.pair, Decimal(0), None, position.leverage, position.currency, "tpsl_exit", group_id,
            trigger, price, position.margin_type,
        )  # fmt: skip
        order = self._core.new_order(request)
        try:
            check_trigger(request, order.instrument, order.price)
        except Refusal as refusal:
            return refusal.message
        order.status = "untriggered"
        self._core.keep([order])
        self.wait(order)
        self._announcer.orders([order])
        return order

    def _watch(self) -> None:
        after_ms, self._watched_ms = self._watched_ms, self._core.now_ms
        if self._waiting:
            self._waiting = [row for row in self._waiting if row.order.status == "untriggered"]
            for row in [row for row in self._waiting if self._is_reached(row, after_ms, self._watched_ms)]:
                self._fire(row.order)
        self._core.after(STEP_MS, self._watch)

    def _is_reached(self, row: _Waiting, after_ms: int, until_ms: int) -> bool:
        request, market = row.order.request, self._core.market
        # Trades are at the touch: a look at two bids spares the list of trades most of the time.
        before, now = market.best_bid(request.pair, after_ms), market.best_bid(request.pair, until_ms)
        if max(before, now) + 1 < row.tick if request.fires_upwards else min(before, now) > row.tick:
            return False
        trades = market.trades(request.pair, max(after_ms, row.order.created_ms), until_ms)
        if request.fires_upwards:
            return any(trade.tick >= row.tick for trade in trades)
        return any(trade.tick <= row.tick for trade in trades)

    def _fire(self, order: Order) -> None:
        order.status, order.updated_ms = "initial", self._core.now_ms
        if order.request.is_leg:
            order.take_size(self._core.closable(order))
            self._announcer.orders([order])
            self._core.after(LEG_FILL_MS, lambda: self._closings.settle([order]))
        else:
            self._announcer.orders([order])
            self._lifecycle.arrive_later(order)
