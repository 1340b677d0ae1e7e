"""Publication of market data: books, prices, trades and candles at the exchange's pace, for the channels joined.

Everything but the book counters is a function of time, so that who listens changes nothing of the account.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.book import EXTRA_LEVELS, Book, Level, changes, level_texts
from coindcx_feed.simulator.candles import CandleMaker, candle_data
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.jstext import amount_text, socket_text
from coindcx_feed.simulator.prices import PriceBoard
from coindcx_feed.simulator.topics import Frame, Topic

BOOK_MS: Final = 500
CANDLE_MS: Final = 500
# Mark-only and ticker-only updates take turns: 2.5 a second in all.
PRICES_MS: Final = 400
PRICES_SNAPSHOT_MS: Final = 15_000
# After a longer pause (a suspended machine) only this much is published.
CATCH_UP_MS: Final = 10_000

# A full book now and then among the diffs; the real share of snapshots is not known.
_SNAPSHOT_EVERY: Final = 12
_FIRST_VERSION: Final = 220_000_000


@dataclass(slots=True)
class _Stream:
    """What was published last of one book at one depth; ``checked_ms`` is when it was last compared with the market."""

    version: int
    at_ms: int
    checked_ms: int
    window: Book


class Publisher:
    """Turns time into public frames.

    Threads: the engine's.
    """

    def __init__(self, exchange: Exchange) -> None:
        """Begin at the engine's present time."""
        self.prices = PriceBoard(exchange.market, exchange.funding)
        self.candles = CandleMaker(exchange.market)
        self._market = exchange.market
        self._books = exchange.books
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._done_ms = exchange.now_ms

    def advance(self, to_ms: int, topics: Collection[Topic]) -> list[Frame]:
        """Return the public frames due since the last call, in order of time.

        Args:
            to_ms: Present, Unix ms; a time in the past returns nothing.
            topics: The channels somebody has joined; only these are published.
        """
        after_ms = max(self._done_ms, to_ms - CATCH_UP_MS)
        if to_ms <= after_ms:
            return []
        self._done_ms = to_ms
        makers: dict[str, Callable[[Topic, int, int], Iterator[Frame]]] = {
            "prices": self._prices_frames,
            "trades": self._trade_frames,
            "price": self._price_frames,
            "book": self._book_frames,
            "candles": self._candle_frames,
        }
        frames: list[Frame] = []
        for topic in sorted(topics, key=lambda topic: topic.channel):
            if topic.kind in makers:
                frames += makers[topic.kind](topic, after_ms, to_ms)
        frames.sort(key=lambda frame: frame.at_ms)
        return frames

    def price_history(self, after_ms: int, to_ms: int) -> list[Frame]:
        """Return one current-prices update per second in (after, to], each with every pair."""
        return [
            _frame(at_ms, wire.PRICES_UPDATE_EVENT, self.prices.full_update(at_ms), wire.CURRENT_PRICES_CHANNEL)
            for at_ms in _grid(after_ms, to_ms, 1_000)
        ]

    def book_reply(self, pair: str, depth: int, at_ms: int) -> dict[str, Any]:
        """Return the REST book: what the stream of this depth published last, and its version.

        Where nobody listens there is no stream; then a new version is made of the present book.
        """
        stream = self._streams.get((pair, depth))
        if stream is None or at_ms - stream.checked_ms > 2 * BOOK_MS:
            stream = self._next(pair, depth, at_ms, stream)
        return {"ts": stream.at_ms, "vs": stream.version, **self._sides(pair, stream.window)}

    def _prices_frames(self, topic: Topic, after_ms: int, to_ms: int) -> Iterator[Frame]:
        for at_ms in _grid(after_ms, to_ms, PRICES_MS):
            is_mark = at_ms // PRICES_MS % 2 == 0
            data = self.prices.mark_update(at_ms) if is_mark else self.prices.ticker_update(at_ms)
            yield _frame(at_ms, wire.PRICES_UPDATE_EVENT, data, topic.channel)
        for at_ms in _grid(after_ms, to_ms, PRICES_SNAPSHOT_MS):
            yield _frame(at_ms, wire.PRICES_SNAPSHOT_EVENT, self.prices.snapshot(at_ms), topic.channel)

    def _trade_frames(self, topic: Topic, after_ms: int, to_ms: int) -> Iterator[Frame]:
        pair = topic.pair or ""
        instrument = self._market.instruments[pair]
        for trade in self._market.trades(pair, after_ms, to_ms):
            data = {
                "T": trade.at_ms,
                # Ahead of T by seconds on the real wire, with digits below the millisecond.
                "RT": trade.at_ms + 1_348 + trade.lots % 997 + 0.8435,
                "p": amount_text(instrument.price(trade.tick)),
                "q": amount_text(instrument.quantity(trade.lots)),
                "m": int(trade.buyer_is_maker),
                "s": pair,
                "pr": "f",
            }
            yield _frame(trade.at_ms, wire.TRADE_EVENT, data, topic.channel)

    def _price_frames(self, topic: Topic, after_ms: int, to_ms: int) -> Iterator[Frame]:
        pair = topic.pair or ""
        instrument = self._market.instruments[pair]
        price = self._market.last_price(pair, after_ms)
        for trade in self._market.trades(pair, after_ms, to_ms):
            before, price = price, instrument.price(trade.tick)
            if price != before:
                data = {"T": trade.at_ms, "p": amount_text(price), "pr": "f"}
                yield _frame(trade.at_ms, wire.PRICE_EVENT, data, topic.channel)

    def _candle_frames(self, topic: Topic, after_ms: int, to_ms: int) -> Iterator[Frame]:
        pair = topic.pair or ""
        for at_ms in _grid(after_ms, to_ms, CANDLE_MS):
            candle = self.candles.running(pair, topic.resolution, at_ms)
            data = candle_data(self._market, pair, topic.resolution, candle, at_ms)
            yield _frame(at_ms, wire.CANDLE_EVENT, data, topic.channel)

    def _book_frames(self, topic: Topic, after_ms: int, to_ms: int) -> Iterator[Frame]:
        pair, depth = topic.pair or "", topic.depth
        for at_ms in _grid(after_ms, to_ms, BOOK_MS):
            before = self._streams.get((pair, depth))
            stream = self._next(pair, depth, at_ms, before)
            if before is not None and before.window == stream.window:
                before.checked_ms = at_ms
                self._streams[pair, depth] = before
                continue
            is_snapshot = before is None or stream.version % _SNAPSHOT_EVERY == 0
            event = wire.DEPTH_SNAPSHOT_EVENT if is_snapshot else wire.DEPTH_UPDATE_EVENT
            changed = stream.window if before is None or is_snapshot else self._changed(pair, before, stream)
            yield _frame(at_ms, event, self._book_data(pair, event, stream, changed), topic.channel)

    def _next(self, pair: str, depth: int, at_ms: int, before: _Stream | None) -> _Stream:
        version = _FIRST_VERSION + depth * 1_000_000 if before is None else before.version + 1
        stream = _Stream(version, at_ms, at_ms, self._books.book(pair, at_ms, depth))
        self._streams[pair, depth] = stream
        return stream

    def _changed(self, pair: str, before: _Stream, stream: _Stream) -> Book:
        depth = len(stream.window.bids)
        extra = Book([], [])
        if stream.version % 3 == 0:
            wide = self._books.book(pair, stream.at_ms, depth + EXTRA_LEVELS)
            extra = Book(wide.bids[depth:], wide.asks[depth:])
        old, new = before.window, stream.window
        return Book(changes(old.bids, new.bids, extra.bids), changes(old.asks, new.asks, extra.asks))

    def _book_data(self, pair: str, event: str, stream: _Stream, shown: Book) -> dict[str, Any]:
        data = {"ts": stream.at_ms, "vs": stream.version, **self._sides(pair, shown), "type": event}
        data["pts"] = stream.at_ms
        if event == wire.DEPTH_UPDATE_EVENT:
            data["E"] = stream.at_ms - 68
        return data | {"pr": "futures", "s": wire.relay_symbol(pair)}

    def _sides(self, pair: str, book: Book) -> dict[str, dict[str, str]]:
        def texts(levels: list[Level]) -> dict[str, str]:
            return level_texts(self._market, pair, levels)

        return {"asks": texts(book.asks), "bids": texts(book.bids)}


def _grid(after_ms: int, to_ms: int, step_ms: int) -> range:
    return range(after_ms - after_ms % step_ms + step_ms, to_ms + 1, step_ms)


def _frame(at_ms: int, event: str, data: dict[str, Any], channel: str) -> Frame:
    return Frame(at_ms, event, socket_text(data), channel)
