"""The bars of one pair and resolution: history of REST reads, and the running one from the stream. No I/O."""

import threading
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from coindcx_feed.exchange.records import CandleBar
from coindcx_feed.exchange.rest_records import RestCandleRecord

KEPT: Final = 2_000
"""Bars of one chart: more than a screen has pixels for."""
READ: Final = 300
"""Bars of the first read."""
TAIL: Final = 5
"""Bars that are read again when one has closed: its last frame may be half a second short of the close."""

MINUTES: Final = {
    "1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "8h": 480, "1d": 1_440, "3d": 4_320, "1w": 10_080,
    "1M": 43_200,
}  # fmt: skip
"""Length of a bar; a month is about 30 days."""

BY_DAYS: Final = {"3d": 3, "1w": 7}
"""Resolutions of the stream that no read answers: their history is made of daily bars."""

DAY_MS: Final = 86_400_000


class Bar(NamedTuple):
    """One bar: ``open_ms`` Unix ms, prices USDT, volume base coins; ``told_ns`` is when this was said (Unix ns)."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    told_ns: int


class Candles:
    """Threads: one writer, any readers.

    Args:
        resolution: A key of ``MINUTES``.
    """

    def __init__(self, resolution: str) -> None:
        self.resolution = resolution
        self._bars: dict[int, Bar] = {}
        self._days: tuple[Bar, ...] = ()
        self._running_ms = 0
        self._lock = threading.Lock()
        self.wanted = READ
        """Bars to be read before this is whole; 0 when it is."""
        self.error: str | None = None
        self.live_ns = 0
        """When the stream last spoke, Unix ns."""

    def take(self, bar: CandleBar, received_ns: int) -> None:
        """Take a bar of the stream. It has no close flag: another ``open_time`` means that the one before closed."""
        told = Bar(
            bar.open_time * 1_000, bar.open, bar.high, bar.low, bar.close, bar.volume, received_ns
        )  # the stream's times are seconds
        if not _is_sane(told):
            return
        with self._lock:
            if self._running_ms and told.open_ms > self._running_ms:
                self.wanted = max(self.wanted, TAIL)
            self._running_ms = max(self._running_ms, told.open_ms)
            self.live_ns = received_ns
            self._put(told)

    def take_history(self, rows: Iterable[RestCandleRecord], asked_ns: int) -> None:
        """Take a read; where the stream has said something since it was asked, that stays."""
        bars = [Bar(row.time, row.open, row.high, row.low, row.close, row.volume, asked_ns) for row in rows]
        bars = sorted(filter(_is_sane, bars))
        with self._lock:
            self.wanted, self.error = 0, None
            if self.resolution in BY_DAYS:
                self._days = tuple(bars)
                return
            for bar in bars:
                known = self._bars.get(bar.open_ms)
                if known is None or known.told_ns < asked_ns:
                    self._put(bar)

    def lose(self) -> None:
        """Ask for the history again: frames may be missing."""
        self.wanted = READ

    def bars(self) -> list[Bar]:
        """Return the bars, oldest first."""
        with self._lock:
            folded = self._folded() if self.resolution in BY_DAYS else {}
            merged = {**folded, **self._bars}
        return [merged[open_ms] for open_ms in sorted(merged)]

    def _put(self, bar: Bar) -> None:
        self._bars[bar.open_ms] = bar
        if len(self._bars) > KEPT:
            del self._bars[min(self._bars)]

    def _folded(self) -> dict[int, Bar]:
        # Where such a bar begins is told by the running one alone: nothing is made before the stream has spoken.
        if not self._bars:
            return {}
        anchor, length = min(self._bars), BY_DAYS[self.resolution] * DAY_MS
        groups: dict[int, list[Bar]] = {}
        for day in self._days:
            if day.open_ms < anchor:
                groups.setdefault(anchor - -(-(anchor - day.open_ms) // length) * length, []).append(day)
        return {open_ms: _joined(open_ms, days) for open_ms, days in groups.items()}


def _joined(open_ms: int, days: list[Bar]) -> Bar:
    high, low = max(day.high for day in days), min(day.low for day in days)
    volume = sum((day.volume for day in days), Decimal(0))
    return Bar(open_ms, days[0].open, high, low, days[-1].close, volume, days[-1].told_ns)


def _is_sane(bar: Bar) -> bool:
    prices = (bar.open, bar.high, bar.low, bar.close)
    is_volume = bar.volume.is_finite() and 0 <= bar.volume < 10**30
    return is_volume and 0 < bar.open_ms < 10**14 and all(price.is_finite() and 0 < price < 10**20 for price in prices)
