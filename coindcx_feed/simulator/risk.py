"""What the exchange does to positions by itself: funding at its times, and liquidation when margin runs out."""

from decimal import Decimal
from typing import Final, NamedTuple

from coindcx_feed.simulator.announcer import Announcer
from coindcx_feed.simulator.closings import Closings
from coindcx_feed.simulator.core import Core
from coindcx_feed.simulator.crossed import crossed_margin
from coindcx_feed.simulator.lifecycle import Lifecycle
from coindcx_feed.simulator.positions import Position

WATCH_MS: Final = 1_000
# A liquidation order is given this long before the next one for the same position.
PATIENCE_MS: Final = 2_000
# Beyond this share of the price the mark, which trails the bid by two seconds, need not be computed.
_NEAR: Final = Decimal("0.01")
# A crossed account that uses less than half of its equity is looked at this seldom.
_CALM_MS: Final = 5_000


class _Limit(NamedTuple):
    """Liquidation price of a position, what it was computed from, and the bid from which on it has to be looked at."""

    inputs: tuple[Decimal, Decimal, Decimal]
    price: Decimal
    near_tick: int


class Risk:
    """Looks at every open position once a second."""

    def __init__(self, core: Core, announcer: Announcer, lifecycle: Lifecycle, closings: Closings) -> None:
        self._core = core
        self._announcer = announcer
        self._lifecycle = lifecycle
        self._closings = closings
        self._liquidated_ms: dict[str, int] = {}
        self._limits: dict[str, _Limit] = {}
        self._crossed_ms = 0
        core.at(core.now_ms - core.now_ms % WATCH_MS + WATCH_MS, self._watch)

    def _watch(self) -> None:
        positions = [position for position in self._core.account.positions.values() if position.active]
        self._fund(positions)
        for position in positions:
            if not position.is_crossed and self._is_exhausted(position):
                self._liquidate([position])
        if any(position.is_crossed for position in positions):
            self._watch_crossed()
        self._core.after(WATCH_MS, self._watch)

    def _fund(self, positions: list[Position]) -> None:
        core, now_ms = self._core, self._core.now_ms
        due = [row for row in positions if core.funding.is_due(row.pair, now_ms - WATCH_MS, now_ms)]
        for position in due:
            rate = core.funding.settled(position.pair, now_ms)
            core.account.fund(position, core.mark(position.pair), rate, now_ms)
        if due:
            self._announcer.positions(due)
            for currency in dict.fromkeys(position.currency for position in due):
                self._announcer.wallet(currency)

    def _is_exhausted(self, position: Position) -> bool:
        limit = self._limit(position)
        bid = self._core.market.best_bid(position.pair, self._core.now_ms)
        if position.active > 0:
            return bid <= limit.near_tick and self._core.mark(position.pair) <= limit.price
        return bid >= limit.near_tick and self._core.mark(position.pair) >= limit.price

    def _limit(self, position: Position) -> _Limit:
        inputs = (position.active, position.avg_price, position.locked_margin)
        known = self._limits.get(position.id)
        if known is None or known.inputs != inputs:
            price = position.liquidation
            near = price * (1 + _NEAR if position.active > 0 else 1 - _NEAR)
            known = self._limits[position.id] = _Limit(inputs, price, position.instrument.tick(near))
        return known

    def _watch_crossed(self) -> None:
        account = self._core.account
        if self._core.now_ms < self._crossed_ms:
            return
        crossed = crossed_margin(account, self._core.now_ms)
        if not crossed.is_exhausted:
            self._crossed_ms = self._core.now_ms + (_CALM_MS if crossed.maintenance * 2 < crossed.equity else 0)
            return
        orders = [order for order in self._core.open_orders() if order.request.margin_type == "crossed"]
        if orders:
            self._lifecycle.end(orders)
        self._liquidate(account.crossed_positions())

    def _liquidate(self, positions: list[Position]) -> None:
        now_ms = self._core.now_ms
        due = [row for row in positions if now_ms - self._liquidated_ms.get(row.id, 0) >= PATIENCE_MS]
        for position in due:
            self._liquidated_ms[position.id] = now_ms
            if not position.is_crossed:
                self._lifecycle.end(self._core.open_orders(position.pair, position.currency))
        if due:
            self._closings.liquidate(due)
