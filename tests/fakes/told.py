"""A pipeline that is fed one frame after another, with the account's rows as they were shown after each."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from coindcx_feed.events import Event
from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.feed.normalize import Frame
from coindcx_feed.views import account
from fakes.pipelines import new_pipeline

Rows = list[dict[str, Any]]


class Keeping:
    """A log that takes everything at once and keeps it in a list."""

    is_durable = True

    def __init__(self) -> None:
        self.events: list[Event] = []

    async def append(self, events: list[Event]) -> list[Event]:
        self.events += events
        return events


class Told:
    """What an account told, and how it was shown after the events that were the last of their frames.

    Args:
        every: Look after every so many frames only: rows of a long story cost.
    Attributes:
        events: Everything numbered, oldest first.
        shown: Orders, positions and balances by number.
        marks: Second, pair, price: what the log would have been given.
    """

    def __init__(self, every: int = 1) -> None:
        self._every = every
        self.shown: dict[int, tuple[Rows, Rows, Rows]] = {}
        self.marks: list[tuple[int, str, str]] = []
        self._kept = Keeping()
        self.pipeline = new_pipeline(100_000, self._kept)

    @property
    def events(self) -> list[Event]:
        return self._kept.events

    def mark(self, second: int, pair: str, price: str) -> None:
        """Let the exchange tell a mark at a whole second; it is stored while the pair is held."""
        prices = {pair: {"mp": Decimal(price)}}
        record = CurrentPricesRecord.model_validate({"pr": "futures", "prices": prices})
        self.pipeline.marks.update(record, second * 10**9, ())
        if pair in self.pipeline.state.open_pairs():
            self.marks.append((second, pair, price))

    def feed(self, frames: Iterable[Frame], marks: Iterable[tuple[str, str]] = ()) -> "Told":
        """Take frames with their own times; ``marks`` are told anew in the second of each."""
        asyncio.run(self._feed(frames, list(marks)))
        return self

    async def _feed(self, frames: Iterable[Frame], marks: list[tuple[str, str]]) -> None:
        for count, frame in enumerate(frames):
            before = len(self.events)
            await self.pipeline.replay([frame], "replayed")
            for pair, price in marks:
                self.mark(frame.received_ns // 10**9, pair, price)
            if len(self.events) > before and count % self._every == 0:
                self._remember()

    def _remember(self) -> None:
        newest, state = self.events[-1], self.pipeline.state
        self.shown[newest.seq] = (
            account.Orders().rows(state),
            account.positions(state, self.pipeline.marks, newest.received_ns),
            account.balances(state, None, None),
        )
