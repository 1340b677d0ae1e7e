"""The runtime of a replay: a player where the session would be, the same ring, pages and sidecar.

It opens the log to read only, connects to no exchange and stores nothing.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

from pydantic import SecretStr

from coindcx_feed.analysis.moments import Window
from coindcx_feed.errors import ConfigError
from coindcx_feed.events import Event, iso_ms, new_epoch
from coindcx_feed.exchange.states import Change, State
from coindcx_feed.feed.durable import NoStore
from coindcx_feed.feed.keeping import store_url
from coindcx_feed.feed.owner import OwnerLock
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.replay import Player
from coindcx_feed.feed.replay_marks import MarkSource, ReplayMarks
from coindcx_feed.feed.replay_source import Source
from coindcx_feed.feed.runtime import FeedRuntime, Role, account_name
from coindcx_feed.feed.stage import ReplayRing, ReplayState, Stage
from coindcx_feed.feed.tasks import end_tasks
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.server import Sidecar

log = logging.getLogger(__name__)

REASON: Final = "a replay of the log: nothing comes from the exchange"


class Log(Source, MarkSource, Protocol):
    """An open log that is let go at the end."""

    def span(self) -> tuple[int, int] | None: ...

    def close(self) -> None: ...


class Exchange(Protocol):
    """A Socket.IO exchange that sends what is shown to programs written for the real one."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def listened(self) -> None: ...

    async def send(self, events: Sequence[Event]) -> None: ...


class ReplayRuntime(FeedRuntime):
    """Plays a window of a log. What a replay cannot have, a connection and its reads, stays as before the first one.

    Args:
        settings: Checked settings, of mode ``replay``.
        role: As for any runtime.
        source: The log; closed at the end.
        window: What is played.
        speed: Factor, ``MAX`` or ``STEP``.
        dashboard_port: As for any runtime.
        exchange: Gets what is shown; the replay begins when somebody has joined it.
    """

    player: Player

    def __init__(
        self,
        settings: Settings,
        role: Role,
        source: Log,
        window: Window,
        speed: float,
        dashboard_port: int | None = None,
        exchange: Exchange | None = None,
    ) -> None:
        super().__init__(settings, role, dashboard_port)
        ring, state = ReplayRing(settings.ring_capacity, new_epoch()), ReplayState()
        self.ring, self.state = ring, state
        self.pipeline = Pipeline(ring, self.market, self.marks, state, NoStore())
        self.sidecar = Sidecar(ring, self.market, settings, self.brief, dashboard_port=dashboard_port)
        self.sidecar.account = self
        self.player = Player(source, Stage(ring, state, self.pipeline.quarantine), window, speed)
        self._source, self._exchange = source, exchange
        # Not the account's: a live feed of it may run at the same time.
        self._lock = OwnerLock(settings.data_dir, "replay")
        start_ns = time.time_ns() if window.from_ns is None else window.from_ns
        # Ages and delays are told against the replay's clock.
        self.started_ms = start_ns // 1_000_000
        self._dashboard_change = Change(State.STOPPED, start_ns, REASON)
        self.watch.add(self._dashboard_change)

    def now_ns(self) -> int:
        """The replay's own time, Unix ns: ages and charts are of then. Threads: any."""
        return self.player.now_ns

    def replay(self) -> dict[str, Any] | None:
        """Return where the replay stands. Threads: any."""
        return self.player.status()

    def brief(self) -> dict[str, Any]:
        """As for any runtime; the records are those shown. Threads: any."""
        return super().brief() | {"records": self.player.status()["shown"]}

    async def _open_log(self) -> None:
        """Keep nothing: what is shown is stored already."""

    async def _serve(self, stopping: asyncio.Event) -> None:
        self.player.on_publish(self.sidecar.notify)
        self.player.on_publish(self.wakeups.notify)
        exchange = self._exchange
        if exchange is not None:
            await exchange.start()
            self.player.add_sink(exchange.send)
        waiter = asyncio.create_task(stopping.wait())
        tasks = [asyncio.create_task(self._play(exchange), name="replay")]
        marks = ReplayMarks(self._source, self.marks, self.state, self.now_ns)
        tasks.append(asyncio.create_task(marks.run(), name="marks"))
        tasks.append(asyncio.create_task(self.lag.watch(), name="lag"))
        self._ready.set()
        try:
            await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            results = await end_tasks(waiter, *tasks)
            if exchange is not None:
                await exchange.stop()
            await asyncio.to_thread(self._source.close)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _play(self, exchange: Exchange | None) -> None:
        if exchange is not None:
            await exchange.listened()
        await self.player.run()
        await asyncio.Event().wait()  # what was shown stays there to be read


def open_replay(
    settings: Settings,
    role: Role,
    window: Window,
    speed: float,
    dashboard_port: int | None = None,
    *,
    store: str | None = None,
    exchange: Exchange | None = None,
) -> ReplayRuntime:
    """Build the runtime for a window of the log that these settings would write without mode ``replay``.

    Args:
        store: Address of another log; it must be of the same mode and account.
    Raises:
        ConfigError: One line: no such log, or nothing in the window.
    """
    changes: dict[str, object] = {"mode": "auto"} | ({"store_url": SecretStr(store)} if store else {})
    origin = settings.model_copy(update=changes)
    account = account_name(origin)
    url = store_url(origin, account)
    if url is None:
        raise ConfigError("replay: expected a durable log, was COINDCX_STORE_URL=none: name one with --store")
    # Imported here: a feed without a log does not load a database library.
    from coindcx_feed.store.log import EventStore

    source = EventStore.open(url, mode=origin.effective_mode, account=account, read_only=True)
    try:
        window = _window_with_events(source, source.url_shown, window)
        chosen = settings.model_copy(update={"mode": "replay"})
        return ReplayRuntime(chosen, role, source, window, speed, dashboard_port, exchange)
    except BaseException:
        source.close()
        raise


def _window_with_events(source: Log, shown: str, window: Window) -> Window:
    """Return the window with both ends fixed: a live feed may add events meanwhile."""
    span = source.span()
    if span is None:
        raise ConfigError(f"replay: expected stored events, was an empty log, {shown}: run the feed first")
    first, last = span
    from_ns, to_ns = window.from_ns, window.to_ns
    if (to_ns is not None and to_ns <= first) or (from_ns is not None and from_ns > last):
        raise ConfigError(f"replay: expected a window with events, which are from {iso_ms(first)} to {iso_ms(last)}")
    return Window(first if from_ns is None else from_ns, last + 1 if to_ns is None else min(to_ns, last + 1))
