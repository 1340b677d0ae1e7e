"""A pipeline with all that it fills, and envelopes read back."""

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from coindcx_feed.events import Event
from coindcx_feed.feed.durable import Store
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.normalize import Frame
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState

START_S = 1_790_000_000


class SafeStore:
    """A log that takes everything at once and forgets it."""

    is_durable = True

    async def append(self, events: list[Event]) -> list[Event]:
        return events


def new_pipeline(capacity: int = 1_000, store: Store | None = None) -> Pipeline:
    """Build an empty pipeline of its own."""
    return Pipeline(Ring(capacity, "epoch-1"), MarketFeed(), Marks(), AccountState(), store or SafeStore())


async def feed(pipeline: Pipeline, rows: Iterable[dict[str, Any]]) -> None:
    """Hand envelopes to a pipeline as the socket does, and drain it."""
    for row in rows:
        pipeline.receive(row["event"], row)
    await pipeline.drain()


def row(event: str, *records: object) -> dict[str, Any]:
    """Build an envelope with these records."""
    return {"event": event, "data": json.dumps(list(records))}


def envelopes(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return every kept event as a client gets it, oldest first."""
    return [json.loads(body) for body in pipeline.ring.bodies_since(pipeline.ring.oldest - 1, 1_000_000)]


def filled(*rows: dict[str, Any], capacity: int = 1_000) -> Pipeline:
    """Build a pipeline that has taken these envelopes."""
    pipeline = new_pipeline(capacity)
    asyncio.run(feed(pipeline, rows))
    return pipeline


def at(row: dict[str, Any], second: float) -> Frame:
    """Make an envelope a frame that arrived at a time of the past: seconds since ``START_S``."""
    return Frame(0, row["event"], row, int((START_S + second) * 1e9))


def replayed(*frames: Frame, capacity: int = 1_000) -> Pipeline:
    """Build a pipeline that has taken frames with their own times."""
    pipeline = new_pipeline(capacity)
    asyncio.run(pipeline.replay(list(frames), "replayed"))
    return pipeline
