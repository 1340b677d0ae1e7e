"""The socket side of a server: which upgrades get a place, and the conversations that go on."""

import asyncio
import time

from aiohttp import web

from coindcx_feed.sidecar.audit import Audit
from coindcx_feed.sidecar.callers import Caller
from coindcx_feed.sidecar.codes import CloseCode
from coindcx_feed.sidecar.doors import door_of, too_many
from coindcx_feed.sidecar.guard import CALLER, TICKET, Refusal
from coindcx_feed.sidecar.identity import IDENTITY, NOBODY
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.query import MARKET_TYPES, parse_query
from coindcx_feed.sidecar.rates import Handshakes, Places
from coindcx_feed.sidecar.session import Session, Shared
from coindcx_feed.sidecar.watch import FrameWatch


class Sockets:
    """All sessions of one server. Methods belong to the loop; counters may be read from any thread."""

    def __init__(self, limits: Limits, audit: Audit) -> None:
        self._limits = limits
        self._audit = audit
        self.handshakes = Handshakes(limits.handshakes_per_minute, limits.refusals_per_minute, time.monotonic)
        self._proxied = Places(limits.connections_per_ip)
        self._tick_handle: asyncio.TimerHandle | None = None
        self.sessions: set[Session] = set()
        self.shared: Shared | None = None
        self.slow = 0
        """Clients closed with 4001."""

    @property
    def clients(self) -> int:
        """Clients that got their greeting and are still connected."""
        return sum(1 for session in tuple(self.sessions) if session.reader is not None)

    @property
    def market_types(self) -> frozenset[str]:
        """Market types that some client reads now."""
        readers = [session.reader for session in self.sessions if session.reader is not None]
        return frozenset().union(*(reader.wants.types & MARKET_TYPES for reader in readers))

    def start_ticking(self) -> None:
        """Keep all sessions alive from now on."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for session in tuple(self.sessions):
            session.keep_alive(now)
        self._tick_handle = loop.call_later(self._limits.tick_s, self.start_ticking)

    def stop_ticking(self) -> None:
        if self._tick_handle is not None:
            self._tick_handle.cancel()

    async def close(self) -> None:
        """Close all sessions with 1001, and cut those that do not answer within ``grace_s``."""
        for session in self.sessions:
            session.close(CloseCode.SHUTDOWN)
        ends = [asyncio.ensure_future(session.done.wait()) for session in self.sessions]
        if ends:
            await asyncio.wait(ends, timeout=self._limits.grace_s + 0.2)
        for session in self.sessions:
            session.abort()
        for end in ends:
            end.cancel()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Upgrade a request and converse until the connection ends.

        Raises:
            BadRequest, NotAuthorized, Refusal: One line, before the upgrade.
        """
        items = [(name, value) for name, value in request.query.items() if name != TICKET]
        query, asked, identity = parse_query(items), frozenset(request.query), request[IDENTITY]
        if identity is not NOBODY:
            query = query._replace(wants=identity.narrow(query.wants, asked))
        caller = request[CALLER]
        self.check_pace(caller)
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
        transport, shared, door = request.transport, self.shared, door_of(request.transport)
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

    def check_pace(self, caller: Caller) -> None:
        """Count a handshake, or what leads to one.

        Raises:
            Refusal: There were too many of this address.
        """
        wait_s = self.handshakes.wait_s(caller.ip)
        if wait_s:
            raise Refusal(429, "handshakes", too_many(self._limits), wait_s)

    async def _converse(self, session: Session) -> None:
        self.sessions.add(session)
        try:
            await session.run()
        finally:
            self.sessions.discard(session)
            self.slow += session.code is CloseCode.SLOW
            code = session.end_code
            if code is not None and code is not CloseCode.SHUTDOWN:
                self._audit.note(code.name.lower(), session.caller.shown, session.end_reason, code=int(code))

    def _has_room(self, *, is_proven: bool) -> bool:
        unproven = 0 if is_proven else sum(1 for session in self.sessions if not session.is_proven)
        return len(self.sessions) < self._limits.clients and unproven < self._limits.unproven
