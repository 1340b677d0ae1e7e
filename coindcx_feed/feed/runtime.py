"""The background thread: one loop that owns the session, the pipeline and the sidecar from start to stop."""

import asyncio
import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Literal

from coindcx_feed.alerts.channels import Sender
from coindcx_feed.alerts.desk import AlertDesk
from coindcx_feed.alerts.senders import senders_of
from coindcx_feed.errors import ConfigError, OwnerLocked
from coindcx_feed.events import new_epoch
from coindcx_feed.exchange.rest import RestReader
from coindcx_feed.exchange.rest_account import AccountReads
from coindcx_feed.exchange.rest_market import MarketReads
from coindcx_feed.exchange.states import DEFAULT_TIMINGS, Change, Connection, State, Timings
from coindcx_feed.exchange.supervisor import Supervisor
from coindcx_feed.feed.archive import Archive
from coindcx_feed.feed.conversion import Rate, keep_reading
from coindcx_feed.feed.demand import LINGER_S, Viewers, run_on_demand
from coindcx_feed.feed.desk import Desk
from coindcx_feed.feed.durable import Durable, NoStore
from coindcx_feed.feed.keeping import keep_marks, keep_within, open_log
from coindcx_feed.feed.lag import LoopLag
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.market_reads import MarketKeeper
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.owner import OwnerLock
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.recorder import Recorder
from coindcx_feed.feed.recovery import Outcome, Recovery
from coindcx_feed.feed.restore import restore
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.sight import RuntimeSight
from coindcx_feed.feed.state import AccountState
from coindcx_feed.feed.suspicion import Suspicion, Thresholds
from coindcx_feed.feed.tasks import end_tasks
from coindcx_feed.feed.upstream import Place, Upstream
from coindcx_feed.feed.wakeups import Wakeups
from coindcx_feed.feed.watch import Gap, Watch
from coindcx_feed.feed.watchlist import Watchlist
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.server import Sidecar

if TYPE_CHECKING:
    from coindcx_feed.feed.replay import Player
    from coindcx_feed.store.log import EventStore

log = logging.getLogger(__name__)

START_S: Final = 30.0
STOP_S: Final = 5.0
DRAIN_S: Final = 1.5
"""How long the end of the process waits for events to be stored."""

Role = Literal["dashboard", "serve"]


class FeedRuntime:
    """Everything that runs. The parts are public for reading from any thread; only the loop changes them.

    Args:
        settings: Checked settings.
        role: A dashboard starts even when the sidecar's port or the account is taken, and says so; ``serve`` does not.
        dashboard_port: Port that the dashboard really listens on, for the sidecar's list of origins.
        demo: The embedded exchange, in demo mode.
        timings: Limits of the supervisor; those of the settings by default.
    """

    def __init__(
        self,
        settings: Settings,
        role: Role,
        dashboard_port: int | None = None,
        demo: Upstream | None = None,
        timings: Timings | None = None,
    ) -> None:
        self.settings, self.role, self.demo = settings, role, demo
        self.mode: str = settings.effective_mode
        self.ring = Ring(settings.ring_capacity, new_epoch())
        self.market = MarketFeed()
        self.marks = Marks()
        self.state = AccountState()
        chosen = Watchlist(settings.data_dir, self.mode)
        self.desk = Desk(settings.pairs, chosen, self.marks, lambda: self.state.open_pairs())
        self.pipeline = Pipeline(self.ring, self.market, self.marks, self.state, NoStore())
        self.pipeline.on_market = self.desk.take
        self.watch = Watch()
        self.lag = LoopLag()
        self.player: Player | None = None
        self.supervisor: Supervisor | None = None
        self.sidecar = Sidecar(self.ring, self.market, settings, self.brief, dashboard_port=dashboard_port)
        self.sidecar.account = self
        self.viewers = Viewers(lambda: self.sidecar.clients)
        self.linger_s = LINGER_S
        self.wakeups = Wakeups()
        self.sidecar_error: str | None = None
        self.owner: str | None = None
        self.rate: Rate | None = None
        self.started_ms = int(time.time() * 1000)
        self._dashboard_change = Change(State.STARTING, time.time_ns())
        self._was_connected = False
        self.recovery: Recovery | None = None
        self.reader: RestReader | None = None
        self.suspicion: Suspicion | None = None
        self._noted: tuple[State, str | None] | None = None
        self._timings = timings or DEFAULT_TIMINGS._replace(proof_s=settings.proof_limit_s)
        self._lock = OwnerLock(settings.data_dir, account_name(settings))
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self.recorder = self._new_recorder()
        self._senders = self._new_senders()
        self.log: EventStore | None = None
        self.archive: Archive | None = None
        self.durable: Durable | None = None
        no_alerts = "a replay raises no alerts" if self.mode == "replay" else None
        self.alerts = AlertDesk(settings.data_dir, self.mode, RuntimeSight(self), no_alerts)

    @property
    def change(self) -> Change:
        """The present state of the connection. Threads: any."""
        return self._dashboard_change if self.connection is None else self.connection.change

    @property
    def connection(self) -> Connection | None:
        """What is known of the session, once there is one. Threads: any."""
        return self.supervisor

    def now_ns(self) -> int:
        """The present that ages are told against: a replay's is its own. Unix ns. Threads: any."""
        return time.time_ns()

    def replay(self) -> dict[str, Any] | None:
        """Return where a replay stands, ``None`` when this is none. Threads: any."""
        return None

    def following(self) -> dict[str, Any] | None:
        """Return which sidecar is followed, ``None`` when this joins the exchange itself. Threads: any."""
        return None

    def brief(self) -> dict[str, Any]:
        """Return mode, state, whether the account is being watched, and the loop's own health. Threads: any."""
        state, pipeline = self.change.state, self.pipeline
        return {
            "mode": self.mode,
            "state": str(state),
            "account": None if self.connection is None else str(self.connection.account),
            "connected": state.is_connected,
            "records": pipeline.counters["records"],
            "duplicates": pipeline.duplicates.count,
            "quarantined": pipeline.quarantine.count,
            "loop_lag": self.lag.figures(),
        }

    def start(self) -> None:
        """Take the owner lock and start the thread; returns when the sidecar listens. Threads: any but the feed's.

        Raises:
            OwnerLocked: If another process owns this account's feed and this is not a dashboard.
            ConfigError: If the data folder or, but for a dashboard, a port cannot be used.
        """
        try:
            self._lock.acquire(self.role)
        except OwnerLocked as error:
            if self.role == "serve":
                raise
            self.owner = self.alerts.book.locked = str(error)
            self._dashboard_change = Change(State.STOPPED, time.time_ns(), self.owner)
            return
        self._thread = threading.Thread(target=self._run, name="coindcx-feed", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_S):
            raise ConfigError(f"expected the feed to start within {START_S:g} s, it did not: see the log file")
        if self._failure is not None:
            self._thread.join(STOP_S)
            if self.role == "serve" or not isinstance(self._failure, ConfigError):
                raise self._failure
            self._dashboard_change = Change(State.STOPPED, time.time_ns(), str(self._failure))

    def stop(self) -> None:
        """Leave the exchange, close every client, free ports and lock. Safe to call twice. At most ``STOP_S``."""
        thread, loop, stopping = self._thread, self._loop, self._stopping
        if thread is not None and thread.is_alive() and loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended by itself
                loop.call_soon_threadsafe(stopping.set)
            thread.join(STOP_S)
        self._lock.release()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive. Threads: any."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:
            self._failure = error
            if not isinstance(error, ConfigError):
                log.exception("feed thread ended")
        finally:
            self._ready.set()
            self._lock.release()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            # The past comes first: a client is greeted when the ring holds it.
            await self._open_log()
            if self.demo is not None:
                await self.pipeline.replay(await asyncio.to_thread(self.demo.start), self.demo.past_note)
            await self._start_sidecar()
            if self.recorder is not None:
                self.recorder.start()
            self.pipeline.on_publish(self.sidecar.notify)
            self.pipeline.on_publish(self.wakeups.notify)
            await self._serve(self._stopping)
        finally:
            await self.sidecar.stop()
            if self.recorder is not None:
                await asyncio.to_thread(self.recorder.stop)
            if self.demo is not None:
                await asyncio.to_thread(self.demo.stop)
            if self.durable is not None:
                await self.durable.close()

    async def _open_log(self) -> None:
        self.log = log_ = await asyncio.to_thread(open_log, self.settings, account_name(self.settings))
        if log_ is None:
            return
        pipeline = self.pipeline
        newest_ns = await asyncio.to_thread(restore, log_, self.ring, self.state, pipeline.dedup)
        if newest_ns:
            self.watch.begin_away(newest_ns, time.time_ns())
        self.durable = Durable(log_, self.ring.epoch, self._on_epoch, self._on_log_back, spill=self.ring.capacity)
        pipeline.store = self.durable
        self.archive = self.sidecar.past = await asyncio.to_thread(Archive, log_)
        if log_.note:
            pipeline.note(log_.note)

    def _on_epoch(self, epoch: str, reason: str) -> None:
        self.ring.begin_epoch(epoch)
        self.pipeline.note(f"not stored from here on: {reason}", epoch=epoch)

    def _on_log_back(self, lost: int) -> None:
        self.pipeline.note("stored again" + (f": {lost} events found no room while they waited" if lost else ""))
        log_, archive = self.log, self.archive
        if log_ is not None and archive is not None and log_.note:
            self.pipeline.note(log_.note)
            asyncio.get_running_loop().run_in_executor(None, archive.refresh)

    async def _serve(self, stopping: asyncio.Event) -> None:
        place = Place(self.settings, self.demo)
        self.reader = reader = place.new_reader()
        receive = self.pipeline.receive if self.recorder is None else self.recorder.tap(self.pipeline.receive)
        channels = self.desk.channels()
        self.supervisor = place.new_supervisor(reader, channels, receive, self._on_change, self._timings)
        public = place.new_market_reader()
        is_asked_for = self.settings.upstream == "on-demand"
        run = run_on_demand(self.supervisor, self.viewers, self.linger_s) if is_asked_for else self.supervisor.run()
        upstream = asyncio.create_task(run, name="upstream")
        pipeline = asyncio.create_task(self.pipeline.run(), name="pipeline")
        tasks = [upstream, pipeline]
        if self.log is not None and self.durable is not None and self.archive is not None:
            tasks.append(asyncio.create_task(keep_marks(self.marks, self.state, self.durable), name="marks"))
            tasks.append(asyncio.create_task(keep_within(self.log, self.archive, self.settings), name="retention"))
        tasks.append(asyncio.create_task(self.lag.watch(), name="lag"))
        public.open()
        keeper = MarketKeeper(self.desk, self.supervisor, MarketReads(public), lambda: self.sidecar.market_types)
        tasks.append(asyncio.create_task(keeper.keep_channels(), name="market-channels"))
        tasks.append(asyncio.create_task(keeper.keep_reading(), name="market-reads"))
        tasks.append(asyncio.create_task(keep_reading(place.api_url, self._take_rate), name="conversion"))
        if reader is not None:
            reader.open()
            self.recovery = Recovery(self.pipeline, AccountReads(reader), self._on_outcome)
            tasks.append(asyncio.create_task(self.recovery.run(), name="recovery"))
            self.suspicion = self._new_suspicion(self.recovery)
            tasks.append(asyncio.create_task(self.suspicion.run(), name="suspicion"))
        alerts = asyncio.create_task(self._run_alerts(), name="alerts")
        waiter = asyncio.create_task(stopping.wait())
        self._ready.set()
        try:
            await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(upstream, alerts)
            self.pipeline.release()
            self.pipeline.finish()
            await asyncio.wait([pipeline], timeout=DRAIN_S)
            results = await end_tasks(waiter, *tasks)
            await public.close()
            if reader is not None:
                await reader.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _run_alerts(self) -> None:
        # Not among the tasks that end the feed: it goes on without alerts, and says so.
        try:
            await self.alerts.run(self.ring, self._senders, self.pipeline.on_publish)
        except Exception:
            log.exception("alerts ended")

    async def _start_sidecar(self) -> None:
        try:
            await self.sidecar.start()
        except ConfigError as error:
            if self.role == "serve":
                raise
            self.sidecar_error = str(error)
            log.error("sidecar not started reason=%r", self.sidecar_error)
        else:
            self._lock.tell(self.settings.sidecar_url(self.sidecar.port))

    def _new_suspicion(self, recovery: Recovery) -> Suspicion:
        given = self.settings
        share = given.odd_crossed_percent / 100
        limits = Thresholds(given.odd_after_s, share, given.odd_mark_age_s, given.odd_lock_s)
        return Suspicion(self.state, self.marks, limits, lambda: self.change.state.is_connected, recovery.compare)

    def _new_senders(self) -> list[Sender]:
        # A replay tells of what was told already, or of what nobody can act on any more.
        return [] if self.mode == "replay" else senders_of(self.settings)

    def _new_recorder(self) -> Recorder | None:
        folder = self.settings.record_dir
        if folder is None or self.mode == "replay":
            return None
        return Recorder(folder, self.mode, redact=self.settings.record_redact)

    def _take_rate(self, rate: Rate) -> None:
        self.rate = rate

    def _on_change(self, change: Change) -> None:
        if not change.state.is_connected:
            self.desk.lose()
        is_repeat = (change.state, change.reason) == self._noted
        self._noted = (change.state, change.reason)
        if is_repeat:  # only the time of the next try is new
            return
        was_connected, self._was_connected = self._was_connected, change.state.is_connected
        gap = self.watch.add(change)
        message = f"upstream {change.state}" + (f": {change.reason}" if change.reason else "")
        self.pipeline.note(message, coindcx_connected=change.state.is_connected, state=str(change.state))
        if change.state.is_connected and not was_connected and self.recovery is not None:
            self.recovery.compare(gap)
        elif gap is not None:
            self._note_gap(self.watch.resolve(gap, None, "not compared: there are no credentials"))

    def _on_outcome(self, outcome: Outcome, gap: Gap | None) -> None:
        if outcome.unknown is None and self.supervisor is not None:
            self.supervisor.prove_account()
        if gap is not None:
            self._note_gap(self.watch.resolve(gap, outcome.recovered, outcome.unknown))

    def _note_gap(self, gap: Gap) -> None:
        state = self.change.state
        self.pipeline.note("upstream_gap", coindcx_connected=state.is_connected, state=str(state), **gap.told())


def account_name(settings: Settings) -> str:
    """Tell accounts apart for the owner lock. Holds the key: never log it."""
    if settings.effective_mode == "demo":
        return "demo"
    return settings.api_key.get_secret_value() if settings.api_key else f"public {settings.stream_url}"
