"""Fan-out against the seed's design and against a bare protocol, interleaved in the same run.

Run as a script this file is one server or the load client of a measurement: ``test_fanout.py ours max 100 2400``.
Server and load client are separate processes, so that only the server's CPU is counted.
"""

import asyncio
import base64
import gc
import hashlib
import importlib.util
import json
import logging
import os
import resource
import select
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.ring import Ring
from coindcx_feed.settings import Settings
from coindcx_feed.sidecar.frames import text_frame
from coindcx_feed.sidecar.server import SOCKET_PATH, Sidecar

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

ROUNDS: Final = 5
CPU_GOAL: Final = 0.35
LATENCY_GOAL: Final = 3.0
RATE_PER_S: Final = 200
MOST_UNSENT: Final = 64 * 1024
MARK: Final = b'"mono_ns":'
TWENTY_DIGITS: Final = 10**19
"""Added to times, so that all are written with the same number of digits."""
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

Send = Callable[[Event], Awaitable[None]]


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
        self.sidecar = Sidecar(self.ring, MarketFeed(), Settings(sidecar_port=0), lambda: status)
        await self.sidecar.start()
        return self.sidecar.port

    def clients(self) -> int:
        return self.sidecar.clients

    def unsent(self) -> int:
        return max(session._transport.get_write_buffer_size() for session in self.sidecar._sessions)

    async def send(self, event: Event) -> None:
        self.ring.append(event)
        self.sidecar.notify()
        await asyncio.sleep(0)  # no coalescing: one event per turn, as when events arrive one by one


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

    async def send(self, event: Event) -> None:
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

    async def send(self, event: Event) -> None:
        message = json.loads(event.body)
        for ws in list(self.sockets):
            await ws.send_json(message)


SERVERS: Final[dict[str, Callable[[], Any]]] = {
    "ours": Ours,
    "floor": Floor,
    "seed": lambda: Seed("websockets"),
    "seed_sansio": lambda: Seed("websockets-sansio"),
}


async def as_fast_as_possible(server: Any, events: int) -> None:
    for seq in range(1, events + 1):
        await server.send(new_event(seq))
        while seq % 16 == 0 and server.unsent() > MOST_UNSENT:
            await asyncio.sleep(0.0005)


async def at_a_rate(server: Any, events: int) -> None:
    began = time.monotonic() + 0.05
    for seq in range(1, events + 1):
        await asyncio.sleep(max(0.0, began + seq / RATE_PER_S - time.monotonic()))
        await server.send(new_event(seq))


async def serve(name: str, mode: str, clients: int, events: int) -> None:
    """Wait for the clients, send, report the CPU spent meanwhile."""
    logging.disable(logging.CRITICAL)
    server = SERVERS[name]()
    print(await server.start(), flush=True)
    while server.clients() < clients:
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.2)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF)
    await (as_fast_as_possible if mode == "max" else at_a_rate)(server, events)
    while server.unsent():
        await asyncio.sleep(0.001)
    after = resource.getrusage(resource.RUSAGE_SELF)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    print(json.dumps({"user_us": user * 1e6, "cpu_us": (user + system) * 1e6}), flush=True)
    sys.stdin.readline()  # stay until the load client has read everything
    os._exit(0)


# ---- load client ----


def load(port: int, clients: int, events: int) -> dict[str, Any]:
    """Read until every client has every event; tell how many came and how old they were, in microseconds."""
    poll, sockets = select.epoll(), {}
    for _ in range(clients):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(
            f"GET {SOCKET_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        sockets[sock.fileno()] = sock
        poll.register(sock, select.EPOLLIN)
    ages, tails, seen = [], dict.fromkeys(sockets, b""), 0
    while seen < clients * events:
        ready = poll.poll(30)
        if not ready:
            break
        for fileno, _ in ready:
            data = tails[fileno] + sockets[fileno].recv(262_144)
            now = time.monotonic_ns()
            end = data.rfind(MARK)
            if end >= 0 and len(data) - end >= len(MARK) + 20:
                seen += data.count(MARK)
                at = end + len(MARK)
                ages.append((now + TWENTY_DIGITS - int(data[at : at + 20])) / 1000)
                tails[fileno] = data[at:]
            else:
                seen += data.count(MARK, 0, max(end, 0))
                tails[fileno] = data[end:] if end >= 0 else data[-len(MARK) :]
    return {"deliveries": seen, "ages_us": ages}


# ---- measurement ----


def measure(name: str, mode: str, clients: int, events: int) -> dict[str, Any]:
    """Run one server and one load client, each on its own core where there are two."""

    def start(core: int, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "ignore", __file__, *map(str, arguments)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {core})
        return process

    server = start(0, name, mode, clients, events)
    client = None
    try:
        assert server.stdout is not None
        client = start(1, "load", server.stdout.readline().strip(), clients, events)
        result: dict[str, Any] = json.loads(client.communicate(timeout=120)[0])
        result |= json.loads(server.communicate("\n", timeout=60)[0])
    finally:
        for process in (server, client):
            if process is not None:
                process.kill()
                process.wait()
    assert result["deliveries"] == clients * events
    result["us"] = result["cpu_us"] / result["deliveries"]
    result["user"] = result["user_us"] / result["deliveries"]
    return result


def p99(ages: list[float]) -> float:
    return statistics.quantiles(ages, n=100)[98]


needs_seed = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("starlette", "uvicorn", "websockets")),
    reason="the seed's design needs starlette, uvicorn and websockets, which this Streamlit does not bring",
)


@needs_seed
def test_a_delivery_costs_at_most_a_third_of_the_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    """100 clients, as fast as possible, one event per turn: CPU per delivery against sequential ``send_json``."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in SERVERS}
    for _ in range(ROUNDS):
        for name, results in runs.items():
            results.append(measure(name, "max", 100, 500 if name.startswith("seed") else 2000))
    ratios = [ours["us"] / seed["us"] for ours, seed in zip(runs["ours"], runs["seed"], strict=True)]
    ratio = statistics.median(ratios)
    with capsys.disabled():
        print(
            f"\nfan-out, 100 clients: {ratio:.2f} of the seed (goal {CPU_GOAL}, rounds {[round(r, 2) for r in ratios]})"
        )
        for name, results in runs.items():
            us, user = (statistics.median(result[key] for result in results) for key in ("us", "user"))
            print(f"  {name}: {us:.2f} us CPU per delivery, {user:.2f} of it in user space")
    assert ratio <= CPU_GOAL


def test_latency_is_near_the_floor(capsys: pytest.CaptureFixture[str]) -> None:
    """200 events/s to 50 clients: age on arrival, p99, against a bare protocol."""
    ratios, lines = [], []
    for _ in range(ROUNDS):
        floor, ours = (measure(name, "rate", 50, 600)["ages_us"] for name in ("floor", "ours"))
        ratios.append(p99(ours) / p99(floor))
        lines.append(f"  p50 {statistics.median(ours):.0f} us (floor {statistics.median(floor):.0f}), ")
        lines[-1] += f"p99 {p99(ours):.0f} us (floor {p99(floor):.0f})"
    ratio = statistics.median(ratios)
    with capsys.disabled():
        print(f"\nlatency, 50 clients: p99 {ratio:.2f} x the floor's (goal {LATENCY_GOAL})", *lines, sep="\n")
    assert ratio <= LATENCY_GOAL


if __name__ == "__main__":
    role, *numbers = sys.argv[1:]
    if role == "load":
        print(json.dumps(load(*map(int, numbers))))
    else:
        asyncio.run(serve(role, numbers[0], int(numbers[1]), int(numbers[2])))
