"""The servers that the fan-out is measured beside. Run as a script it is one of them: ``fanout_servers.py ours max 100
2400`` prints its port, waits for 100 clients, sends 2,400 events and prints what it spent.

Ways to send: ``max`` one event per turn of the loop, as fast as possible; ``turn`` ten; ``rate:N`` N a second; ``idle``
none.
"""

import asyncio
import base64
import gc
import hashlib
import json
import logging
import os
import resource
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.ring import Ring
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.frames import text_frame
from coindcx_feed.sidecar.server import SOCKET_PATH, Sidecar

TURN: Final = 10
"""Events of one turn of the loop in the mode ``turn``."""
MOST_UNSENT: Final = 64 * 1024
MARK: Final = b'"mono_ns":'
TWENTY_DIGITS: Final = 10**19
"""Added to times, so that all are written with the same number of digits."""
SETTINGS: Final = Settings(
    sidecar_port=0, sidecar_max_connections_per_ip=5000, sidecar_max_handshakes_per_minute=50_000
)
"""All clients of a measurement have one address."""
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


# ---- servers ----


def new_event(seq: int) -> Event:
    """Build an order of the usual size (430 bytes) that carries the time of its birth."""
    record = (
        f'{{{MARK.decode()}{TWENTY_DIGITS + time.monotonic_ns()},"id":"8f2f1c62-5d0e-4b0a-9a0f-2c9d7a3f1b55",'
        '"pair":"B-BTC_USDT","side":"buy","status":"partially_filled","order_type":"limit_order","price":67123.5,"avg_price":67120.25,'
        '"total_quantity":0.125,"remaining_quantity":0.0625,"leverage":10.0,"updated_at":1719922334456}'
    )
    now = time.time_ns()
    body, at = encode_envelope(seq, EventType.ORDER, Source.STREAM, now, record.encode())
    return Event(seq, EventType.ORDER, Source.STREAM, now, Facts("8f2f1c62", "B-BTC_USDT"), body, at, len(record))


class Ours:
    """The sidecar as it is."""

    async def start(self) -> int:
        self.ring = Ring(100_000, "benchmark")
        status = {"mode": "demo", "state": "live", "connected": True}
        self.sidecar = Sidecar(self.ring, MarketFeed(), SETTINGS, lambda: status)
        await self.sidecar.start()
        return self.sidecar.port

    def clients(self) -> int:
        return self.sidecar.clients

    def unsent(self) -> int:
        return max(session._transport.get_write_buffer_size() for session in self.sidecar._sessions)

    def slow(self) -> int:
        return self.sidecar.slow

    async def send(self, events: list[Event]) -> None:
        for event in events:
            self.ring.append(event)
            self.sidecar.notify()
        await asyncio.sleep(0)  # the turn in which they are written


class Floor(asyncio.Protocol):
    """A protocol that answers the handshake, and ``transport.write`` of a frame built once."""

    transports: Final[list[asyncio.Transport]] = []

    async def start(self) -> int:
        server = await asyncio.get_running_loop().create_server(Floor, "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        key = data.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        head = (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        )
        self.transport.write(head + accept + b"\r\n\r\n")
        self.transports.append(self.transport)

    def clients(self) -> int:
        return len(self.transports)

    def unsent(self) -> int:
        return max(transport.get_write_buffer_size() for transport in self.transports)

    async def send(self, events: list[Event]) -> None:
        for event in events:
            frame = text_frame(event.body)
            for transport in self.transports:
                transport.write(frame)
        await asyncio.sleep(0)


class Seed:
    """Starlette on uvicorn, ``await send_json`` to one client after the other."""

    def __init__(self, implementation: str) -> None:
        self.implementation = implementation
        self.sockets: list[Any] = []

    async def start(self) -> int:
        import uvicorn
        from starlette.applications import Starlette
        from starlette.routing import WebSocketRoute
        from starlette.websockets import WebSocketDisconnect

        async def serve(ws: Any) -> None:
            await ws.accept()
            self.sockets.append(ws)
            try:
                while True:
                    await ws.receive_text()
            except WebSocketDisconnect:
                self.sockets.remove(ws)

        app = Starlette(routes=[WebSocketRoute(SOCKET_PATH, serve)])
        listening = socket.create_server(("127.0.0.1", 0), backlog=512)
        config = uvicorn.Config(app, ws=self.implementation, log_level="critical", access_log=False)
        self.server = asyncio.create_task(uvicorn.Server(config).serve(sockets=[listening]))
        return int(listening.getsockname()[1])

    def clients(self) -> int:
        return len(self.sockets)

    def unsent(self) -> int:
        return 0  # send_json waits by itself

    async def send(self, events: list[Event]) -> None:
        for event in events:
            message = json.loads(event.body)
            for ws in list(self.sockets):
                await ws.send_json(message)


class Aiohttp:
    """``send_str`` of aiohttp to each client in turn, the text made once."""

    async def start(self) -> int:
        from aiohttp import web

        self.sockets: list[web.WebSocketResponse] = []

        async def serve(request: web.Request) -> web.WebSocketResponse:
            ws = web.WebSocketResponse(compress=False)
            await ws.prepare(request)
            self.sockets.append(ws)
            async for _ in ws:
                pass
            return ws

        app = web.Application()
        app.router.add_get(SOCKET_PATH, serve)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
        return int(runner.addresses[0][1])

    def clients(self) -> int:
        return len(self.sockets)

    def unsent(self) -> int:
        return 0  # send_str waits by itself

    async def send(self, events: list[Event]) -> None:
        for event in events:
            text = event.body.decode()
            for ws in self.sockets:
                await ws.send_str(text)


class Broadcast:
    """``broadcast`` of the library websockets, without compression."""

    async def start(self) -> int:
        from websockets.asyncio.server import ServerConnection, serve

        self.connections: set[ServerConnection] = set()

        async def keep(connection: ServerConnection) -> None:
            self.connections.add(connection)
            await connection.wait_closed()

        self.server = await serve(keep, "127.0.0.1", 0, compression=None, backlog=512)
        return int(next(iter(self.server.sockets)).getsockname()[1])

    def clients(self) -> int:
        return len(self.connections)

    def unsent(self) -> int:
        return max(connection.transport.get_write_buffer_size() for connection in self.connections)

    async def send(self, events: list[Event]) -> None:
        from websockets.asyncio.server import broadcast

        for event in events:
            broadcast(self.connections, event.body.decode())
        await asyncio.sleep(0)


SERVERS: Final[dict[str, Callable[[], Any]]] = {
    "ours": Ours,
    "floor": Floor,
    "aiohttp send_str": Aiohttp,
    "websockets.broadcast": Broadcast,
    "seed": lambda: Seed("websockets"),
    "seed_sansio": lambda: Seed("websockets-sansio"),
}


async def as_fast_as_possible(server: Any, events: int, turn: int) -> None:
    for seq in range(1, events + 1, turn):
        await server.send([new_event(seq + more) for more in range(turn)])
        while (seq // turn) % 16 == 0 and server.unsent() > MOST_UNSENT:
            await asyncio.sleep(0.0005)


async def at_a_rate(server: Any, events: int, rate_per_s: int) -> int:
    began, most = time.monotonic() + 0.05, 0
    for seq in range(1, events + 1):
        await asyncio.sleep(max(0.0, began + seq / rate_per_s - time.monotonic()))
        await server.send([new_event(seq)])
        most = max(most, server.unsent())
    return most


def memory_kib() -> int:
    """Return what this process has written to and not given back."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))


async def send(server: Any, mode: str, events: int) -> int:
    """Send them all and wait until they are gone; tell the most bytes that one client held meanwhile, if paced."""
    way, _, rate = mode.partition(":")
    most = 0
    if way == "rate":
        most = await at_a_rate(server, events, int(rate))
    elif way != "idle":
        await as_fast_as_possible(server, events, TURN if way == "turn" else 1)
    while server.unsent():
        await asyncio.sleep(0.001)
    return most


async def serve(name: str, mode: str, clients: int, events: int) -> None:
    """Wait for the clients, send, report the CPU and the memory spent."""
    logging.disable(logging.CRITICAL)
    server = SERVERS[name]()
    print(await server.start(), flush=True)
    gc.collect()
    empty_kib = memory_kib()
    while server.clients() < clients:
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.2)
    gc.collect()
    full_kib, before = memory_kib(), resource.getrusage(resource.RUSAGE_SELF)
    most = await send(server, mode, events)
    after = resource.getrusage(resource.RUSAGE_SELF)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    spent = {"user_us": user * 1e6, "cpu_us": (user + system) * 1e6, "client_kib": (full_kib - empty_kib) / clients}
    print(json.dumps(spent | {"most_unsent": most, "slow": getattr(server, "slow", lambda: 0)()}), flush=True)
    sys.stdin.readline()  # stay until the load client has read everything
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
