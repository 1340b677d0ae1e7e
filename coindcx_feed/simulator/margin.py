"""Fees and isolated margin: the formulas that reproduce captured rows. Pure functions on ``Decimal``.

All amounts are USDT, whatever the margin currency; INR books are converted at the peg by the account.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

INR_PEG: Final = Decimal(102)
"""INR per USDT: CoinDCX's internal rate since 2026-05-26, not a market rate."""

_DIGITS: Final = Decimal("1E-12")
_PERCENT: Final = Decimal("0.01")


def rounded(value: Decimal) -> Decimal:
    """Round the result of a division to 12 decimals, as published margins are."""
    return value.quantize(_DIGITS)


def fee(price: Decimal, quantity: Decimal, percent: Decimal) -> Decimal:
    """Return price × quantity × percent, unrounded."""
    return price * quantity * percent * _PERCENT


def order_margin(price: Decimal, quantity: Decimal, leverage: Decimal, taker_percent: Decimal) -> Decimal:
    """Return what an order locks: its value over leverage, and the taker fee of its value (rule since 2025)."""
    return rounded(price * quantity / leverage) + fee(price, quantity, taker_percent)


def maintenance_margin(notional: Decimal, tiers: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """Return the maintenance margin of a notional.

    Args:
        notional: Mark × quantity, positive.
        tiers: (upper notional, percent), lowest first. Marginal: each band counts with its own percent, the last one
            without an upper end.
    """
    total, lower = Decimal(0), Decimal(0)
    for index, (upper, percent) in enumerate(tiers):
        is_last = index == len(tiers) - 1
        band = notional - lower if is_last else min(notional, upper) - lower
        if band <= 0:
            break
        total += band * percent * _PERCENT
        lower = upper
    return total


def liquidation_price(
    active: Decimal, avg_price: Decimal, locked_margin: Decimal, tiers: Sequence[tuple[Decimal, Decimal]]
) -> Decimal:
    """Return the price at which an isolated position's margin falls to its maintenance.

    Args:
        active: Signed quantity; negative is short, for which the captured long formula is mirrored.
        avg_price: Entry price.
        locked_margin: Margin after fees.
        tiers: As for :func:`maintenance_margin`, applied to the entry notional.
    Returns:
        The price, never below 0; 0 for a flat position.
    """
    if not active:
        return Decimal(0)
    quantity = abs(active)
    distance = (locked_margin - maintenance_margin(avg_price * quantity, tiers)) / quantity
    price = avg_price - distance if active > 0 else avg_price + distance
    return max(rounded(price), Decimal(0))
