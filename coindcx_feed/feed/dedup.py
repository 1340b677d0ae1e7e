"""Tell a repeat from an update. No I/O; one instance per account, used by the pipeline only."""

import hashlib
from collections import OrderedDict
from enum import Enum
from typing import Final

from coindcx_feed.events import EventType
from coindcx_feed.exchange.records import BalanceRecord, OrderRecord
from coindcx_feed.feed.normalize import AccountItem

MEMORY: Final = 200_000
"""Records remembered; about 200 bytes each."""


class Verdict(Enum):
    NEW = "new"
    LATE = "late"
    DUPLICATE = "duplicate"


class Deduplicator:
    """Decide in arrival order.

    A record with ``updated_at`` is a duplicate when its (id, ``updated_at``, content) was seen. A balance has no time
    and is compared with its present state only, so A, B, A are three updates. An unseen record that is older than what
    is known of its id is late, as is one of the same time that would leave a terminal status.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._present: OrderedDict[tuple[EventType, str], tuple[int, bool, bytes]] = OrderedDict()

    def judge(self, item: AccountItem) -> Verdict:
        """Return the verdict and remember the record."""
        record = item.record
        key = (item.type, record.id)
        digest = hashlib.blake2b(item.raw, digest_size=16).digest()
        present = self._present.get(key)
        time_ms = None if isinstance(record, BalanceRecord) else record.updated_at
        if time_ms is None:
            if present is not None and present[2] == digest:
                return Verdict.DUPLICATE
            self._remember(key, (0, False, digest))
            return Verdict.NEW
        # The digest covers id and time, which stand in the text; the type keeps twins of two kinds apart.
        mark = item.type.encode() + digest
        if mark in self._seen:
            return Verdict.DUPLICATE
        self._seen[mark] = None
        if len(self._seen) > self._memory:
            self._seen.popitem(last=False)
        is_terminal = isinstance(record, OrderRecord) and record.is_terminal
        if present is not None and (present[0] > time_ms or (present[0] == time_ms and present[1] and not is_terminal)):
            return Verdict.LATE
        self._remember(key, (time_ms, is_terminal, digest))
        return Verdict.NEW

    def _remember(self, key: tuple[EventType, str], present: tuple[int, bool, bytes]) -> None:
        self._present[key] = present
        self._present.move_to_end(key)
        if len(self._present) > self._memory:
            self._present.popitem(last=False)
