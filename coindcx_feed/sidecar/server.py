"""The sidecar's HTTP side: lists before the upgrade, status, start and stop. One loop, one thread."""

import asyncio
import errno
import logging
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from coindcx_feed.errors import BadRequest, ConfigError
from coindcx_feed.feed.ring import Ring
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.access import Access, Proof, printable
from coindcx_feed.sidecar.batch import MarketSource
from coindcx_feed.sidecar.codes import CloseCode
from coindcx_feed.sidecar.fanout import Fanout
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import MARKET_TYPES, parse_query
from coindcx_feed.sidecar.resume import Past
from coindcx_feed.sidecar.session import Session, Shared, Status

SOCKET_PATH: Final = "/api/v1/ws/coindcx"
STATUS_PATH: Final = "/api/v1/ws/status"

_log = logging.getLogger("coindcx_feed.sidecar")


SHOWN = ("mode", "state", "records", "duplicates", "quarantined", "loop_lag")
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
        self._limits = limits or Limits()
        self._access = Access.from_settings(settings, dashboard_port)
        self._sessions: set[Session] = set()
        self._shared: Shared | None = None
        self._runner: web.AppRunner | None = None
        self._tick_handle: asyncio.TimerHandle | None = None
        self.past: Past | None = None
        """The durable log, set before ``start``: where clients older than the ring read on."""
        self.port: int = settings.sidecar_port
        self.refused = 0
        self.slow = 0
        """Clients closed with 4001."""

    @property
    def clients(self) -> int:
        """Clients that got their greeting and are still connected."""
        return sum(1 for session in tuple(self._sessions) if session.reader is not None)

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

    async def start(self) -> None:
        """Bind and accept clients.

        Raises:
            ConfigError: One line, when the address cannot be bound.
        """
        fanout = Fanout(self._ring, self._market, self._limits, self.past)
        self._shared = Shared(self._ring, self._status, self._access, self._limits, fanout, self.past)
        app = web.Application(middlewares=[self._guard])
        app.router.add_get(SOCKET_PATH, self._serve_socket)
        app.router.add_get(STATUS_PATH, self._serve_status)
        app.router.add_options(STATUS_PATH, self._serve_preflight)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        host, port = self._settings.sidecar_host, self._settings.sidecar_port
        try:
            await web.TCPSite(runner, host, port, backlog=self._limits.backlog).start()
        except OSError as problem:
            await runner.cleanup()
            self._shared = None
            raise ConfigError(_bind_message(host, port, problem)) from None
        self._runner = runner
        self.port = int(runner.addresses[0][1])
        self._tick()
        _log.info("sidecar listening host=%s port=%d", host, self.port)

    async def stop(self) -> None:
        """Close all clients with 1001 and free the port, within 2 s. Harmless when not started."""
        runner, shared = self._runner, self._shared
        if runner is None or shared is None:
            return
        self._runner = None
        if self._tick_handle is not None:
            self._tick_handle.cancel()
        shared.fanout.close()
        for site in list(runner.sites):
            await site.stop()
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

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = request.headers
        refusal = self._access.refusal(headers.getall(hdrs.HOST, []), headers.getall(hdrs.ORIGIN, []))
        if refusal is not None:
            return self._refuse(request, 403, refusal)
        try:
            return await handler(request)
        except web.HTTPException as problem:
            message = f"expected {SOCKET_PATH} or {STATUS_PATH}, was {request.method} {printable(request.path)}"
            return self._refuse(request, problem.status, message)

    async def _serve_socket(self, request: web.Request) -> web.StreamResponse:
        try:
            query = parse_query(request.query.items())
        except BadRequest as problem:
            return self._refuse(request, 400, str(problem))
        proof = self._access.proof(request.headers.getall(hdrs.AUTHORIZATION, []))
        if proof is Proof.WRONG:
            return self._refuse(request, 401, "expected the configured token, was another: correct it")
        is_proven = proof is not Proof.ABSENT
        if not self._has_room(is_proven):
            return self._refuse(request, 503, "expected a free place, was none: come back later")
        ws = web.WebSocketResponse(
            compress=False,
            autoping=False,
            autoclose=False,
            max_msg_size=self._limits.message_bytes + 1,
            timeout=self._limits.grace_s,
        )
        if not ws.can_prepare(request).ok:
            return self._refuse(request, 426, "expected a WebSocket upgrade, was a plain request")
        await ws.prepare(request)
        transport, shared = request.transport, self._shared
        if transport is not None and shared is not None:
            await self._converse(Session(shared, ws, transport, query, client=_address(transport), is_proven=is_proven))
        return ws

    async def _converse(self, session: Session) -> None:
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            self.slow += session.code is CloseCode.SLOW

    def _has_room(self, is_proven: bool) -> bool:
        unproven = 0 if is_proven else sum(1 for session in self._sessions if not session.is_proven)
        return len(self._sessions) < self._limits.clients and unproven < self._limits.unproven

    async def _serve_status(self, request: web.Request) -> web.Response:
        status = self._status()
        proof = self._access.proof(request.headers.getall(hdrs.AUTHORIZATION, []))
        if proof is Proof.WRONG:
            return self._refuse(request, 401, "expected the configured token, was another: correct it")
        body: dict[str, object] = {"active_connections": self.clients, "coindcx_connected": bool(status["connected"])}
        if proof is not Proof.ABSENT:
            body |= {name: status[name] for name in SHOWN if name in status}
            body |= {"epoch": self._ring.epoch, "seq": self._ring.version, "oldest_seq": self._ring.oldest}
            body |= {"sent": self.sent, "slow": self.slow, "refused": self.refused}
        return self._json(request, body, 200)

    async def _serve_preflight(self, request: web.Request) -> web.Response:
        allowed = {"Access-Control-Allow-Methods": "GET", "Access-Control-Allow-Headers": "Authorization"}
        return web.Response(status=204, headers=allowed | self._cors(request))

    def _refuse(self, request: web.Request, status: int, message: str) -> web.Response:
        self.refused += 1
        client, path = _address(request.transport), printable(request.path)
        _log.info('request refused client=%s status=%d path=%s reason="%s"', client, status, path, message)
        return self._json(request, {"error": message}, status)

    def _json(self, request: web.Request, body: dict[str, object], status: int) -> web.Response:
        return web.json_response(body, status=status, headers=self._cors(request))

    def _cors(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get(hdrs.ORIGIN)
        listed = {"Access-Control-Allow-Origin": origin} if origin in self._access.origins and origin else {}
        return {"Vary": "Origin", **listed}


def _address(transport: asyncio.BaseTransport | None) -> str:
    peer = transport.get_extra_info("peername") if transport is not None else None
    return f"{peer[0]}:{peer[1]}" if peer else "unknown"


def _bind_message(host: str, port: int, problem: OSError) -> str:
    place = f"port {port} on {host}"
    if problem.errno == errno.EADDRINUSE:
        return f"{place} is in use by another process: stop that process or set COINDCX_SIDECAR_PORT"
    if problem.errno == errno.EACCES:
        return f"{place} may not be bound by this user: set COINDCX_SIDECAR_PORT to 1024 or more"
    return f"{place} cannot be bound ({problem.strerror or problem}): correct COINDCX_SIDECAR_HOST"
