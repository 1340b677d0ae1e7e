"""An isolated position: one per pair and margin currency, and its record on the wire."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.simulator.instruments import Instrument
from coindcx_feed.simulator.margin import liquidation_price, maintenance_margin, rounded
from coindcx_feed.simulator.orders import Currency, Order, conversion_rate

_ZERO: Final = Decimal(0)


@dataclass(eq=False, slots=True)
class Position:
    """One net position.

    Attributes:
        active: Signed base coins; negative is short.
        locked_margin: USDT held for it, after fees.
        user_margin: USDT originally put in.
        mark_price: Mark at the last update, not live; 0 when flat.
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

    @property
    def pair(self) -> str:
        return self.instrument.pair

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
            self.avg_price = _ZERO
        return profit, released


def position_record(position: Position, orders: list[Order]) -> dict[str, Any]:
    """Return the fields of ``df-position-update``; there is no unrealised profit among them.

    Args:
        position: Any position, a flat one too.
        orders: Its orders that can still fill.
    """
    tiers = position.instrument.maintenance_tiers
    active, mark = position.active, position.mark_price
    is_flat = not active
    return {
        "id": position.id,
        "pair": position.pair,
        "active_pos": active,
        "inactive_pos_buy": sum((o.remaining for o in orders if o.request.side == "buy"), _ZERO),
        "inactive_pos_sell": sum((o.remaining for o in orders if o.request.side == "sell"), _ZERO),
        "avg_price": position.avg_price,
        "liquidation_price": liquidation_price(active, position.avg_price, position.locked_margin, tiers),
        "locked_margin": position.locked_margin,
        "locked_user_margin": position.user_margin,
        "locked_order_margin": sum((o.locked_margin for o in orders), _ZERO),
        "take_profit_trigger": None,
        "stop_loss_trigger": None,
        "leverage": position.leverage,
        "mark_price": None if is_flat else mark,
        "maintenance_margin": None if is_flat else maintenance_margin(abs(active) * mark, tiers),
        "updated_at": position.updated_ms,
        "margin_type": "isolated",
        "margin_currency_short_name": position.currency,
        "settlement_currency_avg_price": None if is_flat else conversion_rate(position.currency),
    }
