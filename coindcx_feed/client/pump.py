"""A synchronous reader of an asynchronous stream: a thread with a loop of its own reads a bounded number ahead."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Final, Generic, TypeVar

AHEAD: Final = 1_000
"""Items read before the reader asks for them; beyond it the server feels that the reader is slow."""
STOP_S: Final = 5.0
_WAIT_S: Final = 0.5
"""Some systems do not hear Ctrl-C while they wait for a lock."""

T = TypeVar("T")


class Pump(Generic[T]):
    """Reads a stream until it ends, fails or is stopped. Used once.

    Args:
        read: Opens the stream, in the thread's loop.
        items: Where to put them; what is in it already is given first, what is left at the end stays there.
    """

    def __init__(self, read: Callable[[], AsyncGenerator[T, None]], items: deque[T]) -> None:
        self._read, self._items = read, items
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Event | None = None
        self._is_ended = self._is_waiting = False
        self._is_stopped = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="coindcx-client", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def given(self) -> Generator[T, None, None]:
        """Start, yield the items, and stop wherever the loop over them ends.

        Raises:
            Exception: As ``next``.
        """
        try:
            self.start()
            while (item := self.next()) is not None:
                yield item
        finally:
            self.stop()

    def next(self) -> T | None:
        """Return the next item, ``None`` at the end. Threads: the reader's.

        Raises:
            Exception: What ended the stream, after everything that came before it.
        """
        if not self._items:
            self._wait()
        if self._is_stopped:
            return None
        if self._items:
            item = self._items.popleft()
            if len(self._items) == AHEAD // 2:
                self._tell_of_room()
            return item
        if self._error is not None:
            raise self._error
        return None

    def _wait(self) -> None:
        # The thread looks at the flag after it has put an item: it rings only for a reader that sleeps.
        with self._changed:
            self._is_waiting = True
            while not self._items and not self._is_ended and not self._is_stopped:
                self._changed.wait(_WAIT_S)
            self._is_waiting = False

    def stop(self) -> None:
        """End the stream and wait for the thread, at most ``STOP_S``. Threads: any; harmless when repeated."""
        with self._changed:
            self._is_stopped = True
            loop, task = self._loop, self._task
            self._changed.notify_all()
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                loop.call_soon_threadsafe(task.cancel)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(STOP_S)

    def _tell_of_room(self) -> None:
        if self._loop is not None and self._room is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._room.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except asyncio.CancelledError:
            pass  # stopped
        except BaseException as error:  # noqa: BLE001  raised again in the reader's thread
            self._error = error
        finally:
            with self._changed:
                self._is_ended = True
                self._changed.notify_all()

    async def _main(self) -> None:
        with self._changed:
            if self._is_stopped:
                return
            self._loop, self._room = asyncio.get_running_loop(), asyncio.Event()
            self._task = asyncio.current_task()
        async with aclosing(self._read()) as stream:
            async for item in stream:
                self._items.append(item)
                if self._is_waiting:
                    with self._changed:
                        self._changed.notify()
                if len(self._items) >= AHEAD:
                    self._room.clear()
                    if len(self._items) > AHEAD // 2:  # else the reader has rung before the bell was cleared
                        await self._room.wait()
