"""Run by tests as a child process: the feed as ``serve`` runs it, with limits short enough to wait for."""

import signal
import sys
import threading
from collections import deque

from coindcx_feed.exchange.states import Timings
from coindcx_feed.feed import bookings, recovery
from coindcx_feed.feed import state as state_module
from coindcx_feed.feed.kept import KeptApart
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.settings import load_settings
from coindcx_feed.store import engines, segments


def shrink(runtime: FeedRuntime) -> None:
    """Make every bound so small that it is reached in the first minute: growth after that is a leak."""
    runtime.pipeline.duplicates, runtime.pipeline.quarantine = KeptApart(100, 1 << 20), KeptApart(100, 1 << 20)
    runtime.pipeline.dedup._memory = 1_000
    # A read brings the rows of its overlap again: as many as that must be remembered, or each read makes them anew.
    recovery.GAP_OVERLAP_MS = bookings.LEDGER_OVERLAP_MS = 2_000  # type: ignore[misc]
    runtime.state._max_orders, state_module.MAX_ROWS = 1_000, 1_000  # type: ignore[misc]
    engines.CACHE_KIB, segments.SEGMENT_EVENTS = 512, 500  # type: ignore[misc]
    runtime.watch._changes, runtime.watch._gaps = deque(maxlen=100), deque(maxlen=50)
    runtime.market._messages = deque(maxlen=500)


def main() -> None:
    """Serve until SIGTERM; the first argument is the transport's limit in seconds, a second one ``shrunk``."""
    timings = Timings(joined_after_s=0.3, proof_s=float(sys.argv[1]), retry_first_s=0.1, retry_most_s=1.0, tick_s=0.05)
    if "shrunk" in sys.argv:
        timings = timings._replace(rejected_retry_s=0.5)
    runtime = FeedRuntime(load_settings(), "serve", timings=timings)
    if "shrunk" in sys.argv:
        shrink(runtime)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    runtime.start()
    try:
        while runtime.is_running and not stopping.wait(0.1):
            pass
    finally:
        runtime.stop()


if __name__ == "__main__":
    main()
