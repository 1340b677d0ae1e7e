"""What pages see of the feed: plain data only, because the service outlives a reload of the pages' code."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from coindcx_feed.analysis.export import export_events
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import FeedError
from coindcx_feed.exchange.states import Account
from coindcx_feed.feed.alerting import AlertService
from coindcx_feed.feed.depth import Depth
from coindcx_feed.feed.exports import exports_folder
from coindcx_feed.feed.market_service import MarketService
from coindcx_feed.feed.moments import Moments
from coindcx_feed.feed.past import PastService
from coindcx_feed.feed.replay_controls import ReplayControls
from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.feed.since import Since
from coindcx_feed.feed.upstream import Upstream
from coindcx_feed.feed.watch import ON_DEMAND
from coindcx_feed.logs import RecentLines
from coindcx_feed.sidecar.resume import is_given
from coindcx_feed.views import account, divergence, health, rows, series
from coindcx_feed.views.briefly import LONG_S, Briefly

NOT_WATCHING: Final = "not watching: COINDCX_UPSTREAM is on-demand and nobody looked for 30 s"


class FeedService:
    """Reads of one runtime. Every method may be called from any thread and returns plain data."""

    def __init__(self, runtime: FeedRuntime, recent: RecentLines | None = None) -> None:
        self.runtime = runtime
        self.moments = Moments(runtime)
        self.past = PastService(runtime)
        self.replaying = ReplayControls(runtime)
        self.depth = Depth(runtime, self.moments)
        self.market = MarketService(runtime)
        self.since = Since(runtime)
        self.alerts = AlertService(runtime)
        self._recent = recent
        self._orders = account.Orders()
        self._rows = rows.Rows()
        since_ns = runtime.started_ms * 1_000_000
        self._delay = Briefly(lambda: health.delay(runtime.ring, runtime.now_ns(), since_ns), kept_s=LONG_S)
        self._rates = Briefly(lambda: health.rates(runtime.ring, runtime.now_ns(), since_ns), kept_s=LONG_S)
        self._lag = Briefly(runtime.lag.figures, kept_s=LONG_S)

    def signs_in(self) -> bool:
        """Say whether readers sign in with a provider; the start refuses a list of readers without one."""
        return bool(self.runtime.settings.dashboard_users)

    def trusts_emails(self) -> bool:
        """Say whether an address counts that the provider neither vouches for nor doubts."""
        return self.runtime.settings.dashboard_trust_emails

    def may_look(self, email: str | None) -> bool:
        """Say whether a person whom a provider signed in with this address is on the list of readers."""
        return email is not None and email.casefold() in self.runtime.settings.dashboard_users

    def page_opened(self) -> None:
        """Count a browser that looks."""
        self.runtime.viewers.page_opened()

    def page_closed(self) -> None:
        self.runtime.viewers.page_closed()

    def version(self) -> int:
        """The newest ``seq``: moves when there is something new to show."""
        return self.runtime.ring.version

    def epoch(self) -> str:
        """Name the series that the newest ``seq`` belongs to."""
        return self.runtime.ring.epoch

    def epoch_of(self, seq: int) -> str:
        """Name the series that an event belongs to, whether it is in memory or in the log only."""
        return self.runtime.ring.epoch_of(seq)

    def continues(self, seq: int, epoch: str) -> bool:
        """Say whether a reader that has seen a position can go on after it; else it begins anew."""
        return is_given(self.runtime.ring, self.runtime.archive, seq, epoch)

    def listen(self, loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> Callable[[], None]:
        """Set an event of another thread's loop when there is something new; the result ends it."""
        return self.runtime.wakeups.listen(loop, event)

    def status(self) -> dict[str, Any]:
        """Everything the status line shows."""
        runtime, now_ns = self.runtime, self.runtime.now_ns()
        change, ring = runtime.change, runtime.ring
        newest = ring.latest(1)
        next_try = None if change.next_try_s is None else int(change.at_ns / 1e6 + change.next_try_s * 1000)
        return {
            "mode": runtime.mode,
            "state": str(change.state),
            "label": change.state.label,
            "connected": change.state.is_connected,
            "state_since_ms": change.at_ns // 1_000_000,
            "reason": NOT_WATCHING if change.reason == ON_DEMAND else change.reason,
            "viewers": runtime.viewers.count,
            "next_try_ms": next_try,
            **self._proof(now_ns),
            "epoch": ring.epoch,
            "version": ring.version,
            "kept": len(ring),
            "capacity": ring.capacity,
            "last_event_ms": newest[0].received_ns // 1_000_000 if newest else None,
            "last_event_seq": newest[0].seq if newest else None,
            "delay": self._delay(),
            "has_credentials": self._has_credentials(),
            "pairs": list(runtime.desk.pairs),
            "sidecar": self._sidecar(),
            "simulator": {"port": int(runtime.demo.url.rsplit(":", 1)[1])} if runtime.demo else None,
            "owner": runtime.owner,
            "following": runtime.following(),
            "recording": runtime.recorder.status() if runtime.recorder else None,
            "replay": runtime.replay(),
            "started_ms": runtime.started_ms,
            "now_ms": now_ns // 1_000_000,
            "counters": self._counters(),
            "clock_skew": self._clock_skew(),
            "store": self._store(),
            "loop_lag": self._lag(),
            "completeness": health.completeness(runtime.watch, now_ns),
        }

    def _has_credentials(self) -> bool:
        runtime, connection = self.runtime, self.runtime.connection
        if runtime.following() is not None:
            return connection is None or connection.account is not Account.NONE
        return runtime.mode == "demo" or runtime.settings.has_credentials

    def _proof(self, now_ns: int) -> dict[str, Any]:
        connection, following = self.runtime.connection, self.runtime.following()
        if connection is None:
            nothing = {"fact": str(Account.NONE), "since_ms": None, "age_s": None}
            return {"transport": {"proof": None, "age_s": None, "limit_s": 10.0}, "account": nothing, "joins": 0}
        age_s, proof_s = connection.transport_age_s, connection.account_age_s
        proof = "frame" if following is None else "sign of the feed that is followed"
        since_ms = None if proof_s is None else int(now_ns / 1e6 - proof_s * 1000)
        return {
            "transport": {
                "proof": None if age_s is None else proof,
                "age_s": age_s,
                "limit_s": connection.proof_limit_s,
            },
            "account": {"fact": str(connection.account), "since_ms": since_ms, "age_s": proof_s},
            "joins": connection.private_joins,
        }

    def _clock_skew(self) -> dict[str, Any] | None:
        reader = self.runtime.reader
        skew = None if reader is None else reader.skew.estimate()
        return None if skew is None else skew._asdict()

    def _sidecar(self) -> dict[str, Any]:
        runtime, settings = self.runtime, self.runtime.settings
        has_login = settings.sidecar_token is not None or settings.sidecar_jwt_secret is not None
        following = runtime.following()
        if following is not None and not following["serves"]:
            asks = has_login or settings.follow_token is not None
            return {"url": following["address"], "clients": None, "error": None, "has_login": asks}
        if runtime.sidecar_error is not None or not runtime.is_running:
            return {"url": None, "clients": 0, "error": runtime.sidecar_error, "has_login": has_login}
        url = runtime.settings.sidecar_url(runtime.sidecar.port)
        return {"url": url, "clients": runtime.sidecar.clients, "error": None, "has_login": has_login}

    def _store(self) -> dict[str, Any]:
        """Say where events are kept, and what is the matter when they are not."""
        log, durable = self.runtime.log, self.runtime.durable
        if log is None or durable is None:
            return {"engine": "none", "url": None, "outage": None}
        outage = durable.outage
        return {
            "engine": log.engine_name,
            "url": log.url_shown,
            "outage": None if outage is None else outage._asdict(),
        }

    def _counters(self) -> dict[str, int]:
        pipeline, connection = self.runtime.pipeline, self.runtime.connection
        counted = pipeline.counters
        return {
            **{name: counted[name] for name in ("frames", "records", "late", "market", "failures")},
            "events": self.runtime.ring.version,  # all that were ever numbered; "kept" says how many are left
            "duplicates": pipeline.duplicates.count,
            "quarantined": pipeline.quarantine.count,
            "connects": connection.connects if connection else 0,
        }

    def select(
        self, criteria: dict[str, Any], limit: int = 500, upto: int | None = None, after: int = 0
    ) -> dict[str, Any]:
        """Return the newest matching events as rows, newest first, with the counts.

        Raises:
            FeedError: If a criterion is not understood; one line.
        """
        ring = self.runtime.ring
        wanted = EventFilter.from_mapping(criteria)
        found = ring.find(wanted.column_test(), wanted.text_test(), limit, upto, after)
        return {
            "rows": self._rows.of(ring, found.keys),
            "matching": found.matching,
            "kept": found.kept,
            "newest": found.newest,
        }

    def event(self, seq: int) -> dict[str, Any] | None:
        """Return one event with record, changes, timeline and related events, or ``None`` when it is gone."""
        return rows.details(self.runtime.ring, seq)

    def seen(self) -> dict[str, list[str]]:
        """Return the pairs and statuses that ever occurred, for the choices of a filter."""
        ring = self.runtime.ring
        return {"pairs": sorted(ring.pairs), "statuses": list(ring.statuses)}

    def orders(self) -> list[dict[str, Any]]:
        return self._orders.rows(self.runtime.state)

    def order(self, order_id: str) -> dict[str, Any] | None:
        """Return an order and its steps, or ``None``."""
        found = account.order(self.runtime.state, order_id)
        return None if found is None else {"order": found, "steps": series.order_steps(self.runtime.ring, order_id)}

    def positions(self) -> list[dict[str, Any]]:
        return account.positions(self.runtime.state, self.runtime.marks, self.runtime.now_ns())

    def position_series(self, position_id: str, since_ms: float) -> dict[str, Any] | None:
        runtime = self.runtime
        now_ms = runtime.now_ns() / 1e6
        return series.position_series(runtime.ring, runtime.state, runtime.marks, position_id, since_ms, now_ms)

    def balances(self) -> list[dict[str, Any]]:
        rate = self.runtime.rate
        return account.balances(self.runtime.state, rate.rate if rate else None, rate.at_ms if rate else None)

    def balance_series(self, currency: str, since_ms: float) -> dict[str, Any]:
        return series.balance_series(self.runtime.ring, self.runtime.state, currency, since_ms)

    def conversion(self) -> dict[str, Any] | None:
        """Return rupees per USDT with its time, or ``None`` when it was never read."""
        rate = self.runtime.rate
        return None if rate is None else {"rate": str(rate.rate), "at_ms": rate.at_ms, "source": "exchange"}

    def gaps(self) -> list[dict[str, Any]]:
        return health.gaps(self.runtime.watch)

    def divergence(self) -> dict[str, Any]:
        """Compare the state from the stream with the last REST snapshot, field by field."""
        recovery = self.runtime.recovery
        if recovery is None or recovery.last is None:
            return {"at_ms": None, "compared": 0, "unknown": None, "rows": []}
        return divergence.board(self.runtime.ring, self.runtime.state, recovery.snapshot, recovery.last)

    def feed(self) -> dict[str, Any]:
        """Everything the Feed page shows beside the status."""
        runtime, now_ns = self.runtime, self.runtime.now_ns()
        rates, delays = self._rates()
        return {
            "states": health.states(runtime.watch, now_ns / 1e6),
            "gaps": self.gaps(),
            "rates": rates,
            "delays": delays,
            "quarantine": health.kept_apart(runtime.pipeline.quarantine),
            "duplicates": health.kept_apart(runtime.pipeline.duplicates),
            "quirks": health.quirks(runtime.pipeline.quirks),
            "odd": [odd._asdict() for odd in runtime.suspicion.present] if runtime.suspicion else [],
            "divergence": self.divergence(),
            "log": self._recent.lines() if self._recent else [],
        }

    def watch_pair(self, pair: str) -> dict[str, Any]:
        """Join a pair's market data now and after each start: ``ok``, and a ``message`` when it is not."""
        return self.market.watch(pair)

    def unwatch_pair(self, pair: str) -> dict[str, Any]:
        """Leave a pair's market data, now and after each start."""
        return self.market.unwatch(pair)

    def export(
        self, criteria: dict[str, Any], kind: str = "csv", upto: int | None = None, after: int = 0
    ) -> dict[str, Any]:
        """Write all matching events to a file in the data folder and say where.

        Raises:
            FeedError: If a criterion or the kind is not understood, or the folder cannot be written.
        """
        runtime = self.runtime
        folder = exports_folder(runtime.settings)
        wanted = EventFilter.from_mapping(criteria)
        return export_events(
            runtime.ring, wanted, kind, folder, mode=runtime.mode, gaps=self.gaps(), upto=upto, after=after
        )

    def place_order(
        self, side: str, pair: str, qty: str, price: str | None = None, leverage: str | None = None
    ) -> dict[str, Any]:
        """Place an order on the embedded exchange; there is no way to reach the real one."""
        return self._on_simulator(lambda demo: demo.place_order(side, pair, qty, price, leverage))

    def cancel_order(self, order_id: str) -> dict[str, Any]:
        return self._on_simulator(lambda demo: demo.cancel_order(order_id))

    def _on_simulator(self, call: Callable[[Upstream], str]) -> dict[str, Any]:
        demo = self.runtime.demo
        if demo is None:
            return {"ok": False, "message": "orders exist in demo mode only: this tool cannot write to an account"}
        try:
            return {"ok": True, "message": call(demo)}
        except FeedError as error:
            return {"ok": False, "message": str(error)}
