"""Waking loops of other threads when events were published, without a queue: they read the ring themselves."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

Bell = tuple[asyncio.AbstractEventLoop, asyncio.Event]


class Wakeups:
    """Sets an event of each listening loop. A bell that still rings is not rung again, so a burst costs one wake-up."""

    def __init__(self) -> None:
        self._bells: tuple[Bell, ...] = ()
        self._lock = threading.Lock()

    def listen(self, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> Callable[[], None]:
        """Set ``event`` on its loop whenever something was published.

        Clear it before reading, so that nothing that comes during the read is slept through. Threads: any.

        Returns:
            Ends the listening; harmless when called twice.
        """
        bell = (loop, event)
        with self._lock:
            self._bells = (*self._bells, bell)

        def stop() -> None:
            with self._lock:
                self._bells = tuple(kept for kept in self._bells if kept is not bell)

        return stop

    def notify(self) -> None:
        """Ring every bell. Threads: the publisher's; never waits."""
        for loop, event in self._bells:
            if not event.is_set():
                with contextlib.suppress(RuntimeError):  # a loop that has just closed
                    loop.call_soon_threadsafe(event.set)
