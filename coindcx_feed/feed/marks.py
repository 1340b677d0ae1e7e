"""Mark prices: the newest per pair, and one a second for the pairs that charts need."""

import threading
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from coindcx_feed.exchange.numbers import MAX_EXPONENT, finite
from coindcx_feed.exchange.records import CurrentPricesRecord

FRESH_S: Final = 10.0
"""A mark older than this is shown grey, breaks chart lines and computes no PnL."""
HISTORY_S: Final = 24 * 3600

Floats = npt.NDArray[np.float64]


class Mark(NamedTuple):
    """The newest mark of a pair, USDT: ``received_ns`` is the wall clock at arrival, ``exchange_ms`` its own stamp."""

    price: Decimal
    received_ns: int
    exchange_ms: int | None


class Day(NamedTuple):
    """What current prices say of a pair besides its mark; ``None`` until told.

    ``high`` and ``low`` are the last price's of 24 hours, USDT; ``funding_rate`` is the upcoming one, a fraction of the
    size at mark. ``received_ns`` is when high and low came.
    """

    high: Decimal | None = None
    low: Decimal | None = None
    funding_rate: Decimal | None = None
    received_ns: int = 0


class _Series:
    """One value per second of a day in a circle; the second is stored beside it, so old rounds do not show through."""

    def __init__(self) -> None:
        self.second = np.zeros(HISTORY_S, dtype=np.int64)
        self.price = np.zeros(HISTORY_S, dtype=np.float64)

    def put(self, second: int, price: float) -> None:
        slot = second % HISTORY_S
        self.second[slot], self.price[slot] = second, price

    def read(self, since: int, until: int) -> tuple[npt.NDArray[np.int64], Floats]:
        wanted = np.arange(max(since, until - HISTORY_S + 1), until + 1, dtype=np.int64)
        slots = wanted % HISTORY_S
        kept = self.second[slots] == wanted
        return wanted[kept], self.price[slots][kept]


class Marks:
    """Threads: one writer, any readers."""

    def __init__(self, chosen: Iterable[str] = ()) -> None:
        self._chosen = frozenset(chosen)
        self._newest: dict[str, Mark] = {}
        self._series: dict[str, _Series] = {}
        self._days: dict[str, Day] = {}
        self._lock = threading.Lock()

    def update(self, record: CurrentPricesRecord, received_ns: int, open_pairs: Iterable[str]) -> None:
        """Take the marks of one current-prices frame; rows without a usable ``mp`` change nothing."""
        charted = self._chosen.union(open_pairs)
        second = received_ns // 1_000_000_000
        with self._lock:
            for pair, fields in record.prices.items():
                if "h" in fields or "efr" in fields:
                    self._days[pair] = _day(self._days.get(pair, Day()), fields, received_ns)
                price = _decimal(fields.get("mp"))
                if price is None:
                    continue
                stamp = fields.get("bmST")
                self._newest[pair] = Mark(price, received_ns, stamp if isinstance(stamp, int) else None)
                if pair in charted:
                    if pair not in self._series:
                        self._series[pair] = _Series()
                    self._series[pair].put(second, float(price))

    def choose(self, pairs: Iterable[str], held: Iterable[str] = ()) -> None:
        """Keep a history of these pairs from now on, and drop that of any other.

        Args:
            held: Pairs with an open position: theirs is never dropped.
        """
        with self._lock:
            self._chosen = frozenset(pairs)
            kept = self._chosen.union(held)
            for pair in [pair for pair in self._series if pair not in kept]:
                del self._series[pair]

    def newest(self, pair: str) -> Mark | None:
        return self._newest.get(pair)

    def day(self, pair: str) -> Day:
        """Return the last day of a pair, as last told."""
        return self._days.get(pair, Day())

    def fresh(self, pair: str, now_ns: int) -> Decimal | None:
        """Return the mark if it is younger than ``FRESH_S``, USDT."""
        mark = self._newest.get(pair)
        return mark.price if mark is not None and now_ns - mark.received_ns <= FRESH_S * 1e9 else None

    def series(self, pair: str, since_ms: float, now_ms: float) -> tuple[Floats, Floats]:
        """Return times (ms) and marks (USDT), with NaN where no mark was fresh."""
        with self._lock:
            series = self._series.get(pair)
            if series is None:
                return np.empty(0), np.empty(0)
            seconds, prices = series.read(int(since_ms // 1000), int(now_ms // 1000))
        return with_breaks(seconds, prices)


def with_breaks(seconds: npt.NDArray[np.int64], prices: Floats) -> tuple[Floats, Floats]:
    """Return times (ms) and marks of some seconds, with NaN where none was fresh."""
    breaks = np.flatnonzero(np.diff(seconds) > FRESH_S) + 1
    times = np.insert(seconds.astype(np.float64), breaks, seconds[breaks - 1] + 1.0)
    return times * 1000.0, np.insert(prices, breaks, np.nan)


def _day(before: Day, fields: dict[str, Any], received_ns: int) -> Day:
    high, low, rate = _decimal(fields.get("h")), _decimal(fields.get("l")), finite(fields.get("efr"))
    if high is not None and low is not None:
        before = before._replace(high=high, low=low, received_ns=received_ns)
    # A rate beyond 100 % is none.
    return before._replace(funding_rate=rate) if rate is not None and abs(rate) < 1 else before


def _decimal(value: Any) -> Decimal | None:
    # Whatever is no positive number of a sane size is no mark: 0 stands for "none" on this exchange.
    number = finite(value)
    return number if number is not None and number > 0 and -MAX_EXPONENT < number.adjusted() < MAX_EXPONENT else None
