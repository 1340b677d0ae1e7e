"""Funding: its times and its rates, as pure functions of seed, pair and time."""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from coindcx_feed.simulator.market import Market

HOUR_MS: Final = 3_600_000
# Rates of the relayed venue are small and mostly positive; these are round numbers in that range.
_RATES: Final = tuple(Decimal(number) / 1_000_000 for number in (100, 100, 100, 73, 51, 24, 8, -15, -42))


class FundingRates:
    """When positions of a pair are settled, and at which rate."""

    def __init__(self, market: Market, override_ms: Callable[[], int | None] = lambda: None) -> None:
        """Ask for an interval other than the contracts' own each time it is needed; ``None`` is their own."""
        self._market = market
        self._override_ms = override_ms

    def interval_ms(self, pair: str) -> int:
        """Return the time between two fundings."""
        return self._override_ms() or self._market.instruments[pair].funding_hours * HOUR_MS

    def is_due(self, pair: str, after_ms: int, until_ms: int) -> bool:
        """Tell whether a funding falls after ``after_ms``, up to ``until_ms``; they are multiples of the interval."""
        interval_ms = self.interval_ms(pair)
        return after_ms // interval_ms != until_ms // interval_ms

    def settled(self, pair: str, at_ms: int) -> Decimal:
        """Return the rate of the last funding at or before a time, as a fraction."""
        return self._rate(pair, at_ms // self.interval_ms(pair))

    def upcoming(self, pair: str, at_ms: int) -> Decimal:
        """Return the rate of the next funding, as a fraction."""
        return self._rate(pair, at_ms // self.interval_ms(pair) + 1)

    def _rate(self, pair: str, number: int) -> Decimal:
        return random.Random(f"funding {self._market.seed} {pair} {number}").choice(_RATES)
