"""Persist before publish: what is shown is stored, or says that it is not.

One writer thread serves the log. While the log is slow, locked, full or gone, events begin a new epoch, are published
as not stored and wait here, bounded; they are stored under that epoch, in order, when the log is back.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from coindcx_feed.errors import StoreCorrupt, StoreError, StoreGone
from coindcx_feed.events import Event, as_stored, marked_undurable, new_epoch
from coindcx_feed.exchange.backoff import Backoff

LIMIT_S: Final = 2.0
"""A commit that takes longer counts as no commit: nobody waits longer for an event."""
SLICE: Final = 1_000
"""Events stored at once after an outage."""
FIRST_S, MOST_S = 0.5, 10.0
"""Pause between two tries to reach the log."""
STOP_S: Final = 1.5
BROKEN: Final = (StoreCorrupt, StoreGone)
"""After these the log is opened anew: the file is damaged or no longer there."""

T = TypeVar("T")
log = logging.getLogger(__name__)


class Store(Protocol):
    """Where events go before anyone sees them."""

    @property
    def is_durable(self) -> bool:
        """Whether what is appended now will be kept."""

    async def append(self, events: list[Event]) -> list[Event]:
        """Return the events as they are to be shown: when they are safe, or marked as not stored."""


class NoStore:
    """Keeps nothing: events live in the ring only, and say so."""

    is_durable = False

    async def append(self, events: list[Event]) -> list[Event]:
        return events


class Log(Protocol):
    """What the writer thread asks of a durable log. Each call is one transaction; errors are ``StoreError``."""

    def append(self, events: Sequence[Event], epoch: str) -> None: ...

    def append_marks(self, rows: Sequence[tuple[int, str, str]]) -> None: ...

    def begin_epoch(self, epoch: str, first_seq: int, *, settled: bool = True) -> None: ...

    def settle_epoch(self, epoch: str) -> None: ...

    def drop_from(self, seq: int) -> None: ...

    def reopen(self) -> None: ...

    def give_up(self) -> None: ...

    def close(self) -> None: ...


class Outage(NamedTuple):
    """Since when, wall clock ns, and why events are not stored; how many wait and how many found no room."""

    since_ns: int
    reason: str
    waiting: int
    lost: int


class Durable:
    """Puts events into a log. All methods belong to the feed's loop; the figures may be read from any thread.

    Args:
        log: An open log.
        epoch: The series that the next event belongs to.
        on_epoch: Called when a new series begins, with its name and the reason, before its first event is returned.
        on_return: Called when everything that waits is stored, with the number of events that found no room.
        spill: Events that may wait while the log is away; beyond it the oldest are given up, and counted.
        limit_s: Longest wait for a commit.
    """

    def __init__(
        self,
        log: Log,
        epoch: str,
        on_epoch: Callable[[str, str], None],
        on_return: Callable[[int], None],
        *,
        spill: int,
        limit_s: float = LIMIT_S,
    ) -> None:
        self._log, self._epoch, self._on_epoch, self._on_return = log, epoch, on_epoch, on_return
        self._most, self._limit_s = spill, limit_s
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="coindcx-store")
        self._spill: deque[Event] = deque()
        self._away: tuple[int, str] | None = None
        self._begins_at: int | None = None
        self._is_broken = False
        self._return: asyncio.Task[None] | None = None
        self.lost = 0
        """Events that were never stored, because the log was away for too long."""

    @property
    def is_durable(self) -> bool:
        return self._away is None

    @property
    def outage(self) -> Outage | None:
        """What is the matter, or ``None`` while everything is stored. Threads: any."""
        away = self._away
        return None if away is None else Outage(*away, len(self._spill), self.lost)

    async def append(self, events: list[Event]) -> list[Event]:
        """Store events and return them; when that fails within ``limit_s``, mark them and keep them for later."""
        if self._away is None:
            commit = self._call(self._log.append, events, self._epoch)
            try:
                await asyncio.wait_for(asyncio.shield(commit), self._limit_s)
                return events
            except TimeoutError:
                self._leave(events[0].seq, f"a commit took longer than {self._limit_s:g} s", commit)
            except StoreError as error:
                self._leave(events[0].seq, str(error), commit)
                self._is_broken = isinstance(error, BROKEN)
        return self._keep(events)

    async def append_marks(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Store mark prices; while the log is away they are left out."""
        if self._away is None and rows:
            with suppress(StoreError):
                await self._call(self._log.append_marks, rows)

    async def close(self) -> None:
        """Store what waits if the log is back by now, and close it; each within ``STOP_S``.

        A log that does not answer is given up: its thread would hold up the end of the process.
        """
        if self._return is not None:
            self._return.cancel()
            with suppress(asyncio.CancelledError):
                await self._return
        if self._away is not None:
            await self._within(self._flush())
        await self._within(self._call(self._log.close))
        self._writer.shutdown(wait=False)

    async def _within(self, work: Awaitable[None]) -> None:
        try:
            with suppress(StoreError):
                await asyncio.wait_for(work, STOP_S)
        except TimeoutError:
            log.error("log given up waiting=%d", len(self._spill))
            self._log.give_up()

    def _call(self, work: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._writer, work, *arguments)

    def _leave(self, first_seq: int, reason: str, commit: "asyncio.Future[None]") -> None:
        """Go on without the log: a new epoch from this number on."""
        self._away = (time.time_ns(), reason)
        self._epoch = new_epoch()
        self._on_epoch(self._epoch, reason)
        log.error("log away from_seq=%d epoch=%s reason=%r", first_seq, self._epoch, reason)
        self._begins_at = first_seq
        self._return = asyncio.create_task(self._come_back(commit), name="log-return")

    def _keep(self, events: list[Event]) -> list[Event]:
        marked = [marked_undurable(event) for event in events]
        self._spill.extend(marked)
        while len(self._spill) > self._most:
            self._spill.popleft()
            self.lost += 1
        return marked

    async def _come_back(self, commit: "asyncio.Future[None]") -> None:
        """Wait for the log, then store everything that waits, in order."""
        with suppress(StoreError):
            await commit  # the writer may still be busy with it
        backoff = Backoff(FIRST_S, MOST_S)
        while self._away is not None:
            await asyncio.sleep(backoff.next())
            try:
                if self._is_broken:
                    await self._call(self._log.reopen)
                    self._is_broken, self._begins_at = False, self._spill[0].seq if self._spill else self._begins_at
                await self._flush()
            except StoreError as error:
                self._away = (self._away[0], str(error))
                self._is_broken = self._is_broken or isinstance(error, BROKEN)

    async def _flush(self) -> None:
        if self._begins_at is not None:
            await self._call(self._begin, self._begins_at)
            self._begins_at = None
        while self._spill:
            part = [self._spill.popleft() for _ in range(min(SLICE, len(self._spill)))]
            try:
                await self._call(self._log.append, [as_stored(event) for event in part], self._epoch)
            except BaseException:
                self._spill.extendleft(reversed(part))
                raise
        await self._call(self._log.settle_epoch, self._epoch)
        if not self._spill:
            log.warning("log back epoch=%s lost=%d", self._epoch, self.lost)
            self._away = None
            self._on_return(self.lost)

    def _begin(self, first_seq: int) -> None:
        # The commit that failed or was too slow may have succeeded after all: its events come again, in this epoch.
        self._log.drop_from(first_seq)
        self._log.begin_epoch(self._epoch, first_seq, settled=False)
