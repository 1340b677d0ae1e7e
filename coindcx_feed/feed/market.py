"""The market feed: the newest messages in a bounded buffer. Replaceable data, no ``seq``, nothing durable."""

import threading
from collections import deque
from itertools import islice
from typing import Final, NamedTuple

from coindcx_feed.events import iso_ms, new_id
from coindcx_feed.feed.normalize import MarketItem, MarketType

CAPACITY: Final = 10_000


class MarketMessage(NamedTuple):
    """One message with its number; ``body`` is the envelope as sent to clients."""

    mseq: int
    type: MarketType
    pair: str | None
    body: bytes


class MarketFeed:
    """Threads: one writer, any readers. A reader that was overtaken goes on with the oldest kept."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._messages: deque[MarketMessage] = deque(maxlen=capacity)
        self._lock = threading.Lock()
        self.version = 0

    def append(self, item: MarketItem, received_ns: int) -> None:
        mseq = self.version + 1
        head = (
            f'{{"id":"{new_id()}","timestamp":"{iso_ms(received_ns)}","type":"{item.type}","mseq":{mseq}'
            ',"source":"stream","data":'
        )
        message = MarketMessage(mseq, item.type, item.pair, b"".join((head.encode(), item.raw, b"}")))
        with self._lock:
            self._messages.append(message)
            self.version = mseq

    def since(self, mseq: int, limit: int) -> list[MarketMessage]:
        """Return the messages after a number, oldest first; what is no longer kept is skipped."""
        with self._lock:
            skipped = max(0, mseq - (self.version - len(self._messages)))
            return list(islice(self._messages, skipped, skipped + limit))
