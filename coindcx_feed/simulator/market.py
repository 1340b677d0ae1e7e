"""Prices and public trades of the simulated exchange, as pure functions of seed, pair and time.

Paths follow the recorded minute bars of BTC and SOL, forth and back, with a slow drift on top. No bars of the other
pairs were published: their paths are derived from one of the two by an exponent (``beta``), with a drift of their own.
"""

import math
import random
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Final, NamedTuple

from coindcx_feed.simulator.instruments import Instrument

MINUTE_MS: Final = 60_000
STEP_MS: Final = 250
STEPS: Final = MINUTE_MS // STEP_MS

# Half an hour of five pairs, so that the history behind a demo is built once.
_TAPES_KEPT: Final = 200
# Periods in minutes and amplitudes of the drift: about 1.4 % within a day.
_DRIFT: Final = ((23, 0.0015), (71, 0.0035), (311, 0.009))


class _Source(NamedTuple):
    recorded: str
    anchor: float | None
    beta: float
    trades: float
    volume: float


# Recorded pair, first price (None: as recorded), exponent, trades and base volume relative to the recorded bar.
_SOURCES: Final = {
    "B-BTC_USDT": _Source("B-BTC_USDT", None, 1, 1, 1),
    "B-ETH_USDT": _Source("B-BTC_USDT", 2776.9, 1.25, 0.7, 22),
    "B-SOL_USDT": _Source("B-SOL_USDT", None, 1, 1, 1),
    "B-XRP_USDT": _Source("B-SOL_USDT", 1.421, 0.9, 0.6, 60),
    "B-DOGE_USDT": _Source("B-BTC_USDT", 0.09621, 1.4, 0.2, 24_000),
}


class RecordedBar(NamedTuple):
    """One minute of the recording."""

    open: float
    high: float
    low: float
    close: float
    trades: int
    volume: float


class Outline(NamedTuple):
    """One minute of a path, in ticks; ``volume`` in base coins."""

    open: int
    high: int
    low: int
    close: int
    trades: int
    volume: float


class PublicTrade(NamedTuple):
    """One public trade. ``buyer_is_maker`` means the aggressor sold."""

    at_ms: int
    tick: int
    lots: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True)
class Tape:
    """One minute in detail: best bid per step of 250 ms, and the trades in time order."""

    bids: list[int]
    trades: list[PublicTrade]


@cache
def recorded_bars() -> dict[str, list[RecordedBar]]:
    """Return the recorded minute bars by pair, oldest first."""
    text = resources.files(__package__).joinpath("minute_bars.csv").read_text(encoding="utf-8")
    bars: dict[str, list[RecordedBar]] = {}
    for line in text.splitlines()[1:]:
        pair, _, opened, high, low, close, trades, volume = line.split(",")
        bar = RecordedBar(float(opened), float(high), float(low), float(close), int(trades), float(volume))
        bars.setdefault(pair, []).append(bar)
    return bars


class Market:
    """All prices and trades; asking twice gives the same answer, whatever was asked in between.

    Threads: one at a time (a bounded cache of minutes is kept).
    """

    def __init__(self, seed: int, instruments: Mapping[str, Instrument]) -> None:
        """Derive the phases of all drifts from the seed; only pairs with a source are traded."""
        self.seed = seed
        self.instruments = {pair: row for pair, row in instruments.items() if pair in _SOURCES}
        self._tapes: OrderedDict[tuple[str, int], Tape] = OrderedDict()
        rng = random.Random(f"drift {seed}")
        self._phases = {pair: [rng.random() * math.tau for _ in _DRIFT] for pair in self.instruments}
        self._bars = {pair: _round_trip(row) for pair, row in self.instruments.items()}
        self._shift = rng.randrange(1_000)

    def outline(self, pair: str, minute: int) -> Outline:
        """Return open, high, low and close of a minute, counted from the Unix epoch."""
        bars = self._bars[pair]
        bar = bars[(minute + self._shift) % len(bars)]
        before, after = self._drift(pair, minute), self._drift(pair, minute + 1)
        start, end = round(bar.open * before), round(bar.close * after)
        high = max(round(bar.high * max(before, after)), start, end)
        low = min(round(bar.low * min(before, after)), start, end)
        return Outline(start, high, low, end, bar.trades, bar.volume)

    def tape(self, pair: str, minute: int) -> Tape:
        """Return a minute in detail."""
        key = (pair, minute)
        if key not in self._tapes:
            self._tapes[key] = self._build(pair, minute)
            if len(self._tapes) > _TAPES_KEPT:
                self._tapes.popitem(last=False)
        return self._tapes[key]

    def best_bid(self, pair: str, at_ms: int) -> int:
        """Return the best bid's tick; the best ask is one tick above."""
        return self.tape(pair, at_ms // MINUTE_MS).bids[at_ms % MINUTE_MS // STEP_MS]

    def trades(self, pair: str, after_ms: int, until_ms: int) -> list[PublicTrade]:
        """Return the trades with ``after_ms`` < time ≤ ``until_ms``, oldest first."""
        found: list[PublicTrade] = []
        for minute in range((after_ms + 1) // MINUTE_MS, until_ms // MINUTE_MS + 1):
            rows = self.tape(pair, minute).trades
            start = bisect_right(rows, after_ms, key=lambda row: row.at_ms)
            end = bisect_right(rows, until_ms, key=lambda row: row.at_ms)
            found += rows[start:end]
        return found

    def last_price(self, pair: str, at_ms: int) -> Decimal:
        """Return the price of the last trade at or before a time, USDT."""
        minute = at_ms // MINUTE_MS
        rows = self.tape(pair, minute).trades
        count = bisect_right(rows, at_ms, key=lambda row: row.at_ms)
        tick = rows[count - 1].tick if count else self.best_bid(pair, at_ms)
        return self.instruments[pair].price(tick)

    def mark_price(self, pair: str, at_ms: int) -> Decimal:
        """Return the mark: the middle of the book, averaged over two seconds, with two more digits than a tick."""
        ticks = [self.best_bid(pair, at_ms - STEP_MS * back) for back in range(8)]
        hundredths = sum(ticks) * 100 // len(ticks) + 50
        return self.instruments[pair].price_increment * hundredths / 100

    def _drift(self, pair: str, minute: int) -> float:
        factor = 1.0
        for (period, size), phase in zip(_DRIFT, self._phases[pair], strict=True):
            factor += size * math.sin(math.tau * minute / period + phase)
        return factor

    def _build(self, pair: str, minute: int) -> Tape:
        outline = self.outline(pair, minute)
        rng = random.Random(f"{self.seed} {pair} {minute}")
        bids = _walk(outline, rng)
        sizes = self._sizes(pair, outline, rng)
        start_ms = minute * MINUTE_MS
        trades: list[PublicTrade] = []
        for lots, offset_ms in zip(sizes, sorted(rng.randrange(MINUTE_MS) for _ in sizes), strict=True):
            step = offset_ms // STEP_MS
            is_falling = bids[step] < bids[max(step - 1, 0)]
            buyer_is_maker = rng.random() < (0.75 if is_falling else 0.45)
            tick = bids[step] if buyer_is_maker else bids[step] + 1
            trades.append(PublicTrade(start_ms + offset_ms, tick, lots, buyer_is_maker))
        return Tape(bids, trades)

    def _sizes(self, pair: str, outline: Outline, rng: random.Random) -> list[int]:
        # Lots per trade: many small ones, a few large; together the minute's volume.
        drawn = [rng.expovariate(1) for _ in range(outline.trades)]
        scale = outline.volume / float(self.instruments[pair].quantity_increment) / sum(drawn)
        return [max(1, round(size * scale)) for size in drawn]


def _round_trip(instrument: Instrument) -> list[RecordedBar]:
    # A pair's bars in ticks, forth and back, so that the path has no jump where the recording ends.
    source = _SOURCES[instrument.pair]
    rows = recorded_bars()[source.recorded]
    first = rows[0].open
    anchor = (source.anchor or first) / float(instrument.price_increment)

    def ticks(price: float) -> float:
        return anchor * float((price / first) ** source.beta)

    forth = []
    for row in rows:
        opened, high, low, close = map(ticks, row[:4])
        trades = max(1, round(row.trades * source.trades))
        forth.append(RecordedBar(opened, high, low, close, trades, row.volume * source.volume))
    return forth + [bar._replace(open=bar.close, close=bar.open) for bar in reversed(forth)]


def _walk(outline: Outline, rng: random.Random) -> list[int]:
    # Open, then low and high (or high and low in a falling minute), then close, with noise that stays inside.
    rising = outline.close >= outline.open
    first, second = (outline.low, outline.high) if rising else (outline.high, outline.low)
    turn_a, turn_b = sorted(rng.sample(range(1, STEPS - 1), 2))
    corners = [(0, outline.open), (turn_a, first), (turn_b, second), (STEPS - 1, outline.close)]
    noise = max((outline.high - outline.low) * 0.04, 0.5)
    path: list[int] = []
    for (left, start), (right, end) in pairwise(corners):
        for step in range(left, right):
            value = start + (end - start) * (step - left) / (right - left)
            shaken = value if step == left else value + rng.gauss(0, noise)
            path.append(min(max(round(shaken), outline.low), outline.high))
    return [*path, outline.close]
