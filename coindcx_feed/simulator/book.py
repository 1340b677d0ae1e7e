"""The simulated order book, as a pure function of seed, pair and time, and its changes between two moments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from coindcx_feed.simulator.jstext import amount_text
from coindcx_feed.simulator.market import Market

_MASK: Final = (1 << 64) - 1
# Levels beyond the window that updates may mention; a client has to trim.
EXTRA_LEVELS: Final = 2


class Level(NamedTuple):
    """A price level in ticks and lots."""

    tick: int
    lots: int


@dataclass(frozen=True, slots=True)
class Book:
    """Both sides, best first."""

    bids: list[Level]
    asks: list[Level]


def _mix(value: int) -> int:
    # SplitMix64's finaliser: Python's own hash of texts changes from process to process.
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class BookMaker:
    """Builds books around the market's best bid. Every level keeps its size for one to eight seconds."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._salts = {pair: _mix(market.seed * 1_000 + number) for number, pair in enumerate(market.instruments)}
        self._typical = {pair: self._typical_lots(pair) for pair in market.instruments}

    def book(self, pair: str, at_ms: int, depth: int) -> Book:
        """Return ``depth`` levels a side; the touch is never empty, deeper ticks sometimes are."""
        bid = self._market.best_bid(pair, at_ms)
        return Book(self._side(pair, at_ms, bid, -1, depth), self._side(pair, at_ms, bid + 1, 1, depth))

    def _side(self, pair: str, at_ms: int, touch: int, step: int, depth: int) -> list[Level]:
        levels: list[Level] = []
        tick = touch
        while len(levels) < depth and tick > 0:
            lots = self._lots(pair, at_ms, tick)
            if lots or tick == touch:
                levels.append(Level(tick, max(lots, 1)))
            tick += step
        return levels

    def _lots(self, pair: str, at_ms: int, tick: int) -> int:
        own = _mix(self._salts[pair] ^ tick)
        life_ms = 1_000 * (1 + own % 8)
        drawn = _mix(own + (at_ms + own % life_ms) // life_ms)
        if drawn % 8 == 0:
            return 0
        # A square gives many small and a few large sizes.
        share = (drawn >> 20) % 1_000
        return 1 + self._typical[pair] * share * share // 250_000

    def _typical_lots(self, pair: str) -> int:
        instrument = self._market.instruments[pair]
        outline = self._market.outline(pair, 0)
        mean_trade = outline.volume / outline.trades / float(instrument.quantity_increment)
        return max(3, round(mean_trade * 4))


def level_texts(market: Market, pair: str, levels: Iterable[tuple[int, int]]) -> dict[str, str]:
    """Return levels as price text → size text, in the order a JavaScript object has: whole prices first."""
    instrument = market.instruments[pair]
    texts = {amount_text(instrument.price(tick)): amount_text(instrument.quantity(lots)) for tick, lots in levels}
    whole = sorted((price for price in texts if "." not in price), key=int)
    return {price: texts[price] for price in whole} | texts


def changes(before: Iterable[Level], after: list[Level], extra: Iterable[Level] = ()) -> list[Level]:
    """Return the levels a client must set (lots, or 0 to delete) to get from one window to another.

    A level that left at the far end is not mentioned: the client's trimming drops it.

    Args:
        before: The window published last.
        after: The window now, best first.
        extra: Levels beyond it that may be mentioned besides.
    """
    old: Mapping[int, int] = dict(before)
    new = dict(after)
    low, high = min(new, default=0), max(new, default=0)
    first, last = (after[0].tick, after[-1].tick) if after else (0, 0)
    is_ask = first <= last
    gone = [Level(tick, 0) for tick in old if tick not in new and (tick < high if is_ask else tick > low)]
    return gone + [level for level in (*after, *extra) if old.get(level.tick) != level.lots]
