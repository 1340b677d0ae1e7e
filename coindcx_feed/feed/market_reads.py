"""Keeps the market desk whole: joins and leaves its channels, and reads by REST what the stream does not say."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, Literal, NamedTuple, Protocol

from coindcx_feed.errors import RestError
from coindcx_feed.exchange import rest_market
from coindcx_feed.exchange.backoff import Backoff
from coindcx_feed.exchange.rest_records import InstrumentRecord, PricesRecord, RestBookRecord, RestCandleRecord
from coindcx_feed.exchange.rest_rows import Reading, Row
from coindcx_feed.exchange.supervisor import Supervisor
from coindcx_feed.feed.books import Book, BookFrame, BookState
from coindcx_feed.feed.candles import BY_DAYS, MINUTES, Candles
from coindcx_feed.feed.desk import DEPTH, Contract, Desk

POLL_S: Final = 0.2
NAMES_S: Final = 3_600.0
"""The list of pairs is read again after this; it is cached for minutes at the exchange's edge."""

UNSEEDED_S: Final = 2.0
"""A book of which nothing came for so long after the join is read: a quiet one may be silent for a minute."""

FIRST_S: Final = 1.0
MOST_S: Final = 60.0
CALM_S: Final = 60.0
"""What needed no read for so long begins with short waits again."""

log = logging.getLogger(__name__)


class Reads(Protocol):
    """Public reads of the exchange."""

    async def current_prices(self) -> Row[PricesRecord]: ...

    async def book(self, pair: str, depth: Literal[10, 20, 50] = 50) -> Row[RestBookRecord]: ...

    async def instruments(self) -> list[str]: ...

    async def instrument(self, pair: str) -> Row[InstrumentRecord]: ...

    async def candles(self, pair: str, resolution: str, from_ms: int, to_ms: int) -> Reading[RestCandleRecord]: ...


class Need(NamedTuple):
    """A read that is wanted.

    ``key`` names it; ``failed`` is told why it did not work. What ``may_repeat`` waits also after a success: a book
    that falls apart at once, or a figure that the exchange leaves out, must not be read without end.
    """

    key: str
    read: Callable[[], Awaitable[None]]
    failed: Callable[[str], None] = lambda _why: None
    may_repeat: bool = False


class _Wait(NamedTuple):
    backoff: Backoff
    until_s: float


class MarketKeeper:
    """Two tasks on the feed's loop: channels, and reads one after the other.

    A failure here is logged and counted and changes nothing of the account.

    Args:
        desk: What is kept whole.
        supervisor: Owns the session.
        reads: Public reads, with a budget of their own.
        types: Gives the types of market message that clients of the sidecar read.
    """

    def __init__(self, desk: Desk, supervisor: Supervisor, reads: Reads, types: Callable[[], frozenset[str]]) -> None:
        self._desk, self._supervisor, self._reads, self._types = desk, supervisor, reads, types
        self._waits: dict[str, _Wait] = {}
        self._names_s = float("-inf")
        self._waiting_since: dict[str, float] = {}
        self.failures = 0

    async def keep_channels(self) -> None:
        """Join what is looked at and leave what is not, until cancelled."""
        joined: list[str] = []
        while True:
            try:
                wanted = self._desk.channels(self._types())
                if wanted != joined:
                    joined = wanted
                    await self._supervisor.set_channels(wanted)
            except Exception:  # noqa: BLE001  # task boundary: the account's feed must not end with a chart
                self._note_failure()
            await asyncio.sleep(POLL_S)

    async def keep_reading(self) -> None:
        """Read what is missing, until cancelled. Nothing is read while the exchange is away or not wanted."""
        while True:
            try:
                if self._supervisor.change.state.is_connected:
                    for need in self._needs():
                        if self._is_due(need.key):
                            await self._try(need)
            except Exception:  # noqa: BLE001  # task boundary, as above
                self._note_failure()
            await asyncio.sleep(POLL_S)

    def _note_failure(self) -> None:
        self.failures += 1
        log.exception("market failure count=%d", self.failures)

    def _is_due(self, key: str) -> bool:
        wait = self._waits.get(key)
        return wait is None or time.monotonic() >= wait.until_s

    async def _try(self, need: Need) -> None:
        known, now_s = self._waits.get(need.key), time.monotonic()
        is_calm = known is None or now_s - known.until_s > CALM_S
        backoff = Backoff(FIRST_S, MOST_S) if known is None or is_calm else known.backoff
        try:
            await need.read()
            if not need.may_repeat:
                self._waits.pop(need.key, None)
                return
        except RestError as error:
            log.warning("market read failed key=%s reason=%r", need.key, str(error))
            need.failed(str(error))
        self._waits[need.key] = _Wait(backoff, time.monotonic() + backoff.next())

    def _needs(self) -> Iterator[Need]:
        desk = self._desk
        if time.monotonic() - self._names_s > NAMES_S:
            yield Need("names", self._read_names, self._names_failed)
        yield from self._books()
        for (pair, resolution), candles in list(desk.candles.items()):
            if candles.wanted and (resolution in rest_market.RESOLUTIONS or resolution in BY_DAYS):
                yield self._candles(pair, resolution, candles)
        names = frozenset(desk.names or ())
        if any(pair in names for pair in desk.quotes.lacking()):
            yield Need("prices", self._read_prices, may_repeat=True)
        for pair in desk.pairs:
            if pair in names and pair not in desk.contracts:
                yield self._contract(pair)

    def _books(self) -> Iterator[Need]:
        books, now_s = dict(self._desk.books), time.monotonic()
        for pair in [pair for pair in self._waiting_since if pair not in books]:
            del self._waiting_since[pair]
        for pair, book in books.items():
            if book.view.state is BookState.SYNCED:
                self._waiting_since.pop(pair, None)
                continue
            since_s = self._waiting_since.setdefault(pair, now_s)
            if book.has_held or now_s - since_s > UNSEEDED_S:
                yield self._book(pair, book)

    def _book(self, pair: str, book: Book) -> Need:
        async def read() -> None:
            row = await self._reads.book(pair, DEPTH)
            record = row.record
            frame = BookFrame(True, record.vs, record.bids, record.asks, record.ts, time.time_ns())
            is_synced = book.seed(frame)
            log.info("book seeded pair=%s vs=%d synced=%s", pair, record.vs, is_synced)

        return Need(f"book {pair}", read, may_repeat=True)

    def _candles(self, pair: str, resolution: str, candles: Candles) -> Need:
        count = candles.wanted

        def failed(why: str) -> None:
            candles.error = why

        async def read() -> None:
            asked_ns = time.time_ns()
            now_ms = asked_ns // 1_000_000
            since_ms = now_ms - count * MINUTES[resolution] * 60_000
            by = "1d" if resolution in BY_DAYS else resolution
            reading = await self._reads.candles(pair, by, since_ms, now_ms)
            candles.take_history(reading.records, asked_ns)

        return Need(f"candles {pair} {resolution}", read, failed)

    def _contract(self, pair: str) -> Need:
        async def read() -> None:
            record = (await self._reads.instrument(pair)).record
            hours = record.funding_frequency
            self._desk.contracts[pair] = Contract(record.price_increment, record.quantity_increment, hours)

        return Need(f"contract {pair}", read)

    async def _read_prices(self) -> None:
        row = await self._reads.current_prices()
        self._desk.quotes.fill(row.record.prices, int(row.asked_ms * 1e6))

    async def _read_names(self) -> None:
        self._desk.take_names(await self._reads.instruments())
        self._names_s = time.monotonic()

    def _names_failed(self, why: str) -> None:
        self._desk.names_error = why
