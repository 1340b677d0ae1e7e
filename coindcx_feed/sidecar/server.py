"""The sidecar as a whole: its parts behind one guard, start and stop. One loop, one thread."""

import logging
from functools import partial

from aiohttp import web

from coindcx_feed.errors import ConfigError
from coindcx_feed.feed.ring import Ring
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.accepting import Acceptor
from coindcx_feed.sidecar.access import Access
from coindcx_feed.sidecar.audit import Audit
from coindcx_feed.sidecar.batch import MarketSource
from coindcx_feed.sidecar.callers import Callers
from coindcx_feed.sidecar.doors import Doors
from coindcx_feed.sidecar.fanout import Fanout
from coindcx_feed.sidecar.guard import CALLER, SOCKET_PATH, TICKET_PATH, Guard
from coindcx_feed.sidecar.http_errors import HttpHandler
from coindcx_feed.sidecar.http_routes import routes
from coindcx_feed.sidecar.identity import IDENTITY
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.listening import listen
from coindcx_feed.sidecar.resume import Past
from coindcx_feed.sidecar.session import Shared, Status
from coindcx_feed.sidecar.site import Account, Figures, Site
from coindcx_feed.sidecar.sockets import Sockets
from coindcx_feed.sidecar.tokens import Keys
from coindcx_feed.tickets import LIFETIME_S

_log = logging.getLogger("coindcx_feed.sidecar")


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
        self._sockets = Sockets(self._limits, self._audit)
        self._sessions = self._sockets.sessions
        self._shared: Shared | None = None
        self._runner: web.AppRunner | None = None
        self._doors: Doors | None = None
        self._acceptor: Acceptor | None = None
        self.past: Past | None = None
        """The durable log, set before ``start``: where clients older than the ring read on."""
        self.account: Account | None = None
        """The running feed, set before ``start``: what present state and metrics are read from."""
        self.port: int = settings.sidecar_port

    @property
    def clients(self) -> int:
        """Clients that got their greeting and are still connected."""
        return self._sockets.clients

    @property
    def slow(self) -> int:
        """Clients closed with 4001."""
        return self._sockets.slow

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
        return self._sockets.market_types

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
        shared = Shared(self._ring, self._status, self._guard.admit, self._limits, fanout, self.past)
        self._shared = self._sockets.shared = shared
        app = web.Application(middlewares=[self._guard.middleware])
        app.add_routes(routes(self._site()))
        app.router.add_get(SOCKET_PATH, self._sockets.serve)
        app.router.add_post(TICKET_PATH, self._serve_ticket)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.2)
        await runner.setup()
        assert runner.server is not None
        times = {"keepalive_timeout": self._limits.request_s, "lingering_time": self._limits.grace_s}
        handler = partial(HttpHandler, runner.server, self._audit, **times)
        doors = Doors(handler, self._limits, self._callers, self._sockets.handshakes, self._audit)
        try:
            acceptor = await listen(doors, self._settings)
        except ConfigError:
            await runner.cleanup()
            self._shared = self._sockets.shared = None
            raise
        self._runner, self._doors, self._acceptor = runner, doors, acceptor
        self.port = acceptor.port
        self._sockets.start_ticking()
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
        self._sockets.stop_ticking()
        shared.fanout.close()
        if self._acceptor is not None:
            self._acceptor.close()
        await self._sockets.close()
        await runner.cleanup()
        self._shared = self._sockets.shared = None

    def _site(self) -> Site:
        def figures() -> Figures:
            return Figures(self.clients, self.connections, self.sent, self.slow, self.refusals)

        return Site(self._ring, self._limits, self._status, figures, self.past, self.account)

    async def _serve_ticket(self, request: web.Request) -> web.Response:
        self._sockets.check_pace(request[CALLER])
        return web.json_response({"ticket": self._guard.mint(request[IDENTITY]), "expires_in": int(LIFETIME_S)})
