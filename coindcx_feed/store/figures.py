"""Figures of any span from the per-minute rollups; no event before the newest segment is read.

Events are counted from the columns of the segments instead, a sixth of the cost of adding up their rollups.
"""

import threading
from collections.abc import Iterator
from decimal import Decimal
from functools import reduce
from typing import Final, NamedTuple

import numpy as np
from sqlalchemy import Connection, func, literal, select

from coindcx_feed.errors import BadRequest
from coindcx_feed.exchange.numbers import WIDE
from coindcx_feed.store.columns import SMALL, TYPES, Columns, columns_of, unpacked
from coindcx_feed.store.reading import Reader, last_number, pruned_upto
from coindcx_feed.store.rollups import MEASURES, MINUTE_NS, SUMS, VERSION, Minute, rolled
from coindcx_feed.store.rows import cells_of
from coindcx_feed.store.segments import last_segment, latest_at
from coindcx_feed.store.tables import events, minutes, segment_columns, segments

EVENTS: Final = "events"
_COUNTS: Final = frozenset({EVENTS, "orders"})
_ZERO: Final = Decimal(0)
_FAR: Final = 1 << 30
_LAST_NS: Final = 1 << 62
"""Later than any event; a number beyond 64 bits is none that a database compares with."""


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
            stored = (
                _counted(connection, first, end, width)
                if measure == EVENTS
                else _stored(connection, measure, first, end, width)
            )
        newest = [each for each in newest if each.measure == measure and first <= each.minute < end]
        return _joined(stored + newest, width, is_sum=measure in SUMS)

    def lacking_until_ns(self) -> int | None:
        """See ``EventStore.lacking_until_ns``."""
        with self._reader.connection("look at the sums") as connection:
            old = (segments.c.sums < VERSION, segments.c.last_seq > pruned_upto(connection))
            found: int | None = connection.execute(select(func.max(segments.c.last_ns)).where(*old)).scalar()
        return found

    def _newest(self, connection: Connection) -> list[Minute]:
        at = last_segment(connection), last_number(connection)
        with self._lock:
            if self._known[0] != at:
                self._known = at, _summed(connection, at[0])
            return self._known[1]


def _counted(connection: Connection, first: int, end: int, width: int) -> list[Minute]:
    joined = segments.join(segment_columns, segments.c.last_seq == segment_columns.c.last_seq)
    names = (segment_columns.c[name] for name in (*SMALL, "received"))
    query = select(segments.c.first_seq, *names).select_from(joined)
    inside = query.where(segments.c.last_ns >= first * MINUTE_NS, segments.c.first_ns < min(end * MINUTE_NS, _LAST_NS))
    found: list[Minute] = []
    for row in connection.execute(inside.execution_options(yield_per=4)):
        found.extend(_of_segment(unpacked(row.first_seq, dict(row._mapping)), first, end, width))
    return found


def _of_segment(columns: Columns, first: int, end: int, width: int) -> Iterator[Minute]:
    assert columns.received is not None
    minute = columns.received // MINUTE_NS
    inside = (minute >= first) & (minute < end)
    pairs, types = len(columns.texts.pairs), len(TYPES)
    codes = (minute // width * pairs + columns.pairs) * types + columns.types
    numbers, counts = np.unique(codes[inside], return_counts=True)
    for code, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        place, kind = divmod(code, types)
        bucket, pair = divmod(place, pairs)
        yield Minute(EVENTS, bucket * width, columns.texts.pairs[pair] or "", TYPES[kind], count)


def _stored(connection: Connection, measure: str, first: int, end: int, width: int) -> list[Minute]:
    inside = (minutes.c.measure == measure, minutes.c.minute >= first, minutes.c.minute < end)
    if measure not in SUMS:
        columns = select(minutes.c.minute, minutes.c.pair, minutes.c.label, minutes.c.count, minutes.c.amount)
        ordered = columns.where(*inside).order_by(minutes.c.minute, minutes.c.segment)
        return [
            Minute(measure, minute, pair, label, number, Decimal(amount))
            for minute, pair, label, number, amount in connection.execute(ordered)
        ]
    # The database counts, and puts the texts of money together: it would add them up as binary numbers.
    bucket = (minutes.c.minute // width * width).label("bucket")
    texts = literal("") if measure in _COUNTS else func.aggregate_strings(minutes.c.amount, " ")
    added = select(bucket, minutes.c.pair, minutes.c.label, func.sum(minutes.c.count), texts)
    rows = connection.execute(added.where(*inside).group_by(bucket, minutes.c.pair, minutes.c.label))
    return [
        Minute(measure, start, pair, label, int(number), reduce(WIDE.add, map(Decimal, amounts.split()), _ZERO))
        for start, pair, label, number, amounts in rows
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
