"""Candles of the simulated market: the running one for the socket, finished ones for REST."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.market import MINUTE_MS, STEP_MS, Market

_MINUTES: Final = {
    "1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "8h": 480, "1d": 1440, "3d": 4320, "1w": 10080,
}  # fmt: skip
REST_RESOLUTIONS: Final = {
    "1": "1m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "240": "4h", "480": "8h", "1D": "1d", "D": "1d",
    "1M": "1M",
}  # fmt: skip
"""Resolutions the candles' REST path accepts; others are refused."""

# The epoch was a Thursday: weeks begin on Mondays.
_WEEK_SHIFT: Final = 4 * 1440


@dataclass(slots=True)
class Candle:
    """One candle; prices in ticks, volumes in base and quote coins."""

    open_minute: int
    end_minute: int
    open: int
    high: int
    low: int
    close: int
    volume: float = 0.0
    quote_volume: float = 0.0

    def apply(self, high: int, low: int, close: int, volume: float, price: float) -> None:
        """Add a later piece of the same candle."""
        self.high = max(self.high, high)
        self.low = min(self.low, low)
        self.close = close
        self.volume += volume
        self.quote_volume += volume * price


def bounds(resolution: str, minute: int) -> tuple[int, int]:
    """Return first minute and end (excluded) of the candle a minute belongs to."""
    if resolution == "1M":
        day = datetime.fromtimestamp(minute * 60, UTC)
        start = day.replace(day=1, hour=0, minute=0)
        end = start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return int(start.timestamp()) // 60, int(end.timestamp()) // 60
    length = _MINUTES[resolution]
    shift = _WEEK_SHIFT if resolution == "1w" else 0
    start_minute = (minute - shift) // length * length + shift
    return start_minute, start_minute + length


class CandleMaker:
    """Makes candles from the market's minutes; what is finished of a running candle is computed once."""

    def __init__(self, market: Market) -> None:
        self._market = market
        # Finished minutes of the running candle of each (pair, resolution), and the minute that comes next.
        self._begun: dict[tuple[str, str], tuple[Candle, int]] = {}

    def running(self, pair: str, resolution: str, at_ms: int) -> Candle:
        """Return the candle of this moment as it stands."""
        minute = at_ms // MINUTE_MS
        start, end = bounds(resolution, minute)
        begun, done = self._begun.get((pair, resolution), (None, 0))
        if begun is None or begun.open_minute != start or done > minute:
            begun, done = self._empty(pair, start, end), start
        self._apply_minutes(begun, pair, done, minute)
        self._begun[pair, resolution] = (begun, minute)
        candle = Candle(start, end, begun.open, begun.high, begun.low, begun.close, begun.volume, begun.quote_volume)
        self._apply_running_minute(candle, pair, at_ms)
        return candle

    def finished(self, pair: str, resolution: str, from_minute: int, to_minute: int) -> list[Candle]:
        """Return the candles that begin in [from, to), oldest first; the last one ends at ``to`` if it is running."""
        candles: list[Candle] = []
        start, end = bounds(resolution, from_minute)
        if start < from_minute:
            start, end = bounds(resolution, end)
        while start < to_minute:
            candle = self._empty(pair, start, end)
            self._apply_minutes(candle, pair, start, min(end, to_minute))
            candles.append(candle)
            start, end = bounds(resolution, end)
        return candles

    def _empty(self, pair: str, start: int, end: int) -> Candle:
        opened = self._market.outline(pair, start).open
        return Candle(start, end, opened, opened, opened, opened)

    def _apply_minutes(self, candle: Candle, pair: str, start: int, end: int) -> None:
        increment = float(self._market.instruments[pair].price_increment)
        for minute in range(start, end):
            line = self._market.outline(pair, minute)
            candle.apply(line.high, line.low, line.close, line.volume, (line.open + line.close) / 2 * increment)

    def _apply_running_minute(self, candle: Candle, pair: str, at_ms: int) -> None:
        minute_ms = at_ms - at_ms % MINUTE_MS
        bids = self._market.tape(pair, at_ms // MINUTE_MS).bids[: (at_ms - minute_ms) // STEP_MS + 1]
        candle.apply(max(bids), min(bids), bids[-1], 0, 0)
        instrument = self._market.instruments[pair]
        for trade in self._market.trades(pair, minute_ms - 1, at_ms):
            volume = trade.lots * float(instrument.quantity_increment)
            candle.volume += volume
            candle.quote_volume += volume * trade.tick * float(instrument.price_increment)


def candle_data(market: Market, pair: str, resolution: str, candle: Candle, at_ms: int) -> dict[str, Any]:
    """Return the parsed ``data`` of a ``candlestick`` event: prices as text, bar times in seconds."""
    instrument = market.instruments[pair]

    def price(tick: int) -> str:
        return format(instrument.price(tick), "f")

    bar = {
        "open": price(candle.open),
        "close": price(candle.close),
        "high": price(candle.high),
        "low": price(candle.low),
        "volume": f"{candle.volume:.3f}",
        "open_time": candle.open_minute * 60,
        "close_time": candle.end_minute * 60 - 0.001,
        "pair": pair,
        "duration": resolution,
        "symbol": wire.relay_symbol(pair),
        "quote_volume": f"{candle.quote_volume:.5f}",
    }
    return {
        "data": [bar],
        "ecode": "B",
        "Ets": at_ms - 71,
        "pts": at_ms,
        "i": resolution,
        "channel": wire.candle_channel(pair, resolution),
        "pr": "futures",
    }


def rest_candle(market: Market, pair: str, candle: Candle) -> dict[str, Any]:
    """Return a candle as the REST path writes it: numbers, and its time in milliseconds."""
    instrument = market.instruments[pair]
    return {
        "open": instrument.price(candle.open),
        "high": instrument.price(candle.high),
        "low": instrument.price(candle.low),
        "volume": Decimal(f"{candle.volume:.3f}"),
        "close": instrument.price(candle.close),
        "time": candle.open_minute * MINUTE_MS,
    }
