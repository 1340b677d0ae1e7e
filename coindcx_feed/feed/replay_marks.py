"""The marks of a replay: what the log kept of the held pairs, as far as the replay's clock has come."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from coindcx_feed.errors import StoreError
from coindcx_feed.exchange.records import CurrentPricesRecord
from coindcx_feed.feed.marks import HISTORY_S, Marks
from coindcx_feed.feed.state import AccountState

EVERY_S: Final = 0.5
TURN: Final = 500
"""Marks taken before others get their turn: about 5 ms of work."""

log = logging.getLogger(__name__)


class MarkSource(Protocol):
    """An open log."""

    def marks(self, pair: str, from_s: int, to_s: int) -> list[tuple[int, str]]:
        """Return second and price text, oldest first, both ends included. Blocks."""


class ReplayMarks:
    """Feeds the marks that pages draw from. Methods belong to the loop.

    Args:
        source: The log.
        marks: Where they go.
        state: Says which pairs are held.
        now_ns: The replay's clock; may step back.
    """

    def __init__(self, source: MarkSource, marks: Marks, state: AccountState, now_ns: Callable[[], int]) -> None:
        self._source, self._marks, self._state, self._now_ns = source, marks, state, now_ns
        self._read_to_s: dict[str, int] = {}

    async def run(self) -> None:
        """Follow the clock until cancelled; marks that cannot be read are left out."""
        while True:
            try:
                await self.follow()
            except StoreError as error:
                log.warning("marks not read reason=%r", str(error))
            await asyncio.sleep(EVERY_S)

    async def follow(self) -> None:
        """Take what the clock has passed since the last time.

        Raises:
            StoreError: If the log cannot be read.
        """
        now_s = self._now_ns() // 1_000_000_000
        for pair in sorted(self._state.open_pairs()):
            known_s = self._read_to_s.get(pair, 0)
            first_s = max(known_s + 1 if known_s <= now_s else 0, now_s - HISTORY_S + 1)
            rows = await asyncio.to_thread(self._source.marks, pair, first_s, now_s)
            for number, (second, price) in enumerate(rows, start=1):
                record = CurrentPricesRecord.model_construct(pr="futures", prices={pair: {"mp": price}})
                self._marks.update(record, second * 1_000_000_000, (pair,))
                if number % TURN == 0:
                    await asyncio.sleep(0)
            self._read_to_s[pair] = now_s
