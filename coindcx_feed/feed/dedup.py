"""Tell a repeat from an update. No I/O; one instance per account, used by the pipeline only."""

from collections import OrderedDict
from enum import Enum
from typing import Final

from coindcx_feed.events import EventType, Source
from coindcx_feed.exchange.records import OrderRecord, PositionRecord, Record
from coindcx_feed.feed.compare import differences
from coindcx_feed.feed.normalize import AccountItem

MEMORY: Final = 200_000
"""Records remembered; about 200 bytes each."""


class Verdict(Enum):
    """What to make of a record. The last two are for rows of a REST read, which are questions, not news."""

    NEW = "new"
    LATE = "late"
    DUPLICATE = "duplicate"
    CONFIRMED = "confirmed"
    OLDER = "older"


class Deduplicator:
    """Decide in arrival order.

    A record with ``updated_at`` is a duplicate when its (id, ``updated_at``, content) was seen. A balance has no time
    and is compared with its present state only, so A, B, A are three updates; so is any other record without one. An
    unseen record that is older than what is known of its id is late, as is one of the same time, or of none, that would
    leave a terminal status.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        # A plain dict would look for its oldest key among all the deleted ones: 100 us per record once full.
        self._seen: OrderedDict[tuple[EventType, str, int, int], None] = OrderedDict()
        self._read: OrderedDict[tuple[EventType, str, int], Record] = OrderedDict()
        self._present: OrderedDict[tuple[EventType, str], _Present] = OrderedDict()

    def judge(self, item: AccountItem, known: Record | None = None) -> Verdict:
        """Return the verdict on a record of the stream and remember it.

        Args:
            known: The present record of its id: what REST already brought is a duplicate when the stream repeats it.
        """
        record = item.record
        key = (item.type, item.facts.key)
        # Python's keyed 64-bit hash: within one id and one time no two contents of a feed share it.
        content = hash(item.raw)
        present = self._present.get(key)
        time_ms = _time(record)
        if time_ms is None:
            if present is not None and present[2] == content:
                return Verdict.DUPLICATE
            time_ms = present[0] if present is not None else 0
        elif self._was_seen((*key, time_ms, content)):
            return Verdict.DUPLICATE
        listed = self._read.get((*key, time_ms)) if self._read else None
        if listed is not None and not differences(item.type, listed, record):
            return Verdict.DUPLICATE
        was_read = known is not None and present is not None and present[3] and time_ms == present[0]
        if was_read and known is not None and not differences(item.type, known, record):
            return Verdict.DUPLICATE
        is_terminal = _is_terminal(record)
        if present is not None and (present[0] > time_ms or (present[0] == time_ms and present[1] and not is_terminal)):
            return Verdict.LATE
        self._remember(key, (time_ms, is_terminal, content, False))
        return Verdict.NEW

    def judge_read(self, item: AccountItem, known: Record | None) -> Verdict:
        """Return the verdict on a row of a REST read: news only where it differs from what is known and is not older.

        Args:
            known: The present record of its id.
        """
        record = item.record
        time_ms = _time(record) or 0
        if known is not None:
            known_ms = _time(known) or 0
            leaves_end = isinstance(known, OrderRecord) and known.is_terminal and not _is_terminal(record)
            if time_ms < known_ms or (time_ms == known_ms and leaves_end):
                return Verdict.OLDER
            if time_ms == known_ms and not differences(item.type, known, record):
                return Verdict.CONFIRMED
        self._remember((item.type, item.facts.key), (time_ms, _is_terminal(record), hash(item.raw), True))
        if time_ms:  # a later read may follow before the frame that was held meanwhile
            self._read[item.type, item.facts.key, time_ms] = record
            if len(self._read) > self._memory:
                self._read.popitem(last=False)
        return Verdict.NEW

    def recall(self, item: AccountItem, source: Source) -> None:
        """Remember a record of an earlier process, in order of ``seq``."""
        if source is Source.REST:
            self.judge_read(item, None)
        else:
            self.judge(item)

    def _was_seen(self, mark: tuple[EventType, str, int, int]) -> bool:
        if mark in self._seen:
            return True
        self._seen[mark] = None
        if len(self._seen) > self._memory:
            self._seen.popitem(last=False)
        return False

    def _remember(self, key: tuple[EventType, str], present: "_Present") -> None:
        self._present[key] = present
        self._present.move_to_end(key)
        if len(self._present) > self._memory:
            self._present.popitem(last=False)


def _time(record: Record) -> int | None:
    return record.updated_at if isinstance(record, OrderRecord | PositionRecord) else None


def _is_terminal(record: Record) -> bool:
    return isinstance(record, OrderRecord) and record.is_terminal


# Time (ms), whether the status is terminal, hash of the content, whether a read brought it.
_Present = tuple[int, bool, int, bool]
