"""The durable log around the pipeline: where it is, marks of held positions, and how long things are kept."""

import asyncio
import hashlib
import logging
import time
from typing import TYPE_CHECKING, Final

from coindcx_feed.errors import StoreError
from coindcx_feed.feed.archive import Archive
from coindcx_feed.feed.durable import Durable
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.state import AccountState
from coindcx_feed.settings import Settings

if TYPE_CHECKING:
    from coindcx_feed.store.log import EventStore

MARKS_S: Final = 5
"""Marks are stored in groups of so many seconds: a crash costs at most these."""
PRUNE_S: Final = 600.0
FIRST_PRUNE_S: Final = 30.0
GIGABYTE: Final = 10**9

log = logging.getLogger(__name__)


def store_url(settings: Settings, account: str) -> str | None:
    """Return the address of the log, ``None`` for no log. It may hold a password: never log it."""
    if settings.store_url is not None:
        given = settings.store_url.get_secret_value()
        return None if given == "none" else given
    digest = hashlib.sha256(account.encode()).hexdigest()[:16]
    return f"sqlite:///{settings.data_dir / f'events-{settings.effective_mode}-{digest}.sqlite'}"


def open_log(settings: Settings, account: str) -> "EventStore | None":
    """Open the log of this mode and account; the demo's is begun anew. Blocks: a file, or a network.

    Raises:
        ConfigError: One line.
    """
    url, mode = store_url(settings, account), settings.effective_mode
    if url is None:
        return None
    # Imported here: a feed without a log does not load a database library.
    from coindcx_feed.store.log import EventStore

    return EventStore.open(
        url, mode=mode, account=account, fresh=mode == "demo", synchronous=settings.store_synchronous
    )


async def keep_marks(marks: Marks, state: AccountState, durable: Durable) -> None:
    """Store one mark a second of every pair with an open position, until cancelled."""
    waiting: list[tuple[int, str, str]] = []
    while True:
        now_ns = time.time_ns()
        for pair in state.open_pairs():
            price = marks.fresh(pair, now_ns)
            if price is not None:
                waiting.append((now_ns // 10**9, pair, str(price)))
        if waiting and now_ns // 10**9 - waiting[0][0] >= MARKS_S:
            await durable.append_marks(waiting)
            waiting = []
        await asyncio.sleep(1.0)


async def keep_within(kept: "EventStore", archive: Archive, settings: Settings) -> None:
    """Remove what is older or more than the settings allow, now and then, until cancelled."""
    days, most = settings.store_keep_days, int(settings.store_max_gb * GIGABYTE)
    await asyncio.sleep(FIRST_PRUNE_S)
    while days or most:
        oldest_ns = time.time_ns() - days * 86_400 * 10**9 if days else None
        try:
            removed = await asyncio.to_thread(kept.prune, older_than_ns=oldest_ns, max_bytes=most or None)
            if removed:
                await asyncio.to_thread(archive.refresh)
                log.info("log pruned events=%d", removed)
        except StoreError as error:
            log.warning("log not pruned reason=%r", str(error))
        await asyncio.sleep(PRUNE_S)
    await asyncio.Event().wait()  # nothing to remove, ever
