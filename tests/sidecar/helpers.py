"""A sidecar on a free port with a ring to fill, clients that read it, and waiting on a condition with a deadline."""

import asyncio
import base64
import os
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
import msgspec
from pydantic import SecretStr

from coindcx_feed.errors import ConfigError
from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.exchange.records import Record
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.normalize import MarketItem, MarketType
from coindcx_feed.feed.ring import Ring
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.guard import SOCKET_PATH, STATUS_PATH
from coindcx_feed.sidecar.limits import Limits
from coindcx_feed.sidecar.server import Sidecar

DEADLINE_S = 10.0
EPOCH = "20260101T000000-0badcafe"
TOKEN = "canary-9f3c1b7a5e2d4860"


async def eventually(condition: Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Return when a condition holds; fail after the deadline."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + deadline_s
    while not condition():
        assert loop.time() < end_s, "the condition did not come true in time"
        await asyncio.sleep(0.005)


def event(seq: int, kind: str = "order", pair: str | None = "B-BTC_USDT", padding: int = 0, **facts: Any) -> Event:
    """Build an event whose record names its own ``seq``, so that a reader can prove what it got."""
    record = msgspec.json.encode({"id": f"{kind}-{seq}", "n": seq, "pair": pair, "pad": "x" * padding, **facts})
    now = time.time_ns()
    body, at = encode_envelope(seq, EventType(kind), Source.STREAM, now, record)
    about = Facts(f"{kind}-{seq}", pair, **facts)
    return Event(seq, EventType(kind), Source.STREAM, now, about, body, at, len(record))


class World:
    """A sidecar with what it reads from. Use as an asynchronous context."""

    def __init__(
        self,
        *,
        capacity: int = 1000,
        ring: Ring | None = None,
        market: MarketFeed | None = None,
        token: str | None = None,
        jwt_secret: str | None = None,
        limits: Limits | None = None,
        **settings: Any,
    ) -> None:
        secret = SecretStr(token) if token is not None else None
        self.ring = Ring(capacity, EPOCH) if ring is None else ring
        self.market = MarketFeed() if market is None else market
        self.status: dict[str, object] = {"mode": "demo", "state": "live", "connected": True, "has_credentials": True}
        signing = SecretStr(jwt_secret) if jwt_secret is not None else None
        self.settings = Settings(
            sidecar_port=settings.pop("port", 0), sidecar_token=secret, sidecar_jwt_secret=signing, **settings
        )
        limits = limits or Limits(connections_per_ip=10_000, handshakes_per_minute=100_000)
        self.sidecar = Sidecar(self.ring, self.market, self.settings, lambda: self.status, limits=limits)
        self.http = aiohttp.ClientSession()

    async def __aenter__(self) -> Self:
        try:
            await self.sidecar.start()
        except ConfigError:
            await self.http.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.close()
        await self.sidecar.stop()

    def publish(
        self, kind: str = "order", pair: str | None = "B-BTC_USDT", *, count: int = 1, padding: int = 0, **facts: Any
    ) -> None:
        """Append events and tell the sidecar, as the pipeline does. ``facts``: side, status, price, message."""
        for _ in range(count):
            self.ring.append(event(self.ring.version + 1, kind, pair, padding, **facts))
        self.sidecar.notify()

    def publish_market(self, kind: MarketType = "trade", pair: str | None = "B-BTC_USDT", *, count: int = 1) -> None:
        for _ in range(count):
            raw = msgspec.json.encode({"n": self.market.version + 1})
            self.market.append(MarketItem(kind, Record(), raw, pair, None), time.time_ns())
        self.sidecar.notify()

    def url(self, query: str = "", path: str = SOCKET_PATH, scheme: str = "ws") -> str:
        return f"{scheme}://127.0.0.1:{self.sidecar.port}{path}" + (f"?{query}" if query else "")

    async def get(self, path: str, query: str = "", **headers: str) -> tuple[int, Any]:
        """Ask a route; return the status and the JSON of the answer, with every fraction as text."""
        async with self.http.get(self.url(query, path, "http"), headers=headers) as answer:
            raw = await answer.read()
            assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
            return answer.status, msgspec.json.decode(raw)

    @property
    def status_url(self) -> str:
        return self.url(path=STATUS_PATH, scheme="http")

    @asynccontextmanager
    async def connect(self, query: str = "", **options: Any) -> "AsyncIterator[Client]":
        """Open a client and, unless a token is configured, read its greeting."""
        async with self.http.ws_connect(self.url(query), **options) as ws:
            client = Client(ws)
            if self.settings.sidecar_token is None:
                client.greeting = await client.next()
            yield client

    async def refusal(self, query: str = "", **headers: str) -> tuple[int, str]:
        """Try to connect; return the status and the error line of the refusal."""
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        async with self.http.get(self.url(query, scheme="http"), headers=upgrade | headers) as answer:
            text = await answer.text()
            assert "\n" not in text
            return answer.status, msgspec.json.decode(text)["error"]


class Client:
    """Reads one WebSocket; every read has a deadline."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.greeting: dict[str, Any] = {}

    async def text(self) -> str:
        return await asyncio.wait_for(self.ws.receive_str(), DEADLINE_S)

    async def next(self) -> Any:
        return msgspec.json.decode(await self.text())

    async def ask(self, **message: Any) -> Any:
        """Send a message; return the next one, which is its answer when nothing is published meanwhile."""
        await self.ws.send_str(msgspec.json.encode(message).decode())
        return await self.next()

    async def seqs(self, count: int) -> list[int]:
        return [(await self.next())["seq"] for _ in range(count)]

    async def end(self) -> tuple[int | None, str | None]:
        """Read on until the server closes; return the code and its reason."""
        while True:
            message = await asyncio.wait_for(self.ws.receive(), DEADLINE_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return self.ws.close_code, message.extra


class RawClient:
    """A WebSocket by hand: it reads only when told to, and may break the protocol."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.head = b""
        self.rest = b""

    @classmethod
    async def open(cls, world: World, query: str = "", receive_bytes: int | None = None, head: bytes = b"") -> Self:
        sock = socket.socket()
        if receive_bytes is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", world.sidecar.port))
        client = cls(sock)
        key = base64.b64encode(os.urandom(16))
        target = f"{SOCKET_PATH}?{query}" if query else SOCKET_PATH
        await client.send(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n".encode()
            + head
            + b"\r\n"
        )
        while b"\r\n\r\n" not in client.rest:
            client.rest += await client.read()
        client.head, _, client.rest = client.rest.partition(b"\r\n\r\n")
        return client

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self, most: int = 65_536) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.sock, most), DEADLINE_S)

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame's first byte and payload."""
        await self._fill(2)
        size, at = self.rest[1], 2
        if size == 126:
            await self._fill(4)
            size, at = int.from_bytes(self.rest[2:4], "big"), 4
        elif size == 127:
            await self._fill(10)
            size, at = int.from_bytes(self.rest[2:10], "big"), 10
        await self._fill(at + size)
        first, payload = self.rest[0], self.rest[at : at + size]
        self.rest = self.rest[at + size :]
        return first, payload

    async def _fill(self, size: int) -> None:
        while len(self.rest) < size:
            data = await self.read()
            if not data:
                raise EOFError
            self.rest += data

    def close(self) -> None:
        self.sock.close()


def masked(opcode: int, payload: bytes, *, is_final: bool = True) -> bytes:
    """Build a client's frame; the mask is zero, which leaves the payload readable."""
    size = len(payload)
    first = (0x80 if is_final else 0) | opcode
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 0x10000:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8, "big")
    return head + bytes(4) + payload
