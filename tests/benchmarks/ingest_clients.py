"""The two pipelines that the ingest benchmark compares. Run as ``ingest_clients.py ours|seed PORT EVENTS CLIENTS``.

Prints one JSON line: CPU seconds between the first and the last event, and what the checks found. The clients of its
WebSocket, none or some, are a process of their own.
"""

import asyncio
import collections
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from typing import Any

from blaster import record
from fanout_load import connected


class Meter:
    """CPU from the first event to the last."""

    def __init__(self, count: int) -> None:
        self.count, self.seen, self.started, self.cpu = count, 0, 0.0, 0.0
        self.done = asyncio.Event()

    def hit(self, number: int = 1) -> None:
        if not self.seen:
            self.started = time.process_time()
        self.seen += number
        if self.seen >= self.count:
            self.cpu = time.process_time() - self.started
            self.done.set()


def reader(port: int, count: int) -> int:
    """Read until ``count`` records came; return how many did."""
    mark, seen, tail = b'"display_message"', 0, b""
    sock = connected(port)
    sock.settimeout(20)
    while seen < count and (data := sock.recv(262_144)):
        tail += data
        seen += tail.count(mark)
        tail = tail[-len(mark) + 1 :] if not tail.endswith(mark) else b""
    return seen


def readers(port: int, count: int, clients: int) -> "list[subprocess.Popen[str]]":
    command = [sys.executable, __file__, "reader", str(port), str(count)]
    return [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(clients)]


def delivered(processes: "list[subprocess.Popen[str]]") -> int:
    return sum(int(process.communicate(timeout=60)[0]) for process in processes)


async def ours(port: int, count: int, clients: int) -> dict[str, Any]:
    from coindcx_feed.events import new_epoch
    from coindcx_feed.exchange.session import Session
    from coindcx_feed.feed.durable import NoStore
    from coindcx_feed.feed.market import MarketFeed
    from coindcx_feed.feed.marks import Marks
    from coindcx_feed.feed.pipeline import Pipeline
    from coindcx_feed.feed.process import spare_collections
    from coindcx_feed.feed.ring import Ring
    from coindcx_feed.feed.state import AccountState
    from coindcx_feed.settings import Settings
    from coindcx_feed.sidecar.server import Sidecar

    ring, state = Ring(50_000, new_epoch()), AccountState()
    market = MarketFeed()
    pipeline = Pipeline(ring, market, Marks(), state, NoStore())
    status = {"mode": "demo", "state": "live", "connected": True}
    sidecar = Sidecar(ring, market, Settings(sidecar_port=0), lambda: status)
    await sidecar.start()
    reading = readers(sidecar.port, count, clients)
    while sidecar.clients < clients:
        await asyncio.sleep(0.005)
    spare_collections()  # as every process of ours does at its start
    meter = Meter(count)
    published = 0

    def on_publish() -> None:
        nonlocal published
        meter.hit(ring.version - published)
        published = ring.version

    if clients:
        pipeline.on_publish(sidecar.notify)
    pipeline.on_publish(on_publish)
    draining = asyncio.create_task(pipeline.run())
    session = Session(f"ws://127.0.0.1:{port}", pipeline.receive)
    await session.open(10)
    await session.join({"channelName": "go"})
    await asyncio.wait_for(meter.done.wait(), 120)
    while sidecar.sent < count * clients:
        await asyncio.sleep(0.001)
    cpu = time.process_time() - meter.started
    draining.cancel()
    ids = [json.loads(event.body)["data"]["id"] for event in ring.since(0, count)]
    await session.close()
    return {
        "cpu": cpu,
        "delivered": delivered(reading),
        "events": len(ring),
        "orders": len(state.orders()),
        "in_order": ids == [record(number)["id"] for number in range(count)],
        "kept_apart": pipeline.duplicates.count + pipeline.quarantine.count,
        "last_step": max(str(entity.record.remaining_quantity) for entity in state.orders()),
    }


async def seed(port: int, count: int, clients: int) -> dict[str, Any]:
    """The seed's pipeline: standard JSON twice, a pydantic model, uuid4, a locked deque, JSON again for each client."""
    import socketio
    from fanout_servers import Seed
    from pydantic import BaseModel, create_model

    fields: dict[str, Any] = {
        name: (type(value) | None if value is not None else Any, None) for name, value in record(0).items()
    }
    for name, value in record(0).items():
        if isinstance(value, int | float):
            fields[name] = (float | None, None)
    model: type[BaseModel] = create_model("Order", **fields)
    lock, ring = threading.Lock(), collections.deque[Any](maxlen=50_000)
    meter, server = Meter(count), Seed("websockets")
    reading = readers(await server.start(), count, clients)
    while server.clients() < clients:
        await asyncio.sleep(0.005)

    async def handle(argument: Any) -> None:
        for item in json.loads(argument["data"]):
            parsed = model(**item)
            event = {
                "id": str(uuid.uuid4()),
                "type": "df-order-update",
                "timestamp": time.time(),
                "data": parsed.model_dump(),
            }
            if not clients:
                json.dumps(event)
            for ws in server.sockets:
                await ws.send_json(event)
            with lock:
                ring.append((event, parsed))
        meter.hit()

    client = socketio.AsyncClient()
    client.on("df-order-update", handle)
    await client.connect(f"http://127.0.0.1:{port}", transports=["websocket"])
    await client.emit("go", {})
    await asyncio.wait_for(meter.done.wait(), 120)
    await client.disconnect()
    return {"cpu": meter.cpu, "events": len(ring), "delivered": delivered(reading)}


if __name__ == "__main__":
    role, *given = sys.argv[1:]
    numbers = [int(number) for number in given]
    if role == "reader":
        print(reader(*numbers))
    else:
        print(json.dumps(asyncio.run({"ours": ours, "seed": seed}[role](*numbers))), flush=True)
        os._exit(0)
