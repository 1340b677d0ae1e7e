"""Reads older events for clients that stand before the ring: one at a time, so that a resume storm stays a queue."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from coindcx_feed.errors import FeedError
from coindcx_feed.sidecar.batch import fitting
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import Wants
from coindcx_feed.sidecar.resume import Past, PastRow

_log = logging.getLogger("coindcx_feed.sidecar")


class Standing(Protocol):
    """A client's place and what it wants."""

    @property
    def seq(self) -> int: ...

    @property
    def wants(self) -> Wants: ...

    @property
    def transport(self) -> asyncio.WriteTransport: ...


C = TypeVar("C", bound=Standing)


class Library(Generic[C]):
    """Serves the clients that wait in turn, a slice each. All methods belong to the loop.

    Args:
        deliver: Gets a client, the rows after its place, and the number up to which the log was asked.
    """

    def __init__(self, past: Past, limits: Limits, deliver: Callable[[C, Sequence[PastRow], int], None]) -> None:
        self._past, self._limits, self._deliver = past, limits, deliver
        self._most = limits.slice_events
        self._waiting: deque[tuple[C, int]] = deque()
        self._served: C | None = None
        self._task: asyncio.Task[None] | None = None

    def ask(self, client: C, upto: int) -> None:
        """Read on for a client, up to a number, when its turn comes."""
        self._waiting.append((client, upto))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._serve(), name="library")

    def forget(self, client: C) -> None:
        """Drop a client that has left; harmless when it does not wait."""
        self._waiting = deque(asked for asked in self._waiting if asked[0] is not client)
        if self._served is client:
            self._served = None

    def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()

    async def _serve(self) -> None:
        while self._waiting:
            client, upto = self._waiting.popleft()
            self._served = client
            rows = await self._read(client, upto)
            if self._served is client:
                self._deliver(client, rows, upto)
            self._served = None
            await asyncio.sleep(self._limits.past_pause_s * self._most / self._limits.slice_events)
        self._task = None

    async def _read(self, client: C, upto: int) -> Sequence[PastRow]:
        after, is_looked_at = client.seq, client.wants.only is not None
        loop, limits = asyncio.get_running_loop(), self._limits
        until_s = loop.time() + limits.past_wait_s
        while True:
            try:
                rows = await asyncio.to_thread(self._past.bodies, after, self._most, upto, is_looked_at=is_looked_at)
                break
            except FeedError as error:
                _log.warning("older events not read after=%d reason=%r", after, str(error))
                # What cannot be read now is not lost: it must not be told as missing at the first slip.
                if self._served is not client or loop.time() >= until_s:
                    return ()
                await asyncio.sleep(limits.past_retry_s)
        return self._cut(rows, self._limits.behind_bytes - client.transport.get_write_buffer_size())

    def _cut(self, rows: Sequence[PastRow], room_bytes: int) -> Sequence[PastRow]:
        """Keep what may be written at a time. The next read asks for no more than a client that keeps up gets."""
        if not rows:
            return rows
        bodies, limits = [row[3] for row in rows], self._limits
        mean_bytes = sum(map(len, bodies)) // len(bodies) + 1
        self._most = max(1, min(limits.slice_events, limits.behind_bytes // mean_bytes))
        return rows[: fitting(bodies, max(room_bytes, limits.slice_bytes))]
