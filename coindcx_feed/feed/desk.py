"""The market desk: which pairs are watched, what somebody looks at, and the newest market data of both. No I/O.

Market data are replaceable: nothing here is numbered, stored, or near the account's ring.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from coindcx_feed.errors import ConfigError
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.records import BookRecord, CandleRecord, CurrentPricesRecord, TradeRecord
from coindcx_feed.feed.books import CONNECTION, Book, BookFrame
from coindcx_feed.feed.candles import Candles
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.normalize import MarketItem
from coindcx_feed.feed.quotes import Quotes
from coindcx_feed.feed.tape import Tape
from coindcx_feed.feed.watchlist import MOST_PAIRS, Watchlist

DEPTH: Final[Literal[10, 20, 50]] = 20
"""Levels of the books joined. One depth for all: frames of two depths of a pair on one socket look alike."""

INTEREST_S: Final = 8.0
"""A book or chart that nobody has read for so long is left: books are the bulk of the traffic."""

CandleKey = tuple[str, str]


class Contract(NamedTuple):
    """What charts need of a contract: steps of price (USDT) and size (base coins), hours between two fundings."""

    price_increment: Decimal | None
    quantity_increment: Decimal | None
    funding_hours: int | None


class Desk:
    """Watched pairs and their market data. The feed's loop writes; any thread reads, watches and looks.

    Args:
        first: Pairs watched while nothing is remembered.
        watchlist: Where the choice is remembered.
        marks: Keep a day of marks of each watched pair.
        held: Gives the pairs with an open position.
        now_s: Monotonic seconds.
    """

    def __init__(
        self,
        first: Sequence[str],
        watchlist: Watchlist,
        marks: Marks,
        held: Callable[[], Iterable[str]] = tuple,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watchlist, self._marks, self._held, self._now_s = watchlist, marks, held, now_s
        self._lock = threading.Lock()
        self.pairs: tuple[str, ...] = watchlist.load(first)
        self.names: tuple[str, ...] | None = None
        """Every pair that can be traded, once it has been read."""
        self.names_error: str | None = None
        self.contracts: dict[str, Contract] = {}
        self.quotes = Quotes(self.pairs)
        self.tapes = {pair: Tape() for pair in self.pairs}
        self.books: dict[str, Book] = {}
        self.candles: dict[CandleKey, Candles] = {}
        self._seen: dict[str | CandleKey, float] = {}
        marks.choose(self.pairs, held())

    def watch(self, pair: str) -> None:
        """Watch a pair from now on, also after a restart.

        Raises:
            ConfigError: One line: no such pair, too many, or the choice cannot be kept.
        """
        with self._lock:
            if pair in self.pairs:
                return
            self._check(pair)
            self._choose((*self.pairs, pair))

    def unwatch(self, pair: str) -> None:
        """Watch a pair no longer; harmless for one that is not watched.

        Raises:
            ConfigError: If the choice cannot be kept.
        """
        with self._lock:
            if pair in self.pairs:
                self._choose(tuple(known for known in self.pairs if known != pair))

    def _check(self, pair: str) -> None:
        if self.names is None:
            raise ConfigError("the list of pairs has not been read from the exchange yet: try again in a moment")
        if pair not in self.names:
            raise ConfigError(f"expected a pair of the exchange's list, was {pair!r:.40}: choose one from the list")
        if len(self.pairs) >= MOST_PAIRS:
            raise ConfigError(f"expected at most {MOST_PAIRS} pairs, was one more: remove one first")

    def _choose(self, pairs: tuple[str, ...]) -> None:
        self._watchlist.save(pairs)
        self.tapes = {pair: self.tapes.get(pair) or Tape() for pair in pairs}
        self.quotes.choose(pairs)
        self._marks.choose(pairs, self._held())
        self.pairs = pairs

    def look_at_book(self, pair: str) -> Book | None:
        """Return a book and keep it joined for a while; ``None`` for a pair that is not watched."""
        if pair not in self.pairs:
            return None
        self._seen[pair] = self._now_s()
        return self.books.setdefault(pair, Book(DEPTH))

    def look_at_candles(self, pair: str, resolution: str) -> Candles | None:
        """Return the bars of a pair and keep them joined for a while; ``None`` for what is not watched."""
        if pair not in self.pairs or resolution not in wire.RESOLUTIONS:
            return None
        self._seen[pair, resolution] = self._now_s()
        return self.candles.setdefault((pair, resolution), Candles(resolution))

    def channels(self, types: frozenset[str] = frozenset()) -> list[str]:
        """Forget what nobody looks at any more, and return the channels to be joined.

        Args:
            types: Types of market message that clients of the sidecar read, of all watched pairs.
        """
        self._forget()
        pairs = self.pairs
        found = [channel for pair in pairs for channel in (wire.trades_channel(pair), wire.price_channel(pair))]
        books = pairs if "book" in types else [pair for pair in self.books if pair in pairs]
        found += [wire.book_channel(pair, DEPTH) for pair in books]
        charts = [key for key in self.candles if key[0] in pairs]
        charts += [(pair, "1m") for pair in pairs] if "candle" in types else []
        return [*found, *dict.fromkeys(wire.candle_channel(*key) for key in charts)]

    def _forget(self) -> None:
        oldest = self._now_s() - INTEREST_S
        for key, seen in list(self._seen.items()):
            pair = key if isinstance(key, str) else key[0]
            if seen < oldest or pair not in self.pairs:
                self._seen.pop(key, None)
                if isinstance(key, str):
                    self.books.pop(key, None)
                else:
                    self.candles.pop(key, None)

    def take(self, event: str, item: MarketItem, received_ns: int) -> None:
        """Take a message of the stream."""
        record = item.record
        match record:
            case CurrentPricesRecord():
                self.quotes.update(record.prices, received_ns)
            case TradeRecord() if (tape := self.tapes.get(record.s)) is not None:
                tape.add(record, received_ns)
            case BookRecord() if (book := self.books.get(item.pair or "")) is not None:
                is_snapshot = event == wire.DEPTH_SNAPSHOT_EVENT
                book.apply(BookFrame(is_snapshot, record.vs, record.bids, record.asks, record.ts, received_ns))
            case CandleRecord():
                for bar in record.data:
                    if (candles := self.candles.get((bar.pair, bar.duration))) is not None:
                        candles.take(bar, received_ns)

    def lose(self) -> None:
        """Say that the connection ended: books and bars are no longer known to be whole."""
        for book in list(self.books.values()):
            book.lose(CONNECTION)
        for candles in list(self.candles.values()):
            candles.lose()

    def take_names(self, names: Iterable[str]) -> None:
        """Take the exchange's list of pairs."""
        self.names, self.names_error = tuple(sorted(set(names))), None
