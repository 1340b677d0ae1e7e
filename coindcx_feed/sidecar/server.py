"""The sidecar's HTTP side behind its guard: socket, status, tickets; start and stop. One loop, one thread."""

import asyncio
import logging
import time
from functools import partial

from aiohttp import web

from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.ring import Ring
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.access import Access
from coindcx_feed.sidecar.audit import Audit
from coindcx_feed.sidecar.batch import MarketSource
from coindcx_feed.sidecar.callers import Caller, Callers
from coindcx_feed.sidecar.codes import REASONS, CloseCode
from coindcx_feed.sidecar.doors import Doors, door_of
from coindcx_feed.sidecar.fanout import Fanout
from coindcx_feed.sidecar.guard import CALLER, SOCKET_PATH, STATUS_PATH, TICKET, TICKET_PATH, Guard, Refusal
from coindcx_feed.sidecar.http_errors import HttpHandler
from coindcx_feed.sidecar.http_routes import routes
from coindcx_feed.sidecar.identity import IDENTITY, NOBODY
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.listening import listen
from coindcx_feed.sidecar.query import MARKET_TYPES, parse_query
from coindcx_feed.sidecar.rates import Handshakes, Places
from coindcx_feed.sidecar.resume import Past
from coindcx_feed.sidecar.session import Session, Shared, Status
from coindcx_feed.sidecar.site import Account, Figures, Site
from coindcx_feed.sidecar.tokens import Keys
from coindcx_feed.sidecar.watch import FrameWatch
from coindcx_feed.tickets import LIFETIME_S

_log = logging.getLogger("coindcx_feed.sidecar")


SHOWN = ("mode", "state", "account", "records", "duplicates", "quarantined", "loop_lag")
"""Of the process's status, what a client may see."""


class Sidecar:
    """Offer the ring and the market buffer to scripts.

    ``start``, ``stop`` and ``notify`` belong to one loop, the one that appends to the ring. The counters may be read
    from any thread.

    Args:
        status: Called on that loop for every greeting and status request.
        dashboard_port: Port of the dashboard whose loopback origins may connect; ``None`` when there is none.
    """

    def __init__(
        self,
        ring: Ring,
        market: MarketSource,
        settings: Settings,
        status: Status,
        *,
        dashboard_port: int | None = 8501,
        limits: Limits | None = None,
    ) -> None:
        self._ring = ring
        self._market = market
        self._settings = settings
        self._status = status
        self._limits = limits or Limits.from_settings(settings)
        self._audit = Audit()
        self._callers = Callers.from_settings(settings)
        access, keys = Access.from_settings(settings, dashboard_port), Keys.from_settings(settings)
        self._guard = Guard(access, keys, self._callers, self._audit)
        self._handshakes = Handshakes(self._limits.handshakes_per_minute, time.monotonic)
        self._proxied = Places(self._limits.connections_per_ip)
        self._sessions: set[Session] = set()
        self._shared: Shared | None = None
        self._runner: web.AppRunner | None = None
        self._doors: Doors | None = None
        self._server: asyncio.Server | None = None
        self._tick_handle: asyncio.TimerHandle | None = None
        self.past: Past | None = None
        """The durable log, set before ``start``: where clients older than the ring read on."""
        self.account: Account | None = None
        """The running feed, set before ``start``: what present state and metrics are read from."""
        self.port: int = settings.sidecar_port
        self.slow = 0
        """Clients closed with 4001."""

    @property
    def clients(self) -> int:
        """Clients that got their greeting and are still connected."""
        return sum(1 for session in tuple(self._sessions) if session.reader is not None)

    @property
    def connections(self) -> int:
        """Open connections, also those that said nothing yet. Threads: any."""
        return self._doors.open if self._doors is not None else 0

    @property
    def refusals(self) -> dict[str, int]:
        """Everything refused since the start, by kind. Threads: any."""
        return self._audit.counts

    @property
    def refused(self) -> int:
        return self._audit.total

    @property
    def market_types(self) -> frozenset[str]:
        """Market types that some client reads now. Threads: the loop's."""
        readers = [session.reader for session in self._sessions if session.reader is not None]
        return frozenset().union(*(reader.wants.types & MARKET_TYPES for reader in readers))

    @property
    def sent(self) -> int:
        """Events written since the start, counted once per client."""
        return self._shared.fanout.sent if self._shared else 0

    def notify(self) -> None:
        """Say that the ring or the market buffer got something new. Cheap; before ``start`` it does nothing."""
        if self._shared is not None:
            self._shared.fanout.notify()

    def tell(self, payload: bytes) -> None:
        """Send a message without a number to every client. Threads: the loop's."""
        for session in tuple(self._sessions):
            session.tell(payload)

    async def start(self) -> None:
        """Bind and accept clients.

        Raises:
            ConfigError: One line: the address cannot be bound, or the certificate cannot be used.
        """
        fanout = Fanout(self._ring, self._market, self._limits, self.past)
        self._shared = Shared(self._ring, self._status, self._guard.admit, self._limits, fanout, self.past)
        app = web.Application(middlewares=[self._guard.middleware])
        app.add_routes(routes(self._site()))
        app.router.add_get(SOCKET_PATH, self._serve_socket)
        app.router.add_get(STATUS_PATH, self._serve_status)
        app.router.add_post(TICKET_PATH, self._serve_ticket)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        assert runner.server is not None
        times = {"keepalive_timeout": self._limits.request_s, "lingering_time": self._limits.grace_s}
        handler = partial(HttpHandler, runner.server, self._audit, **times)
        doors = Doors(handler, self._limits, self._callers, self._audit)
        try:
            server = await listen(doors, self._settings)
        except ConfigError:
            await runner.cleanup()
            self._shared = None
            raise
        self._runner, self._doors, self._server = runner, doors, server
        self.port = int(server.sockets[0].getsockname()[1])
        self._tick()
        if self._settings.is_open_to_network:
            _log.warning(
                "sidecar answers the network without TLS: set a certificate, or a proxy before it that has one"
            )
        has_tls = self._settings.sidecar_tls_cert is not None
        _log.info("sidecar listening host=%s port=%d tls=%s", self._settings.sidecar_host, self.port, has_tls)

    async def stop(self) -> None:
        """Close all clients with 1001 and free the port, within 2 s. Harmless when not started."""
        runner, shared = self._runner, self._shared
        if runner is None or shared is None:
            return
        self._runner = None
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        shared.fanout.close()
        if self._server is not None:
            self._server.close()
        for session in self._sessions:
            session.close(CloseCode.SHUTDOWN)
        ends = [asyncio.ensure_future(session.done.wait()) for session in self._sessions]
        if ends:
            await asyncio.wait(ends, timeout=self._limits.grace_s + 0.2)
        for session in self._sessions:
            session.abort()
        await runner.cleanup()
        for end in ends:
            end.cancel()
        self._shared = None

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for session in tuple(self._sessions):
            session.keep_alive(now)
        self._tick_handle = loop.call_later(self._limits.tick_s, self._tick)

    def _site(self) -> Site:
        def figures() -> Figures:
            return Figures(self.clients, self.connections, self.sent, self.slow, self.refusals)

        return Site(self._ring, self._limits, self._status, figures, self.past, self.account)

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        items = [(name, value) for name, value in request.query.items() if name != TICKET]
        query, asked, identity = parse_query(items), frozenset(request.query), request[IDENTITY]
        if identity is not NOBODY:
            query = query._replace(wants=identity.narrow(query.wants, asked))
        caller = request[CALLER]
        self._check_pace(caller)
        if not self._has_room(is_proven=identity is not NOBODY):
            raise Refusal(503, "room", "expected a free place, was none: come back later")
        ws = web.WebSocketResponse(
            compress=False,
            autoping=False,
            autoclose=False,
            max_msg_size=self._limits.message_bytes + 1,
            timeout=self._limits.grace_s,
        )
        if not ws.can_prepare(request).ok:
            raise Refusal(426, "upgrade", "expected a WebSocket upgrade, was a plain request")
        transport, shared, door = request.transport, self._shared, door_of(request.transport)
        if transport is None or shared is None or door is None:
            return ws
        if caller.is_proxied and not self._proxied.take(caller.ip):
            most = self._limits.connections_per_ip
            raise Refusal(429, "connections", f"expected at most {most} sockets of one address, was more", 10)
        try:
            # Whatever came behind the request waits in aiohttp's protocol under this name; nowhere else can it be seen.
            door.watch(FrameWatch(self._limits), request.protocol._message_tail)
            await ws.prepare(request)
            session = Session(shared, ws, transport, query, caller=caller, identity=identity, asked=asked)
            door.on_fault = session.close
            if door.fault is not None:
                session.close(door.fault)
            await self._converse(session)
        finally:
            if caller.is_proxied:
                self._proxied.give_back(caller.ip)
        return ws

    def _check_pace(self, caller: Caller) -> None:
        wait_s = self._handshakes.wait_s(caller.ip)
        if wait_s:
            most = self._limits.handshakes_per_minute
            raise Refusal(429, "handshakes", f"expected at most {most} handshakes a minute, was more: wait", wait_s)

    async def _converse(self, session: Session) -> None:
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            self.slow += session.code is CloseCode.SLOW
            code = session.end_code
            if code is not None and code is not CloseCode.SHUTDOWN:
                self._audit.note(code.name.lower(), session.caller.shown, REASONS[code], code=int(code))

    def _has_room(self, *, is_proven: bool) -> bool:
        unproven = 0 if is_proven else sum(1 for session in self._sessions if not session.is_proven)
        return len(self._sessions) < self._limits.clients and unproven < self._limits.unproven

    async def _serve_status(self, request: web.Request) -> web.Response:
        status = self._status()
        body: dict[str, object] = {"active_connections": self.clients, "coindcx_connected": bool(status["connected"])}
        if request[IDENTITY] is not NOBODY:
            body |= {name: status[name] for name in SHOWN if name in status}
            body |= {"epoch": self._ring.epoch, "seq": self._ring.version, "oldest_seq": self._ring.oldest}
            body |= {"sent": self.sent, "slow": self.slow, "refused": self.refused, "refusals": self.refusals}
        return web.json_response(body)

    async def _serve_ticket(self, request: web.Request) -> web.Response:
        self._check_pace(request[CALLER])
        return web.json_response({"ticket": self._guard.mint(request[IDENTITY]), "expires_in": int(LIFETIME_S)})
