"""The two pipelines that the ingest benchmark compares. Run as ``ingest_clients.py ours|seed PORT EVENTS``.

Prints one JSON line: CPU seconds between the first and the last event, and what the checks found.
"""

import asyncio
import collections
import json
import sys
import threading
import time
import uuid
from typing import Any

from blaster import record


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


async def ours(port: int, count: int) -> dict[str, Any]:
    from coindcx_feed.events import new_epoch
    from coindcx_feed.exchange.session import Session
    from coindcx_feed.feed.durable import NoStore
    from coindcx_feed.feed.market import MarketFeed
    from coindcx_feed.feed.marks import Marks
    from coindcx_feed.feed.pipeline import Pipeline
    from coindcx_feed.feed.ring import Ring
    from coindcx_feed.feed.state import AccountState

    ring, state = Ring(50_000, new_epoch()), AccountState()
    pipeline = Pipeline(ring, MarketFeed(), Marks(), state, NoStore())
    meter = Meter(count)
    published = 0

    def on_publish() -> None:
        nonlocal published
        meter.hit(ring.version - published)
        published = ring.version

    pipeline.on_publish(on_publish)
    draining = asyncio.create_task(pipeline.run())
    session = Session(f"ws://127.0.0.1:{port}", pipeline.receive)
    await session.open(10)
    await session.join({"channelName": "go"})
    await asyncio.wait_for(meter.done.wait(), 120)
    draining.cancel()
    ids = [json.loads(event.body)["data"]["id"] for event in ring.since(0, count)]
    await session.close()
    return {
        "cpu": meter.cpu,
        "events": len(ring),
        "orders": len(state.orders()),
        "in_order": ids == [record(number)["id"] for number in range(count)],
        "kept_apart": pipeline.duplicates.count + pipeline.quarantine.count,
        "last_step": max(str(entity.record.remaining_quantity) for entity in state.orders()),
    }


async def seed(port: int, count: int) -> dict[str, Any]:
    """The seed's pipeline: standard JSON twice, a pydantic model, uuid4, JSON again, a locked deque."""
    import socketio
    from pydantic import BaseModel, create_model

    fields: dict[str, Any] = {
        name: (type(value) | None if value is not None else Any, None) for name, value in record(0).items()
    }
    for name, value in record(0).items():
        if isinstance(value, int | float):
            fields[name] = (float | None, None)
    model: type[BaseModel] = create_model("Order", **fields)
    lock, ring = threading.Lock(), collections.deque[Any](maxlen=50_000)
    meter = Meter(count)

    async def handle(argument: Any) -> None:
        for item in json.loads(argument["data"]):
            parsed = model(**item)
            event = {
                "id": str(uuid.uuid4()),
                "type": "df-order-update",
                "timestamp": time.time(),
                "data": parsed.model_dump(),
            }
            json.dumps(event)
            with lock:
                ring.append((event, parsed))
        meter.hit()

    client = socketio.AsyncClient()
    client.on("df-order-update", handle)
    await client.connect(f"http://127.0.0.1:{port}", transports=["websocket"])
    await client.emit("go", {})
    await asyncio.wait_for(meter.done.wait(), 120)
    await client.disconnect()
    return {"cpu": meter.cpu, "events": len(ring)}


if __name__ == "__main__":
    runner = {"ours": ours, "seed": seed}[sys.argv[1]]
    print(json.dumps(asyncio.run(runner(int(sys.argv[2]), int(sys.argv[3])))))
