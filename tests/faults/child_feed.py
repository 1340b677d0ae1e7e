"""Run by tests as a child process: the feed as ``serve`` runs it, with limits short enough to wait for."""

import signal
import sys
import threading

from coindcx_feed.exchange.states import Timings
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.settings import load_settings


def main() -> None:
    """Serve until SIGTERM; the argument is the transport's limit in seconds."""
    timings = Timings(joined_after_s=0.3, proof_s=float(sys.argv[1]), retry_first_s=0.1, retry_most_s=1.0, tick_s=0.05)
    runtime = FeedRuntime(load_settings(), "serve", timings=timings)
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
