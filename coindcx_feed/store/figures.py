"""Figures of any span from the per-minute rollups; no event before the newest segment is read."""

import threading
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from coindcx_feed.errors import BadRequest
from coindcx_feed.exchange.numbers import WIDE
from coindcx_feed.store.columns import columns_of
from coindcx_feed.store.reading import Reader, last_number
from coindcx_feed.store.rollups import MEASURES, MINUTE_NS, SUMS, Minute, rolled
from coindcx_feed.store.rows import cells_of
from coindcx_feed.store.segments import last_segment, latest_at
from coindcx_feed.store.tables import events, minutes

_COUNTS: Final = frozenset({"events", "orders"})
_FAR: Final = 1 << 30


class Figure(NamedTuple):
    """One value of one measure.

    ``start_s`` is the Unix second at which its bucket begins (0: the whole span is one); ``number`` is how many events
    it is made of; ``amount`` is exact, zero where a measure only counts.
    """

    start_s: int
    pair: str
    label: str
    number: int
    amount: Decimal


class Figures:
    """Remembers the sums of what is in no segment yet: a page asks for ten figures of the same events.

    Threads: any.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, int], list[Minute]] = ((-1, -1), [])

    def forget(self) -> None:
        """Sum up what is in no segment anew."""
        with self._lock:
            self._known = ((-1, -1), [])

    def of(self, measure: str, from_ns: int | None, to_ns: int | None, bucket_s: int | None) -> list[Figure]:
        """See ``EventStore.figures``."""
        if measure not in MEASURES:
            raise BadRequest(f"figures: expected one of {', '.join(MEASURES)}, was {measure!r}")
        if bucket_s is not None and (bucket_s < 60 or bucket_s % 60):
            raise BadRequest(f"figures: expected buckets of whole minutes, was {bucket_s} s")
        first = 0 if from_ns is None else from_ns // MINUTE_NS
        end = _FAR if to_ns is None else -(-to_ns // MINUTE_NS)
        width = _FAR if bucket_s is None else bucket_s // 60
        with self._reader.connection("compute figures") as connection:
            newest = self._newest(connection)
            stored = _stored(connection, measure, first, end, width)
        newest = [each for each in newest if each.measure == measure and first <= each.minute < end]
        return _joined(stored + newest, width, is_sum=measure in SUMS)

    def _newest(self, connection: Connection) -> list[Minute]:
        at = last_segment(connection), last_number(connection)
        with self._lock:
            if self._known[0] != at:
                self._known = at, _summed(connection, at[0])
            return self._known[1]


def _stored(connection: Connection, measure: str, first: int, end: int, width: int) -> list[Minute]:
    inside = (minutes.c.measure == measure, minutes.c.minute >= first, minutes.c.minute < end)
    if measure in _COUNTS:
        # Whole numbers are summed where they are; money would lose its exactness there.
        bucket = (minutes.c.minute // width * width).label("bucket")
        counted = select(bucket, minutes.c.pair, minutes.c.label, func.sum(minutes.c.count))
        rows = connection.execute(counted.where(*inside).group_by(bucket, minutes.c.pair, minutes.c.label))
        return [Minute(measure, start, pair, label, int(number)) for start, pair, label, number in rows]
    columns = select(minutes.c.minute, minutes.c.pair, minutes.c.label, minutes.c.count, minutes.c.amount)
    ordered = columns.where(*inside).order_by(minutes.c.minute, minutes.c.segment)
    return [
        Minute(measure, minute, pair, label, number, Decimal(amount))
        for minute, pair, label, number, amount in connection.execute(ordered)
    ]


def _summed(connection: Connection, base: int) -> list[Minute]:
    rows = connection.execute(select(*events.columns).where(events.c.seq > base).order_by(events.c.seq))
    cells = cells_of([tuple(row) for row in rows])
    return rolled(cells, columns_of(cells), latest_at(connection, base)) if cells else []


def _joined(found: list[Minute], width: int, *, is_sum: bool) -> list[Figure]:
    numbers: dict[tuple[int, str, str], int] = {}
    amounts: dict[tuple[int, str, str], Decimal] = {}
    for _, minute, pair, label, number, amount in found:
        of = minute // width * width * 60, pair, label
        numbers[of] = numbers.get(of, 0) + number
        before = amounts.get(of)
        amounts[of] = amount if before is None or not is_sum else WIDE.add(before, amount)
    return [Figure(*of, numbers[of], amounts[of]) for of in sorted(numbers)]
