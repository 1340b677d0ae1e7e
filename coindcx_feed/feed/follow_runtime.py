"""The runtime of a follower: another process's sidecar where the session would be, the same ring, pages and sidecar.

It takes no owner lock, joins no exchange, makes no REST reads, keeps no log and raises no alerts.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from coindcx_feed.client.subscribe import request
from coindcx_feed.events import iso_ms, new_epoch, new_id
from coindcx_feed.exchange.states import Change, Connection
from coindcx_feed.feed.desk import Desk
from coindcx_feed.feed.durable import NoStore
from coindcx_feed.feed.follow_link import MOST_DELAY_S, SAYS, Link
from coindcx_feed.feed.follow_mirror import FollowDesk, FollowedPairs, FollowRing, Mirror
from coindcx_feed.feed.follow_start import NEWEST
from coindcx_feed.feed.owner import OwnerLock, OwnerNote
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.runtime import FeedRuntime, Role, account_name
from coindcx_feed.feed.stage import ReplayState
from coindcx_feed.feed.tasks import end_tasks
from coindcx_feed.feed.watch import Gap
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.server import Sidecar

UNKNOWN: Final = "unknown"
"""Mode before the other process has greeted."""
NO_ALERTS: Final = "alerts are raised by the process that joins the exchange, not by those that follow it"
FIRST_S: Final = 5.0
"""How long the start waits for the other process; a follower then starts all the same, and says so."""

log = logging.getLogger(__name__)


class NoLock(OwnerLock):
    """Of a process that owns no feed."""

    def acquire(self, role: str, sidecar: str | None = None) -> None:
        """Nothing is taken: the owner goes on."""

    def tell(self, sidecar: str) -> None:
        """There is nobody to be told."""


class FollowRuntime(FeedRuntime):
    """Follows another process. What only a session has stays as before the first one.

    Args:
        settings: Checked settings.
        role: As for any runtime.
        url: Address of the other process's sidecar.
        token: Its token, if it wants one.
        dashboard_port: As for any runtime.
        owner: Who runs the other process, when it is known. Scripts of this machine then use its own sidecar, and none
            is opened here.
    """

    def __init__(
        self,
        settings: Settings,
        role: Role,
        url: str,
        token: str | None = None,
        dashboard_port: int | None = None,
        owner: OwnerNote | None = None,
    ) -> None:
        super().__init__(settings, role, dashboard_port)
        self.mode = UNKNOWN
        self.alerts.book.locked = NO_ALERTS
        ring, state = FollowRing(settings.ring_capacity, new_epoch()), ReplayState()
        self.ring, self.state = ring, state
        self.desk: Desk = FollowDesk((), FollowedPairs(), self.marks, state.open_pairs)
        self.desk.names_error = "the pairs are those of the feed that is followed"
        self.pipeline = Pipeline(ring, self.market, self.marks, state, NoStore())
        self.pipeline.on_market = self._take_market
        self.sidecar = Sidecar(ring, self.market, settings, self.brief, dashboard_port=dashboard_port)
        self.sidecar.account = self
        self._lock = NoLock(settings.data_dir, "follow")
        self._serves = owner is None
        self._mirror = Mirror(
            self.pipeline, ring, state, self._publish, self._miss, self._take_system, self._begin_anew
        )
        wanted = request(url, ["all"], None, token, float(settings.proof_limit_s))
        wanted = wanted._replace(most_delay_s=MOST_DELAY_S)
        who = None if owner is None else f"process {owner.pid}"
        most = min(NEWEST, settings.ring_capacity)
        self.link = Link(wanted, self._mirror.take, self._mirror.begin, self._on_greeting, self._on_change, who, most)
        self._greeted, self._serving = asyncio.Event(), asyncio.Event()
        self._missing: list[str] = []
        self._taken_before = 0
        self._told_gap: Gap | None = None

    @property
    def connection(self) -> Connection | None:
        """The link. Threads: any."""
        return self.link

    def following(self) -> dict[str, Any] | None:
        """Return address and owner of the other process, whether it answers, and whether this one serves scripts too.

        Threads: any.
        """
        link = self.link
        return {"address": link.address, "owner": link.owner, "is_up": link.is_up, "serves": self._serves}

    def _new_recorder(self) -> None:
        """No frames arrive here."""

    async def _open_log(self) -> None:
        """Keep nothing: the log of what is shown is the other process's."""

    async def _start_sidecar(self) -> None:
        """Later: there is nothing to greet a client with before the other process has greeted."""

    async def _serve(self, stopping: asyncio.Event) -> None:
        waiter = asyncio.create_task(stopping.wait())
        tasks = [
            asyncio.create_task(self.link.run(), name="follow"),
            asyncio.create_task(self._serve_scripts(), name="sidecar"),
            asyncio.create_task(self.lag.watch(), name="lag"),
        ]
        first = asyncio.create_task(self._serving.wait())
        try:
            await asyncio.wait([waiter, first, *tasks], timeout=FIRST_S, return_when=asyncio.FIRST_COMPLETED)
            if not any(task.done() for task in tasks):
                self._ready.set()
            await asyncio.wait([waiter, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            results = await end_tasks(waiter, first, *tasks)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _serve_scripts(self) -> None:
        await self._greeted.wait()
        if self._serves:
            await super()._start_sidecar()
        self._serving.set()
        await asyncio.Event().wait()

    def _on_greeting(self, data: Mapping[str, Any]) -> None:
        mode = str(data["mode"])
        if self.mode not in (mode, UNKNOWN):
            log.warning("the feed that is followed changed its mode before=%s now=%s", self.mode, mode)
            self._mirror.begin_anew()
        self.mode = mode
        self._greeted.set()

    def _publish(self) -> None:
        self.sidecar.notify()
        self.wakeups.notify()

    def _take_market(self, event: str, item: Any, received_ns: int) -> None:
        if isinstance(self.desk, FollowDesk):
            self.desk.meet(item.pair if item.type == "trade" else None)
        self.desk.take(event, item, received_ns)

    def _miss(self, what: str) -> None:
        self._missing.append(what)
        self.link.miss(what)

    async def _begin_anew(self) -> None:
        """Send every client away: its place means nothing any more, and coming back it is told so."""
        if self._serving.is_set() and self._serves:
            await self.sidecar.stop()
            await super()._start_sidecar()

    def _on_change(self, change: Change) -> None:
        if not change.state.is_connected:
            self.desk.lose()
        is_repeat = (change.state, change.reason) == self._noted
        self._noted = (change.state, change.reason)
        if is_repeat:
            return
        was_connected, self._was_connected = self._was_connected, change.state.is_connected
        if was_connected and not change.state.is_connected:
            self._taken_before, self._missing = self._mirror.taken, []
        gap = self.watch.add(change)
        if gap is not None:
            self._resolve(gap)
        self._tell(change)

    def _resolve(self, gap: Gap) -> None:
        """Complete a gap: what came after it was read on from the other process, unless that says what is missing."""
        is_told, missing = SAYS in gap.cause, "; ".join(self._missing) or None
        recovered = self._mirror.taken - self._taken_before
        self._told_gap = gap if is_told and missing is None else None
        if self._told_gap is None:
            self.watch.resolve(gap, recovered, missing, is_read_on=True)
        self._missing = []

    def _take_system(self, data: Mapping[str, Any]) -> None:
        """Complete a gap of the other process as it does itself, after it has compared with the exchange."""
        if data.get("message") != "upstream_gap":
            return
        recovered, unknown = data.get("recovered"), data.get("unknown")
        if self._told_gap is not None:
            self.watch.resolve(self._told_gap, recovered, unknown)
            self._told_gap = None
        elif unknown and not self.change.state.is_connected:
            self._missing.append(f"{self.link.address}{SAYS}{unknown}")

    def _tell(self, change: Change) -> None:
        # Without a number: those are the other process's, and it does not know of this link.
        state = change.state
        message = f"upstream {state}" + (f": {change.reason}" if change.reason else "")
        data = {"message": message, "coindcx_connected": state.is_connected, "state": str(state)}
        head = {"id": new_id(), "timestamp": iso_ms(change.at_ns), "type": "system"}
        self.sidecar.tell(msgspec.json.encode({**head, "data": data}))


def follow_owner(settings: Settings, role: Role, dashboard_port: int | None = None) -> FollowRuntime | None:
    """Build the runtime that follows the process which owns this account's feed, ``None`` if it offers nothing."""
    note = OwnerLock(settings.data_dir, account_name(settings)).note()
    if note is None or note.sidecar is None:
        return None
    secret = settings.follow_token or settings.sidecar_token
    token = None if secret is None else secret.get_secret_value()
    return FollowRuntime(settings, role, note.sidecar, token, dashboard_port, note)
