"""The demo trader: keeps the simulated account lively with orders every few seconds, the same for the same seed."""

import random
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from coindcx_feed.simulator.behaviour import Behaviour
from coindcx_feed.simulator.channels import Publisher
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.orders import Currency, MarginType, Order, OrderRequest, Refusal, Side
from coindcx_feed.simulator.positions import Position
from coindcx_feed.simulator.topics import Frame

HISTORY_MS: Final = 30 * 60_000
"""How much is behind the demo account when it is first shown."""

FUNDING_MS: Final = 5 * 60_000
"""Fundings of the demo are this far apart: the contracts' eight hours would rarely be seen."""

_DEPOSITS: Final[dict[Currency, Decimal]] = {"USDT": Decimal(50_000), "INR": Decimal(2_500_000)}


class _Plan(NamedTuple):
    """A position the trader keeps around ``target``, in steps of ``unit`` base coins.

    ``guard`` is the distance of its stop and target from the price; 0 for none.
    """

    pair: str
    currency: Currency
    leverage: Decimal
    target: Decimal
    unit: Decimal
    guard: float = 0
    margin_type: MarginType = "isolated"


_PLANS: Final = (
    _Plan("B-BTC_USDT", "USDT", Decimal(5), Decimal("0.24"), Decimal("0.02"), guard=0.012),
    _Plan("B-ETH_USDT", "USDT", Decimal(5), Decimal(-6), Decimal("0.4")),
    _Plan("B-SOL_USDT", "INR", Decimal(3), Decimal(90), Decimal(9)),
    _Plan("B-XRP_USDT", "INR", Decimal(4), Decimal(-6_000), Decimal(700), guard=0.004),
    _Plan("B-SOL_USDT", "USDT", Decimal(10), Decimal(-80), Decimal(12), margin_type="crossed"),
    _Plan("B-DOGE_USDT", "USDT", Decimal(2), Decimal(30_000), Decimal(6_000)),
    _Plan("B-ETH_USDT", "INR", Decimal(2), Decimal("1.2"), Decimal("0.3")),
)
# Orders far from the market that stand for minutes, so that the list of open orders is never empty.
_LADDER: Final = 5


class DemoTrader:
    """Trades on an exchange through the same calls as anybody else; a refused order is simply not placed.

    Attributes:
        refused: Orders the exchange refused at once.
    """

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self.refused = 0
        self._exchange = exchange
        self._rng = random.Random(f"demo {seed}")

    def start(self) -> None:
        """Schedule the first deposits, the opening of the positions, and everything after."""
        start_ms = self._exchange.now_ms
        self._exchange.at(start_ms, self._refill)
        for number, plan in enumerate(_PLANS):
            self._exchange.at(start_ms + 1_000 + 1_700 * number, partial(self._enter, plan))
        for number in range(_LADDER):
            self._exchange.at(start_ms + 15_000 + 2_300 * number, self._place_far)
        self._exchange.at(start_ms + 28_000, self._act)

    def _act(self) -> None:
        rng, exchange = self._rng, self._exchange
        plan = rng.choice(_PLANS)
        choice = rng.random()
        self._tend(plan)
        if choice < 0.34:
            self._place_near(plan, rng.randint(1, 2), patience_s=rng.uniform(4, 25))
        elif choice < 0.52:
            self._place_near(plan, rng.randint(5, 8), patience_s=rng.uniform(8, 30))
        elif choice < 0.70:
            self._place_and_cancel(plan)
        elif choice < 0.92:
            self._market(plan)
        elif choice < 0.96:
            self._place_rejected(plan)
        else:
            self._exit(plan)
        self._refill()
        exchange.at(exchange.now_ms + rng.randint(2_500, 6_500), self._act)

    def _tend(self, plan: _Plan) -> None:
        # A stop or target that fired leaves the position flat; one that is open keeps both.
        position = self._position(plan)
        if position is None or not position.active:
            self._enter(plan)
        elif plan.guard:
            self._protect(plan, position)

    def _protect(self, plan: _Plan, position: Position) -> None:
        side: Side = "sell" if position.active > 0 else "buy"
        target = self._price(plan, side, plan.guard)
        stop = self._price(plan, side, -plan.guard)
        orders = self._exchange.open_orders(plan.pair, plan.currency)
        legs = {order.request.trigger for order in orders if order.request.is_leg}
        if len(legs) < 2:
            self._exchange.protect(
                position, None if "take_profit" in legs else target, None if "stop" in legs else stop
            )

    def _position(self, plan: _Plan) -> Position | None:
        return self._exchange.account.positions.get((plan.pair, plan.currency))

    def _refill(self) -> None:
        # Fees eat the wallets in a demo that runs for days.
        for currency, amount in _DEPOSITS.items():
            if self._exchange.account.wallet(currency).available < amount / 5:
                self._exchange.deposit(currency, amount)

    def _enter(self, plan: _Plan) -> None:
        side: Side = "buy" if plan.target > 0 else "sell"
        self._place(plan, side, abs(plan.target), None)

    def _side(self, plan: _Plan) -> Side:
        position = self._position(plan)
        missing = plan.target - (position.active if position is not None else Decimal(0))
        wanted: Side = "buy" if missing > 0 else "sell"
        other: Side = "sell" if missing > 0 else "buy"
        return wanted if abs(missing) > 5 * plan.unit or self._rng.random() < 0.65 else other

    def _price(self, plan: _Plan, side: Side, distance: float) -> Decimal:
        # ``distance`` is the fraction of the price away from the own side of the book.
        exchange = self._exchange
        bid = exchange.market.best_bid(plan.pair, exchange.now_ms)
        tick = bid - round(bid * distance) if side == "buy" else bid + 1 + round(bid * distance)
        return exchange.instrument(plan.pair).price(tick)

    def _place(self, plan: _Plan, side: Side, quantity: Decimal, price: Decimal | None) -> Order | None:
        request = OrderRequest(
            side, plan.pair, quantity, price, plan.leverage, plan.currency, margin_type=plan.margin_type
        )
        try:
            return self._exchange.place(request)
        except Refusal:
            self.refused += 1
            return None

    def _cancel_after(self, order: Order | None, delay_s: float) -> None:
        if order is not None:
            self._exchange.at(self._exchange.now_ms + int(delay_s * 1_000), lambda: self._cancel(order))

    def _cancel(self, order: Order) -> None:
        if not order.is_terminal:
            self._exchange.cancel(order.id)

    def _place_near(self, plan: _Plan, units: int, patience_s: float) -> None:
        side = self._side(plan)
        order = self._place(plan, side, plan.unit * units, self._price(plan, side, self._rng.uniform(0, 0.00008)))
        self._cancel_after(order, patience_s)

    def _place_and_cancel(self, plan: _Plan) -> None:
        side = self._side(plan)
        order = self._place(plan, side, plan.unit, self._price(plan, side, self._rng.uniform(0.002, 0.02)))
        self._cancel_after(order, self._rng.uniform(2, 12))

    def _place_far(self) -> None:
        plan = self._rng.choice(_PLANS)
        side = self._side(plan)
        life_s = self._rng.uniform(120, 420)
        order = self._place(plan, side, plan.unit, self._price(plan, side, self._rng.uniform(0.008, 0.03)))
        self._cancel_after(order, life_s)
        self._exchange.at(self._exchange.now_ms + int(life_s * 1_000) + 1_000, self._place_far)

    def _market(self, plan: _Plan) -> None:
        self._place(plan, self._side(plan), plan.unit * self._rng.randint(1, 2), None)

    def _place_rejected(self, plan: _Plan) -> None:
        side = self._side(plan)
        self._place(plan, side, plan.unit, self._price(plan, side, 0.15))

    def _exit(self, plan: _Plan) -> None:
        # The position is entered again when the trader next looks at it.
        position = self._position(plan)
        if position is not None and position.active:
            self._exchange.exit(position, parts=self._rng.randint(1, 2))


def demo_exchange(seed: int, now_ms: int) -> tuple[Exchange, list[Frame]]:
    """Build the demo's exchange with half an hour behind it.

    Args:
        seed: Same seed and same time give the same account and frames.
        now_ms: Present, Unix ms; the history ends there.
    Returns:
        The exchange, at ``now_ms`` with its trader at work, and its frames so far in order of time: all account frames,
        and one current-prices update per second with every pair.
    """
    exchange = Exchange(seed, now_ms - HISTORY_MS, Behaviour(funding_interval_ms=FUNDING_MS))
    DemoTrader(exchange, seed).start()
    frames = exchange.advance(now_ms)
    frames += Publisher(exchange).price_history(now_ms - HISTORY_MS, now_ms)
    frames.sort(key=lambda frame: frame.at_ms)
    return exchange, frames
