"""A position, isolated or crossed: one per pair and margin currency, and its record on the wire."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.margin import liquidation_price, maintenance_margin, rounded
from coindcx_feed.simulator.orders import Currency, MarginType, Order, Trigger, conversion_rate

_ZERO: Final = Decimal(0)


@dataclass(eq=False, slots=True)
class Position:
    """One net position.

    Attributes:
        active: Signed base coins; negative is short.
        locked_margin: USDT held for it, after fees and funding. For a crossed one nothing is held apart: its initial
            margin.
        user_margin: USDT originally put in.
        mark_price: Mark at the last update, not live; 0 when flat.
        funding: USDT received by funding since it was opened; negative is paid.
    """

    id: str
    instrument: Instrument
    currency: Currency
    leverage: Decimal
    updated_ms: int
    active: Decimal = _ZERO
    avg_price: Decimal = _ZERO
    locked_margin: Decimal = _ZERO
    user_margin: Decimal = _ZERO
    mark_price: Decimal = _ZERO
    margin_type: MarginType = "isolated"
    funding: Decimal = _ZERO

    @property
    def pair(self) -> str:
        return self.instrument.pair

    @property
    def is_crossed(self) -> bool:
        return self.margin_type == "crossed"

    @property
    def liquidation(self) -> Decimal:
        """Mark at which it is liquidated, USDT; 0 when flat or crossed, where the whole wallet decides."""
        if self.is_crossed:
            return _ZERO
        return liquidation_price(self.active, self.avg_price, self.locked_margin, self.instrument.maintenance_tiers)

    def maintenance(self, mark: Decimal) -> Decimal:
        """Return the margin it needs at a mark, USDT."""
        return maintenance_margin(abs(self.active) * mark, self.instrument.maintenance_tiers)

    def apply_opening(self, sign: int, price: Decimal, quantity: Decimal, margin: Decimal, fee: Decimal) -> None:
        """Open or enlarge: the average price moves, the fee is taken from the margin."""
        size = abs(self.active)
        self.avg_price = rounded((self.avg_price * size + price * quantity) / (size + quantity))
        self.active += sign * quantity
        self.user_margin += margin
        self.locked_margin += margin - fee

    def apply_closing(self, price: Decimal, quantity: Decimal) -> tuple[Decimal, Decimal]:
        """Reduce by a quantity that is at most the size; the average price stays.

        Returns:
            Realised profit, and the margin that becomes free, both USDT.
        """
        size = abs(self.active)
        sign = 1 if self.active > 0 else -1
        profit = (price - self.avg_price) * quantity * sign
        is_flat = quantity == size
        released = self.locked_margin if is_flat else rounded(self.locked_margin * quantity / size)
        self.user_margin = _ZERO if is_flat else self.user_margin - rounded(self.user_margin * quantity / size)
        self.locked_margin -= released
        self.active -= sign * quantity
        if is_flat:
            self.avg_price = self.funding = _ZERO
        return profit, released


def position_record(position: Position, orders: list[Order]) -> dict[str, Any]:
    """Return the fields of ``df-position-update``; there is no unrealised profit among them.

    Args:
        position: Any position, a flat one too.
        orders: Its orders that can still fill.
    """
    active, mark = position.active, position.mark_price
    is_flat = not active
    return {
        "id": position.id,
        "pair": position.pair,
        "active_pos": active,
        "inactive_pos_buy": sum((o.remaining for o in orders if o.request.side == "buy"), _ZERO),
        "inactive_pos_sell": sum((o.remaining for o in orders if o.request.side == "sell"), _ZERO),
        "avg_price": position.avg_price,
        "liquidation_price": position.liquidation,
        "locked_margin": position.locked_margin,
        "locked_user_margin": position.user_margin,
        "locked_order_margin": sum((o.locked_margin for o in orders), _ZERO),
        "take_profit_trigger": _leg_price(orders, "take_profit"),
        "stop_loss_trigger": _leg_price(orders, "stop"),
        "leverage": position.leverage,
        "mark_price": None if is_flat else mark,
        "maintenance_margin": None if is_flat else position.maintenance(mark),
        "updated_at": position.updated_ms,
        "margin_type": position.margin_type,
        "margin_currency_short_name": position.currency,
        "settlement_currency_avg_price": None if is_flat else conversion_rate(position.currency),
    }


def _leg_price(orders: list[Order], trigger: Trigger) -> Decimal | None:
    legs = (order.request for order in orders if order.request.is_leg and order.request.trigger == trigger)
    return next((leg.stop_price for leg in legs), None)
