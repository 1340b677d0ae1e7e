"""Who is looking: sidecar clients and open pages. On demand, the exchange is joined only while somebody does."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Final

from coindcx_feed.exchange.supervisor import Supervisor
from coindcx_feed.feed.tasks import end_tasks
from coindcx_feed.feed.watch import ON_DEMAND

LINGER_S: Final = 30.0
"""The session outlives its last viewer by so long: a reload of a page is no reason to leave."""
POLL_S: Final = 0.1


class Viewers:
    """Counts viewers. Requests for status and metrics are none. Threads: any.

    Args:
        clients: Number of sidecar clients now.
    """

    def __init__(self, clients: Callable[[], int]) -> None:
        self._clients = clients
        self._pages = 0
        self._lock = threading.Lock()

    def page_opened(self) -> None:
        with self._lock:
            self._pages += 1

    def page_closed(self) -> None:
        with self._lock:
            self._pages -= 1

    @property
    def count(self) -> int:
        return self._pages + self._clients()


async def run_on_demand(supervisor: Supervisor, viewers: Viewers, linger_s: float = LINGER_S) -> None:
    """Run the supervisor while there are viewers, until cancelled."""
    while True:
        while not viewers.count:  # noqa: ASYNC110  it changes in other threads
            await asyncio.sleep(POLL_S)
        running = asyncio.create_task(supervisor.run(), name="supervisor")
        try:
            await _until_unwanted(viewers, running, linger_s)
            supervisor.stop_reason = ON_DEMAND
        finally:
            await end_tasks(running)


async def _until_unwanted(viewers: Viewers, running: "asyncio.Task[None]", linger_s: float) -> None:
    last_seen = time.monotonic()
    while not running.done() and time.monotonic() - last_seen < linger_s:
        if viewers.count:
            last_seen = time.monotonic()
        await asyncio.sleep(POLL_S)
