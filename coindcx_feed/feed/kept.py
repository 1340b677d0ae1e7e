"""Frames and records that did not become events, kept with their raw text within a bound of number and bytes."""

import threading
from collections import deque
from typing import Final, NamedTuple

MAX_ENTRIES: Final = 1_000
MAX_BYTES: Final = 32 << 20


class Kept(NamedTuple):
    """One record that got no ``seq``: ``arrival`` is the number of its frame."""

    arrival: int
    received_ns: int
    event: str
    reason: str
    raw: bytes


class KeptApart:
    """The newest entries; ``count`` never forgets. Threads: one writer, any readers."""

    def __init__(self, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self.count = 0
        self._entries: deque[Kept] = deque()
        self._bytes = 0
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._lock = threading.Lock()

    def add(self, entry: Kept) -> None:
        with self._lock:
            self.count += 1
            self._entries.append(entry)
            self._bytes += len(entry.raw)
            while len(self._entries) > self._max_entries or (self._bytes > self._max_bytes and len(self._entries) > 1):
                self._bytes -= len(self._entries.popleft().raw)

    def newest(self, limit: int) -> list[Kept]:
        """Return the newest entries, newest first."""
        with self._lock:
            return list(self._entries)[-limit:][::-1]
