"""The durable log as readers of the ring see it: what is older than memory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coindcx_feed.feed.columns import Looked

if TYPE_CHECKING:
    from coindcx_feed.store.log import EventStore

Row = tuple[int, str, str | None, bytes, Looked | None]


class Archive:
    """Plain figures for the loop, kept up to date by ``refresh``; ``bodies`` blocks and is called in threads."""

    def __init__(self, log: "EventStore") -> None:
        self._log = log
        self._oldest = self._newest = 0
        self.epochs: Sequence[tuple[int, str]] = ()
        self.refresh()

    @property
    def oldest(self) -> int:
        """First number of the log, 0 while it is empty: of one that was empty when it was read, the next one stored."""
        if self._oldest:
            return self._oldest
        return self._newest + 1 if self._log.last_seq > self._newest else 0

    def refresh(self) -> None:
        """Read the figures again: at the start, and after events were removed. Blocks."""
        self._newest = self._log.last_seq
        self._oldest = self._log.oldest_seq
        self.epochs = [(row.first_seq, row.name) for row in self._log.epochs()]

    def bodies(self, after: int, limit: int, upto: int, *, is_looked_at: bool = False) -> Sequence[Row]:
        """Return events oldest first; numbers may be missing.

        Args:
            is_looked_at: Tell of each event what filters look at, too.
        Raises:
            StoreError: If the log cannot be read.
        """
        if not is_looked_at:
            return [(*row, None) for row in self._log.bodies(after, limit, upto)]
        events = self._log.read(after, limit, upto)
        return [(event.seq, event.type, event.facts.pair, event.body, Looked.of(event.facts)) for event in events]
