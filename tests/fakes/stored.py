"""A log in memory, and stored events made by the pipeline from the fixtures' scenarios."""

import asyncio
from collections.abc import Iterator
from typing import Any

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import StoreError
from coindcx_feed.events import Event
from coindcx_feed.feed.normalize import Frame
from coindcx_feed.feed.pipeline import Pipeline
from fakes.frames import rows
from fakes.pipelines import START_S, new_pipeline

SCENARIOS = ("limit-*", "market-*", "tpsl-*", "out-of-order-*")


class KeepingStore:
    """A log that keeps everything in memory and can be read like a stored one.

    Attributes:
        events: All that was stored.
        fails_after: Slices that a stream yields before the log is gone; ``None`` for never.
    """

    is_durable = True

    def __init__(self, events: list[Event] | None = None, slice_size: int = 7) -> None:
        self.events = list(events or ())
        self.slice_size = slice_size
        self.fails_after: int | None = None
        self.is_closed = False

    async def append(self, events: list[Event]) -> list[Event]:
        self.events += events
        return events

    def stream(
        self, _wanted: EventFilter, *, from_ns: int | None = None, to_ns: int | None = None
    ) -> Iterator[list[Event]]:
        last_ns = to_ns if to_ns is not None else 1 << 62
        chosen = [event for event in self.events if (from_ns or 0) <= event.received_ns < last_ns]
        for number, start in enumerate(range(0, len(chosen), self.slice_size)):
            if number == self.fails_after:
                raise StoreError("read the log: expected an answer, was none: try again")
            yield chosen[start : start + self.slice_size]

    def seq_at(self, at_ns: int) -> int | None:
        return max((event.seq for event in self.events if event.received_ns <= at_ns), default=None)

    def state_at(self, seq: int) -> list[Event]:
        last = {(event.type, event.facts.key): event for event in self.events if event.seq <= seq and not event.is_late}
        return sorted(last.values(), key=lambda event: event.seq)

    def span(self) -> tuple[int, int] | None:
        return (self.events[0].received_ns, self.events[-1].received_ns) if self.events else None

    def marks(self, _pair: str, _from_s: int, _to_s: int) -> list[tuple[int, str]]:
        return []

    def close(self) -> None:
        self.is_closed = True


def scenario_rows() -> list[dict[str, Any]]:
    """Return the envelopes of every private lifecycle of the fixtures, one after the other."""
    return rows(*(f"scenarios/{name}.constructed.jsonl" for name in SCENARIOS))


def stored_account(spacing_s: float = 1.0) -> tuple[KeepingStore, Pipeline]:
    """Let a pipeline take all scenarios, a frame each ``spacing_s``, and return what it stored, and itself."""
    store = KeepingStore()
    pipeline = new_pipeline(10_000, store)
    frames = [
        Frame(0, row["event"], row, int((START_S + number * spacing_s) * 1e9))
        for number, row in enumerate(scenario_rows())
    ]
    asyncio.run(pipeline.replay(frames, "the scenarios end here"))
    return store, pipeline
