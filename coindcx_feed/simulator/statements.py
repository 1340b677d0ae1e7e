"""Rows of the account's history as REST lists them: fills, and transactions of positions. Data only."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from coindcx_feed.simulator.orders import Currency, Order

LedgerStage = Literal["default", "exit", "tpsl_exit", "liquidation", "funding"]


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. ``fee`` is USDT; the trade is a moment older than its booking."""

    fill_id: str
    order: Order
    price: Decimal
    quantity: Decimal
    is_maker: bool
    fee: Decimal
    at_ms: int
    booked_ms: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of a position's transactions; ``profit`` and ``fee`` are in the margin currency.

    Attributes:
        fill_id: An identifier of its own, not that of the :class:`Fill`.
        parent_type: What ``parent_id`` names: an order, or a funding.
    """

    fill_id: str
    stage: LedgerStage
    pair: str
    currency: Currency
    parent_type: str
    parent_id: str
    position_id: str
    profit: Decimal
    fee: Decimal
    at_ms: int


def ledger_stage(order: Order) -> LedgerStage:
    """Return the word of the ledger for an order's stage; the two lists spell a liquidation differently."""
    stage = order.request.stage
    return "liquidation" if stage == "liquidate" else stage
