"""Current prices of all pairs: the fields of the prices channel and of its REST reply."""

from decimal import Decimal
from typing import Any, Final

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.funding import FundingRates
from coindcx_feed.simulator.market import MINUTE_MS, Market

_DAY_MINUTES: Final = 1440
# Statistics of the day are looked at once an hour; between, only the last price can widen them.
_STATS_MINUTES: Final = 60

# The real list carries delisted pairs with marks frozen for months; a client has to look at their age.
_DELISTED: Final = "B-OLD_USDT"
_DELISTED_AGE_MS: Final = 219 * 86_400_000


class PriceBoard:
    """Builds the payloads of the prices channel for any time; only the counter ``vs`` remembers anything."""

    def __init__(self, market: Market, funding: FundingRates | None = None) -> None:
        self.version = 361_105_000
        self._market = market
        self._funding = funding or FundingRates(market)
        self._stats: tuple[int, dict[str, tuple[int, int, int, float]]] = (-1, {})

    def full_update(self, at_ms: int) -> dict[str, Any]:
        """Return an update with last price and mark of every pair."""
        return self._outer(at_ms, {pair: self._ticker(pair, at_ms) | self._mark(pair, at_ms) for pair in self._pairs})

    def mark_update(self, at_ms: int) -> dict[str, Any]:
        """Return a mark-only update; a pair whose mark stood still has times but no ``mp``, as documented."""
        rows = {}
        for pair in self._pairs:
            row = self._mark(pair, at_ms)
            if row["mp"] == self._market.mark_price(pair, at_ms - 800):
                del row["mp"]
            rows[pair] = row
        return self._outer(at_ms, rows)

    def ticker_update(self, at_ms: int) -> dict[str, Any]:
        """Return a ticker-only update of the pairs that traded since the one before."""
        traded = [pair for pair in self._pairs if self._market.trades(pair, at_ms - 800, at_ms)]
        return self._outer(at_ms, {pair: self._ticker(pair, at_ms) for pair in traded})

    def snapshot(self, at_ms: int) -> dict[str, Any]:
        """Return every field of every pair, a delisted one among them."""
        rows: dict[str, Any] = {pair: self.row(pair, at_ms) for pair in self._pairs}
        old_ms = at_ms - at_ms % 86_400_000 - _DELISTED_AGE_MS
        rows[_DELISTED] = {
            "fr": Decimal("0.00005"),
            "skw": 0,
            "mp": Decimal("0.01131"),
            "efr": Decimal("0.00005"),
            "bmST": old_ms,
            "cmRT": old_ms + 117,
        }
        return self._outer(at_ms, rows)

    def row(self, pair: str, at_ms: int) -> dict[str, Any]:
        """Return the fourteen fields of a pair."""
        instrument = self._market.instruments[pair]
        last = self._market.last_price(pair, at_ms)
        _, high, low, _ = self._day(pair, at_ms)
        value, change = self._change(pair, at_ms, last)
        return {
            "fr": self._funding.settled(pair, at_ms),
            "h": max(instrument.price(high), last),
            "l": min(instrument.price(low), last),
            "v": value,
            "ls": last,
            "pc": change,
            "mkt": wire.relay_symbol(pair),
            "btST": at_ms - 742,
            "ctRT": at_ms - 346,
            "skw": 0,
            "mp": self._market.mark_price(pair, at_ms),
            "efr": self._funding.upcoming(pair, at_ms),
            "bmST": at_ms - 490,
            "cmRT": at_ms - 27,
        }

    @property
    def _pairs(self) -> list[str]:
        return list(self._market.instruments)

    def _ticker(self, pair: str, at_ms: int) -> dict[str, Any]:
        last = self._market.last_price(pair, at_ms)
        value, change = self._change(pair, at_ms, last)
        return {"v": value, "ls": last, "pc": change, "btST": at_ms - 742, "ctRT": at_ms - 346}

    def _change(self, pair: str, at_ms: int, last: Decimal) -> tuple[Decimal, Decimal]:
        # Volume of the day in USDT, and its change in percent.
        first_tick, _, _, volume = self._day(pair, at_ms)
        first = self._market.instruments[pair].price(first_tick)
        return Decimal(f"{volume * float(first):.2f}"), ((last / first - 1) * 100).quantize(Decimal("0.001"))

    def _mark(self, pair: str, at_ms: int) -> dict[str, Any]:
        return {"mp": self._market.mark_price(pair, at_ms), "bmST": at_ms - 490, "cmRT": at_ms - 27}

    def _outer(self, at_ms: int, rows: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        return {"vs": self.version, "ts": at_ms, "pr": "futures", "pST": at_ms - 17, "prices": rows}

    def _day(self, pair: str, at_ms: int) -> tuple[int, int, int, float]:
        # First price, high, low (ticks) and volume (base coins) of the last 24 hours.
        minute = at_ms // MINUTE_MS // _STATS_MINUTES * _STATS_MINUTES
        if self._stats[0] != minute:
            self._stats = (minute, {})
        days = self._stats[1]
        if pair not in days:
            lines = [self._market.outline(pair, m) for m in range(minute - _DAY_MINUTES, minute)]
            high, low = max(line.high for line in lines), min(line.low for line in lines)
            days[pair] = (lines[0].open, high, low, sum(line.volume for line in lines))
        return days[pair]
