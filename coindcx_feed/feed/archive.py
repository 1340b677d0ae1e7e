"""The durable log as readers of the ring see it: what is older than memory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coindcx_feed.store.log import EventStore


class Archive:
    """Plain figures for the loop, kept up to date by ``refresh``; ``bodies`` blocks and is called in threads."""

    def __init__(self, log: "EventStore") -> None:
        self._log = log
        self.oldest = 0
        self.epochs: Sequence[tuple[int, str]] = ()
        self.refresh()

    def refresh(self) -> None:
        """Read the figures again: at the start, and after events were removed. Blocks."""
        self.oldest = self._log.oldest_seq
        self.epochs = [(row.first_seq, row.name) for row in self._log.epochs()]

    def bodies(self, after: int, limit: int, upto: int) -> Sequence[tuple[int, str, str | None, bytes]]:
        """Return events oldest first; numbers may be missing.

        Raises:
            StoreError: If the log cannot be read.
        """
        return self._log.bodies(after, limit, upto)
