"""What commands that go on share: ending on a signal, and the log on the console."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Coroutine, Iterator
from types import FrameType

from coindcx_feed.settings import Settings


def stop_on_signals() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set. Threads: the main one."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def run_until_signal(work: Coroutine[None, None, None]) -> None:
    """Run a coroutine to its end, or until Ctrl-C or SIGTERM cancel it."""

    async def run() -> None:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            return

    asyncio.run(run())


@contextlib.contextmanager
def logging_to_console(settings: Settings) -> Iterator[None]:
    """Write the log to its file and to standard error, redacted alike.

    Raises:
        ConfigError: If the data folder cannot be written.
    """
    from coindcx_feed.feed.process import secrets_of
    from coindcx_feed.logs import OneLine, start_logging, stop_logging

    start_logging(settings.data_dir, secrets_of(settings))
    console = logging.StreamHandler()
    console.setFormatter(OneLine(secrets_of(settings)))
    logger = logging.getLogger("coindcx_feed")
    logger.addHandler(console)
    try:
        yield
    finally:
        logger.removeHandler(console)
        stop_logging()
