"""Fills and ledger rows, which the socket never carries: read after fills, after gaps and at funding times."""

import time
from typing import Any, Final, Protocol

from coindcx_feed.errors import RestError
from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import FillRecord, LedgerRecord
from coindcx_feed.exchange.rest_rows import Reading
from coindcx_feed.feed.normalize import AccountItem, read_item
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.quirks import Quirk

OVERLAP_MS: Final = 5_000
"""Reads reach back so much further than what is known: clocks differ, and a list may trail the socket."""
LEDGER_OVERLAP_MS: Final = 60_000
"""A funding row may be booked some time after its hour; what came before is recognised by its key."""
LISTED_MS: Final = 5_000
"""A fill that is not listed so long after its order says it is filled is missing."""
FUNDING_S: Final = 3_600
"""Contracts are funded every 1, 4 or 8 hours, on the full hour of UTC."""
BOOKED_S: Final = 30.0
"""The rows are asked for so long after the hour."""


class BookingReads(Protocol):
    """The signed reads this room needs."""

    async def fills(self, pair: str, from_ms: int) -> Reading[FillRecord]: ...

    async def ledger(self, since_ms: int | None = None) -> Reading[LedgerRecord]: ...


class Bookings:
    """What is still to be read. All methods run on the feed's loop.

    Args:
        pipeline: Takes what was found.
        reads: The account over REST.

    Source: exchange docs, "Get Trades" and "Get Transactions"; funding hours from the list of contracts.
    """

    def __init__(self, pipeline: Pipeline, reads: BookingReads) -> None:
        self._pipeline, self._state, self._reads = pipeline, pipeline.state, reads
        self._started_ms = time.time_ns() // 1_000_000
        self._pairs: set[str] = set()
        self._is_ledger_due = False
        self._read_to_ms: dict[str, int] = {}
        self._ledger_to_ms = self._started_ms
        self._funded_ms = self._started_ms
        self._without_fill: set[str] = set()
        self.funding_s, self.booked_s = float(FUNDING_S), BOOKED_S

    @property
    def is_due(self) -> bool:
        return bool(self._pairs) or self._is_ledger_due

    def ask(self, pairs: set[str]) -> None:
        """Read the fills of these pairs next, and the ledger."""
        self._pairs |= pairs

    def until_funding_s(self, now_ms: int) -> float:
        """Return the time until the rows of the next funding are to be read, seconds."""
        past_s = (now_ms / 1000 - self.booked_s) % self.funding_s
        return self.funding_s - past_s

    def funding_passed(self, now_ms: int) -> None:
        """Ask for the ledger when a funding was due since the last call and something was open."""
        period_ms, booked_ms = int(self.funding_s * 1000), int(self.booked_s * 1000)
        if (now_ms - booked_ms) // period_ms > (self._funded_ms - booked_ms) // period_ms and self._state.open_pairs():
            self._is_ledger_due = True
        self._funded_ms = now_ms

    async def read(self) -> None:
        """Read what was asked for.

        Raises:
            RestError: If a read failed or brought a part only; it stays due.
        """
        pairs, self._pairs = self._pairs, set()
        self._is_ledger_due = True
        partial = []
        while pairs:
            pair = min(pairs)
            try:
                partial.append(await self._read_fills(pair))
            except RestError:
                self._pairs |= pairs
                raise
            pairs.discard(pair)
        asked_ms = time.time_ns() // 1_000_000
        reading = await self._reads.ledger(self._ledger_to_ms - LEDGER_OVERLAP_MS)
        await self._pipeline.settle(self._since_start(EventType.LEDGER, reading))
        if reading.is_complete:
            self._is_ledger_due, self._ledger_to_ms = False, asked_ms
        causes = [cause for cause in (*partial, reading.because) if cause]
        if causes:
            raise RestError(f"fills, ledger: expected whole lists, was a part: {causes[0]}; asked again later")

    async def _read_fills(self, pair: str) -> str | None:
        # Returns why the list is not whole.
        asked_ms = time.time_ns() // 1_000_000
        reading = await self._reads.fills(pair, self._read_to_ms.get(pair, self._started_ms) - OVERLAP_MS)
        await self._pipeline.settle(self._since_start(EventType.FILL, reading))
        if reading.is_complete:
            self._read_to_ms[pair] = asked_ms
            self._check_fills(pair, asked_ms)
        else:
            self._pairs.add(pair)
        return reading.because

    def _check_fills(self, pair: str, asked_ms: int) -> None:
        filled = {row.order_id for row in self._state.fills() if row.pair == pair}
        self._without_fill = {order_id for order_id in self._without_fill if self._state.order(order_id)}
        for entity in self._state.orders():
            record = entity.record
            is_due = self._started_ms <= (record.created_at or 0) and (record.updated_at or 0) < asked_ms - LISTED_MS
            if (
                record.pair == pair
                and is_due
                and record.filled_quantity
                and record.id not in filled | self._without_fill
            ):
                self._without_fill.add(record.id)
                self._pipeline.quirks.meet(Quirk.NO_FILL, time.time_ns(), record.id.encode())

    def _since_start(self, kind: EventType, reading: Reading[Any]) -> list[AccountItem]:
        # Whole days come along; what happened before this process began is left to the history.
        for row in reading.rejected:
            self._pipeline.refuse(f"REST {row.reason}", row.raw)
        first_ms = self._started_ms - OVERLAP_MS
        found = [read_item(kind, row.record, row.raw, row.key) for row in reading.rows]
        found = [item for item in found if (item.facts.exchange_ms or 0) >= first_ms]
        return sorted(found, key=lambda item: item.facts.exchange_ms or 0)
