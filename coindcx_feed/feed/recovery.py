"""The account after a gap: compared with the exchange's lists over REST, and what differs becomes events.

One task works through what was asked for; every read shares the reader's budget. Nothing here writes to an account.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol

from coindcx_feed.errors import CredentialsRefused, RestError
from coindcx_feed.events import EventType, Source
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord, PositionRecord
from coindcx_feed.exchange.rest_rows import Reading
from coindcx_feed.feed.bookings import LISTED_MS, OVERLAP_MS, BookingReads, Bookings
from coindcx_feed.feed.normalize import AccountItem, read_item
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.tasks import end_tasks
from coindcx_feed.feed.trailing import TRAILS_S
from coindcx_feed.feed.watch import Gap

log = logging.getLogger(__name__)

HOLD_S: Final = 10.0
"""Account frames wait for a snapshot at most so long; a longer reading goes on beside them."""
READ_MOST_S: Final = 600.0
"""After a long gap the lists have many pages, and the budget lets one a second pass."""
RETRY_FIRST_S: Final = 30.0
RETRY_MOST_S: Final = 600.0
"""What could not be compared or read is tried again, at doubling distances."""
DEBOUNCE_S: Final = 1.0
"""The fills of one burst are read together."""
FIRST_LOOK_MS: Final = 24 * 3600 * 1000
"""At the first start, orders that ended longer ago are not asked for."""
GAP_OVERLAP_MS: Final = 60_000
"""A gap is told by our clock, an order's update by the exchange's: they may differ by so much."""
ON_THE_WAY_S: Final = 0.2
"""Frames that were sent before a list was written may arrive a moment after it."""
UNRESOLVED: Final = 100


class Reads(BookingReads, Protocol):
    """The signed reads this room needs."""

    async def orders(self, since_ms: int | None = None, live: Any = ()) -> Reading[OrderRecord]: ...

    async def positions(self) -> Reading[PositionRecord]: ...

    async def wallets(self) -> Reading[BalanceRecord]: ...


class Outcome(NamedTuple):
    """Result of one comparison with the exchange's lists. Wall clock, ns. ``recovered`` is ``None`` without one."""

    at_ns: int
    recovered: int | None
    confirmed: int
    older: int
    unknown: str | None


class Recovery:
    """Compares with REST after every join and keeps the bookings read. All methods run on the feed's loop.

    Args:
        pipeline: Takes what was found.
        reads: The account over REST.
        on_outcome: Told of each comparison, with the gap that led to it; of a gap that could not be compared at first
            once more, when it could.
    """

    def __init__(self, pipeline: Pipeline, reads: Reads, on_outcome: Callable[[Outcome, Gap | None], None]) -> None:
        self._pipeline, self._state = pipeline, pipeline.state
        self._reads, self._on_outcome = reads, on_outcome
        self.trails_s = TRAILS_S
        self._second_look: asyncio.TimerHandle | None = None
        self._wake, self._book = asyncio.Event(), asyncio.Event()
        self._gaps: list[Gap] = []
        self._unresolved: dict[Gap, int] = {}
        self._is_asked = False
        self.bookings = Bookings(pipeline, reads)
        self.retry_first_s = self._retry_s = self._book_s = RETRY_FIRST_S
        self.hold_s = HOLD_S
        self._retry: asyncio.TimerHandle | None = None
        # From when on orders may have been missed: until a complete reading, whatever the stream brings meanwhile.
        self._missed_from_ms: int | None = time.time_ns() // 1_000_000 - FIRST_LOOK_MS
        self.last: Outcome | None = None
        self.snapshot: dict[tuple[EventType, str], tuple[float, Any]] = {}
        pipeline.on_fill = self._filled

    def compare(self, gap: Gap | None = None) -> None:
        """Ask for a comparison: after a join, with the gap that it ended, or on demand."""
        self._is_asked = True
        if gap is not None:
            self._gaps.append(gap)
            self._may_miss(gap.start_ns // 1_000_000 - GAP_OVERLAP_MS)
        self._wake.set()

    def _may_miss(self, from_ms: int | None) -> None:
        known = self._missed_from_ms
        self._missed_from_ms = from_ms if known is None else known if from_ms is None else min(known, from_ms)

    def _filled(self, record: OrderRecord) -> None:
        if record.pair is not None:
            self.bookings.ask({record.pair})
            self._book.set()

    async def run(self) -> None:
        """Work until cancelled."""
        booking = asyncio.create_task(self._keep_books(), name="bookings")
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                try:
                    if self._is_asked:
                        await self._compare()
                        # What was held is taken before the next comparison holds again.
                        await asyncio.sleep(ON_THE_WAY_S)
                except Exception:
                    log.exception("recovery failure")
        finally:
            await end_tasks(booking)

    async def _keep_books(self) -> None:
        # Beside the comparisons: after a storm the lists of fills are long, and the account must not wait for them.
        while True:
            await self._booked()
            if not self.bookings.is_due:
                continue
            await asyncio.sleep(DEBOUNCE_S)
            try:
                await self.bookings.read()
                self._book_s = self.retry_first_s
            except CredentialsRefused as error:
                log.warning("reads refused reason=%r", str(error))
            except RestError as error:
                log.warning("reads failed reason=%r", str(error))
                asyncio.get_running_loop().call_later(self._book_s, self._book.set)
                self._book_s = min(self._book_s * 2, RETRY_MOST_S)
            except Exception:
                log.exception("bookings failure")

    async def _booked(self) -> None:
        now_ms = time.time_ns() // 1_000_000
        with suppress(TimeoutError):
            async with asyncio.timeout(self.bookings.until_funding_s(now_ms)):
                await self._book.wait()
        self._book.clear()
        self.bookings.funding_passed(time.time_ns() // 1_000_000)

    def _try_again(self, action: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        if self._retry is None or self._retry.when() <= loop.time():
            self._retry = loop.call_later(self._retry_s, action)
            self._retry_s = min(self._retry_s * 2, RETRY_MOST_S)

    async def _compare(self) -> None:
        self._is_asked, gaps, self._gaps = False, self._gaps, []
        gap = gaps[-1] if gaps else None
        missed_from_ms, self._missed_from_ms = self._missed_from_ms, None
        touched = self._touched_since(gap)
        outcome = await self._outcome(gap, missed_from_ms)
        if outcome.unknown is None:
            self._retry_s = self.retry_first_s
        else:
            self._may_miss(missed_from_ms)
        self.last = outcome
        log.info("compared recovered=%s confirmed=%d unknown=%r", outcome.recovered, outcome.confirmed, outcome.unknown)
        self._tell(outcome, gaps)
        if gap is not None:
            self.bookings.ask(touched)
        if self.bookings.is_due:
            self._book.set()

    def _tell(self, outcome: Outcome, gaps: list[Gap]) -> None:
        # Several connections may have ended before a comparison was through: one serves all, the last has its count.
        waiting, self._unresolved = self._unresolved, {}
        told = [*(gap for gap in waiting if gap not in gaps and outcome.unknown is None), *gaps]
        for gap in told:
            is_last = gap is told[-1]
            found = None if outcome.recovered is None else waiting.get(gap, 0) + (outcome.recovered if is_last else 0)
            self._on_outcome(outcome._replace(recovered=found), gap)
        if not told:
            self._on_outcome(outcome, None)
        if outcome.unknown is not None:
            still = {**waiting, **dict.fromkeys(gaps, 0)}
            if gaps:
                still[gaps[-1]] = outcome.recovered or 0
            self._unresolved = dict(list(still.items())[-UNRESOLVED:])

    async def _outcome(self, gap: Gap | None, missed_from_ms: int | None) -> Outcome:
        reading = asyncio.create_task(self._snapshot(gap, missed_from_ms))
        self._pipeline.hold()
        try:
            async with asyncio.timeout(READ_MOST_S):
                await asyncio.wait([reading], timeout=self.hold_s)
                # Frames go on now; rows that are older than what they say change nothing.
                self._pipeline.release()
                outcome = await reading
            if outcome.unknown is not None:
                self._try_again(self.compare)
        except TimeoutError:
            because = f"not compared: the exchange's lists did not come within {READ_MOST_S:g} s"
            outcome = Outcome(time.time_ns(), None, 0, 0, because)
            self._try_again(self.compare)
        except RestError as error:
            outcome = Outcome(time.time_ns(), None, 0, 0, f"not compared: {error}")
            if not isinstance(error, CredentialsRefused):
                self._try_again(self.compare)
        finally:
            self._pipeline.release()
            await end_tasks(reading)
        return outcome

    def _touched_since(self, gap: Gap | None) -> set[str]:
        if gap is None:
            return set()
        live = {entity.record.pair for entity in self._state.working_orders()}
        return {pair for pair in live if pair} | self._state.open_pairs()

    async def _snapshot(self, gap: Gap | None, missed_from_ms: int | None) -> Outcome:
        live = [entity.record for entity in self._state.working_orders()]
        asked_ms = time.time_ns() // 1_000_000
        orders, positions, wallets = await asyncio.gather(
            self._reads.orders(self._orders_since(asked_ms, missed_from_ms), live),
            self._reads.positions(),
            self._reads.wallets(),
        )
        items = [
            *self._items(EventType.ORDER, orders),
            *self._items(EventType.POSITION, positions),
            *self._items(EventType.BALANCE, wallets),
        ]
        self._remember(items, asked_ms)
        await asyncio.sleep(ON_THE_WAY_S)
        away_ns = 0 if gap is None else max(gap.start_ns, gap.noticed_ns or 0)
        counts = await self._pipeline.settle(items, asked_ns=asked_ms * 1_000_000, away_ns=away_ns)
        if counts["trailing"]:
            self._look_again()
        missing = await self._missing(live, orders, positions, asked_ms)
        partial = [reading.because for reading in (orders, positions, wallets) if reading.because]
        unknown = "; ".join([*partial, *missing]) or None
        older = counts["older"] + counts["trailing"]
        return Outcome(time.time_ns(), counts["new"], counts["confirmed"], older, unknown)

    def _look_again(self) -> None:
        # What a list that trails the socket left open is decided when it has had its time. Once: then it is old enough.
        loop, last = asyncio.get_running_loop(), self._second_look
        if last is None or loop.time() > last.when() + self.trails_s:
            self._second_look = loop.call_later(self.trails_s, self.compare)

    def _orders_since(self, asked_ms: int, missed_from_ms: int | None) -> int:
        known = [entity.record.updated_at for entity in self._state.orders() if entity.record.updated_at]
        newest_ms = max(known, default=asked_ms - FIRST_LOOK_MS) - OVERLAP_MS
        return newest_ms if missed_from_ms is None else min(newest_ms, missed_from_ms)

    def _items(self, kind: EventType, reading: Reading[Any]) -> list[AccountItem]:
        for row in reading.rejected:
            self._pipeline.refuse(f"REST {row.reason}", row.raw)
        found = [read_item(kind, row.record, row.raw, row.key) for row in reading.rows]
        if kind is EventType.ORDER and reading.since_ms is not None:
            # Older pages come along; what ended before, and was not known, is history that nobody asked for.
            found = [item for item in found if self._is_wanted(item, reading.since_ms)]
        if kind is EventType.POSITION:
            # The exchange lists every pair ever traded: flat rows that were never open here are no news.
            found = [item for item in found if _is_open(item.record) or self._state.known(kind, item.facts.key)]
        return sorted(found, key=lambda item: item.facts.exchange_ms or 0)

    def _is_wanted(self, item: AccountItem, since_ms: int) -> bool:
        record: Any = item.record
        is_recent = not record.is_terminal or (record.updated_at or 0) >= since_ms
        return is_recent or self._state.known(item.type, item.facts.key) is not None

    def _remember(self, items: Sequence[AccountItem], asked_ms: int) -> None:
        self.snapshot = {(item.type, item.facts.key): (float(asked_ms), item.record) for item in items}

    async def _missing(
        self, live: list[OrderRecord], orders: Reading[Any], positions: Reading[Any], asked_ms: int
    ) -> list[str]:
        notes = []
        listed = {row.key for row in orders.rows}
        # The exchange does not list an order that is still "initial", nor perhaps one that moved a moment ago.
        due = [
            record for record in live if record.status != "initial" and (record.updated_at or 0) < asked_ms - LISTED_MS
        ]
        if orders.is_complete and (gone := [record.id for record in due if record.id not in listed]):
            notes.append(f"{len(gone)} orders known as working are not listed: {', '.join(gone[:3])}")
        if positions.is_complete:
            shown = {row.key for row in positions.rows}
            # What was opened a moment ago may not be listed yet.
            gone_ns = int((asked_ms / 1000 - self.trails_s) * 1e9)
            open_ones = [e for e in self._state.positions() if e.record.active_pos and e.record.id not in shown]
            closed = [e.record for e in open_ones if e.received_ns < gone_ns]
            if len(closed) < len(open_ones):
                self._look_again()
            for record in closed:
                # The exchange leaves out a closed position: in a complete list, absence means flat.
                await self._pipeline.settle([_flat(record, asked_ms)], Source.LOCAL)
                self._pipeline.note(f"position {record.pair} is no longer listed: taken as flat", id=record.id)
        return notes


def _is_open(record: Any) -> bool:
    return bool(record.active_pos or record.inactive_pos_buy or record.inactive_pos_sell)


def _flat(record: PositionRecord, asked_ms: int) -> AccountItem:
    fields = {
        "id": record.id,
        "pair": record.pair,
        "active_pos": 0,
        "margin_currency_short_name": record.margin_currency_short_name,
        "updated_at": asked_ms,
    }
    return read_item(EventType.POSITION, PositionRecord.model_validate(fields), json.dumps(fields).encode(), record.id)
