"""Who gets a connection at all, before a byte is read: places per address and in total. Looks at frames that come."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final, cast

from coindcx_feed.sidecar.audit import Audit
from coindcx_feed.sidecar.callers import Callers, key_of
from coindcx_feed.sidecar.codes import CloseCode
from coindcx_feed.sidecar.guard import SOCKET_PATH
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.rates import Handshakes, Places
from coindcx_feed.sidecar.watch import FrameWatch

_SPARE_FILES: Final = 128
"""Descriptors left to the rest of the process: store, log, exchange, dashboard."""

_UPGRADES: Final = (f"GET {SOCKET_PATH} ".encode(), f"GET {SOCKET_PATH}?".encode())

Inner = Callable[[], asyncio.Protocol]


class Doors:
    """Makes the protocol of every connection of one server; the loop's thread.

    Args:
        inner: Makes aiohttp's own protocol.
    """

    def __init__(self, inner: Inner, limits: Limits, callers: Callers, handshakes: Handshakes, audit: Audit) -> None:
        self._inner, self._limits, self._callers, self._audit = inner, limits, callers, audit
        self._handshakes = handshakes
        self._places = Places(limits.connections_per_ip)
        self._most = min(limits.clients + limits.spare_connections, _most_files())
        self.open = 0
        """Connections that have a place."""

    def __call__(self) -> "Door":
        return Door(self)

    def admits(self, peer: object) -> bool:
        """Say whether a connection is taken at all: not of who goes on after being told to wait. Threads: any."""
        if self._callers.trusts(peer) or not self._handshakes.insists(key_of(peer)):
            return True
        self._audit.note("insisting", str(peer), "too many handshakes after being told so")
        return False

    def enter(self, transport: asyncio.Transport) -> "tuple[asyncio.Protocol, str] | None":
        """Give a connection its place and its handler; ``None`` when it was answered and closed instead."""
        peer = transport.get_extra_info("peername")
        # All callers of a proxy come from its address: they are counted when their request names them.
        ip = "" if self._callers.trusts(peer) else key_of(peer)
        if self.open >= self._most:
            _refuse(transport, 503, "expected a free place, was none: come back later")
            self._audit.note("room", str(peer), "all places are taken", most=self._most)
            return None
        if ip and not self._places.take(ip):
            most = self._limits.connections_per_ip
            _refuse(transport, 429, f"expected at most {most} connections of one address, was more: close some")
            self._audit.note("connections", str(peer), "too many of one address", most=most)
            return None
        self.open += 1
        return self._inner(), ip

    def turn_away(self, transport: asyncio.Transport, ip: str, data: bytes) -> bool:
        """Answer and close a connection that begins with one handshake too many.

        ``Sockets`` would say the same to it, at three times the cost: the others wait while it is said.

        Returns:
            Whether it was turned away.
        """
        if not ip or not data.startswith(_UPGRADES) or not self._handshakes.left_s(ip):
            return False
        message = too_many(self._limits)
        _refuse(transport, 429, message, self._handshakes.wait_s(ip))
        self._audit.note("handshakes", str(transport.get_extra_info("peername")), message)
        return True

    def leave(self, ip: str) -> None:
        """Free the place of a connection that entered."""
        self.open -= 1
        if ip:
            self._places.give_back(ip)


class Door(asyncio.Protocol):
    """One connection: hands everything on to aiohttp's protocol, and looks at frames once it is a socket."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._inner: asyncio.Protocol | None = None
        self._transport: asyncio.Transport | None = None
        """Until something came."""
        self._ip = ""
        self._watch: FrameWatch | None = None
        self._loop = asyncio.get_running_loop()
        self.fault: CloseCode | None = None
        """Why nothing more is read."""
        self.on_fault: Callable[[CloseCode], None] | None = None

    def watch(self, watch: FrameWatch, already: bytes) -> None:
        """Look at every frame from here on.

        Args:
            already: What came behind the request and waits in aiohttp's protocol.
        """
        self._watch = watch
        self.fault = watch.feed(already, self._loop.time())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        entered = self._doors.enter(cast(asyncio.Transport, transport))
        if entered is not None:
            self._inner, self._ip = entered
            self._transport = cast(asyncio.Transport, transport)
            self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is None or self.fault is not None:
            return
        if self._watch is None:
            transport, self._transport = self._transport, None
            if transport is None or not self._doors.turn_away(transport, self._ip, data):
                self._inner.data_received(data)
            return
        self.fault = self._watch.feed(data, self._loop.time())
        self._inner.data_received(data if self.fault is None else data[: self._watch.good_bytes])
        if self.fault is not None and self.on_fault is not None:
            # In the next turn: the session was woken for what came before the fault, and answers that first.
            self._loop.call_soon(self.on_fault, self.fault)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received() if self._inner is not None else None

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._inner is not None:
            self._inner.connection_lost(exc)
            self._inner = None
            self._doors.leave(self._ip)
        self.on_fault = None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()


def door_of(transport: asyncio.BaseTransport | None) -> Door | None:
    """Return the door a connection came through; ``None`` when it is already closed."""
    protocol: Any = transport.get_protocol() if transport is not None else None
    return protocol if isinstance(protocol, Door) else None


def too_many(limits: Limits) -> str:
    """Say that an address made too many handshakes."""
    return f"expected at most {limits.handshakes_per_minute} handshakes a minute, was more: wait"


def _refuse(transport: asyncio.Transport, status: int, message: str, wait_s: int = 10) -> None:
    words = {429: "Too Many Requests", 503: "Service Unavailable"}[status]
    body = json.dumps({"error": message}).encode()
    head = (
        f"HTTP/1.1 {status} {words}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Retry-After: {wait_s}\r\nConnection: close\r\n\r\n"
    )
    transport.write(head.encode() + body)
    transport.close()


def _most_files() -> int:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return 1 << 30
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1 << 30 if soft == resource.RLIM_INFINITY else max(soft - _SPARE_FILES, 16)
