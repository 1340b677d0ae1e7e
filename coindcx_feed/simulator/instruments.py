"""The contracts traded on the simulated exchange, read from ``instruments.json``. Data only, no state.

BTC, ETH and SOL rows are those of the recorded and constructed REST replies; XRP and DOGE are variations of SOL's.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


@dataclass(frozen=True, slots=True)
class Instrument:
    """One contract.

    Attributes:
        pair: ``B-ETH_USDT``.
        base: ``ETH``.
        price_increment: Size of a price tick, USDT.
        quantity_increment: Size of a lot, base coins.
        min_notional: Smallest order value, USDT.
        maker_fee: Percent, tax included.
        taker_fee: Percent, tax included.
        leverage_limits: (leverage, largest notional in USDT), lowest leverage first.
        maintenance_tiers: (upper notional in USDT, percent), lowest first; marginal, like tax bands.
        liquidation_fee: Percent, on top of the taker fee.
        funding_hours: Time between fundings.
        record: The REST row.
    """

    pair: str
    base: str
    price_increment: Decimal
    quantity_increment: Decimal
    min_price: Decimal
    max_price: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    leverage_limits: tuple[tuple[int, Decimal], ...]
    maintenance_tiers: tuple[tuple[Decimal, Decimal], ...]
    liquidation_fee: Decimal
    funding_hours: int
    record: dict[str, Any]

    def price(self, tick: int) -> Decimal:
        """Return the price of a tick number."""
        return self.price_increment * tick

    def tick(self, price: Decimal) -> int:
        """Return the number of the tick at or below a price."""
        return int(price / self.price_increment)

    def quantity(self, lots: int) -> Decimal:
        """Return the quantity of a number of lots."""
        return self.quantity_increment * lots

    def max_leverage(self, notional: Decimal) -> int:
        """Return the highest leverage allowed for a position of this notional."""
        allowed = [leverage for leverage, limit in self.leverage_limits if notional <= limit]
        return max(allowed, default=1)


def _build(row: dict[str, Any]) -> Instrument:
    def money(name: str) -> Decimal:
        return Decimal(row[name])

    leverages = row["dynamic_position_leverage_details"]
    tiers = row["dynamic_safety_margin_details"]
    return Instrument(
        pair=row["pair"],
        base=row["underlying_currency_short_name"],
        price_increment=money("price_increment"),
        quantity_increment=money("quantity_increment"),
        min_price=money("min_price"),
        max_price=money("max_price"),
        min_quantity=money("min_quantity"),
        max_quantity=money("max_quantity"),
        max_market_quantity=money("max_market_order_quantity"),
        min_notional=money("min_notional"),
        maker_fee=money("maker_fee"),
        taker_fee=money("taker_fee"),
        leverage_limits=tuple((int(leverage), Decimal(limit)) for leverage, limit in leverages.items()),
        maintenance_tiers=tuple((Decimal(limit), Decimal(percent)) for limit, percent in tiers.items()),
        liquidation_fee=money("liquidation_fee"),
        funding_hours=int(row["funding_frequency"]),
        record=row,
    )


@cache
def instruments() -> dict[str, Instrument]:
    """Return the contracts by pair, in the order of the file."""
    text = resources.files(__package__).joinpath("instruments.json").read_bytes()
    return {row["pair"]: _build(row) for row in _decode(text)}
