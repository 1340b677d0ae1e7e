"""Where a replay comes from: a log opened to read, in a thread of its own, a slice ahead of what is shown."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.analysis.moments import Window
from coindcx_feed.events import Event


class Source(Protocol):
    """An open log."""

    def stream(
        self, wanted: EventFilter, *, from_ns: int | None = None, to_ns: int | None = None
    ) -> Iterator[list[Event]]:
        """Return the events of a time range in slices, oldest first. Blocks, like all of these."""

    def seq_at(self, at_ns: int) -> int | None:
        """Return the number of the newest event received at or before a time."""

    def state_at(self, seq: int) -> list[Event]:
        """Return the events that make the account as known at a number, oldest first."""


class Reading:
    """Reads one window for one replay. Methods belong to the loop; the log is read in one thread.

    Args:
        source: The log.
        window: What is read.
    """

    def __init__(self, source: Source, window: Window) -> None:
        self._source, self._window = source, window
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="coindcx-replay")

    async def before(self) -> list[Event]:
        """Return the events that make the account as it was when the window begins.

        Raises:
            StoreError: If the log cannot be read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read_before)

    async def slices(self) -> AsyncGenerator[list[Event], None]:
        """Yield the window, oldest first, from its beginning; may be called again.

        Raises:
            StoreError: If the log cannot be read.
        """
        loop, window = asyncio.get_running_loop(), self._window
        stream = self._source.stream(EventFilter(), from_ns=window.from_ns, to_ns=window.to_ns)

        def read_ahead() -> "asyncio.Future[list[Event] | None]":
            ahead = loop.run_in_executor(self._thread, next, stream, None)
            ahead.add_done_callback(_retrieved)
            return ahead

        ahead = read_ahead()
        try:
            while (events := await ahead) is not None:
                ahead = read_ahead()
                yield events
        finally:
            # In the only thread, after what it may be reading: a generator in use cannot be closed.
            self._thread.submit(_closed, stream)

    def close(self) -> None:
        """Let the thread end; harmless when it reads."""
        self._thread.shutdown(wait=False)

    def _read_before(self) -> list[Event]:
        start_ns = self._window.from_ns
        seq = None if start_ns is None else self._source.seq_at(start_ns - 1)
        return self._source.state_at(seq) if seq else []


def _retrieved(ahead: "asyncio.Future[Any]") -> None:
    # A slice that nobody waits for any more may have failed: that is no news.
    if not ahead.cancelled():
        ahead.exception()


def _closed(stream: Iterator[list[Event]]) -> None:
    close = getattr(stream, "close", None)
    if close is not None:
        close()
