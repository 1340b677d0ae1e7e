"""Filter the log without reading a body: newest segments first, the events of none before them."""

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from sqlalchemy import Connection, Select, select

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.analysis.part import Part
from coindcx_feed.events import Event, EventType
from coindcx_feed.store.columns import SMALL, Columns, Mask, Seqs, code_of_key, unpacked, words_of
from coindcx_feed.store.reading import Reader, fetched, pruned_upto
from coindcx_feed.store.rest import Rest, columns_after
from coindcx_feed.store.rows import EVENT, event_of
from coindcx_feed.store.segments import last_segment
from coindcx_feed.store.tables import SEGMENT_EVENTS, events, segment_columns, segment_texts, segments

END_NS: Final = 1 << 62


class Bounds(NamedTuple):
    """A part of the log: numbers after ``after`` up to ``upto``, times from ``from_ns`` on and before ``to_ns``."""

    after: int
    upto: int
    from_ns: int
    to_ns: int

    @classmethod
    def of(cls, after: int, upto: int | None, from_ns: int | None, to_ns: int | None) -> "Bounds":
        end = END_NS if upto is None else upto
        return cls(after, end, 0 if from_ns is None else from_ns, END_NS if to_ns is None else to_ns)

    @property
    def has_time(self) -> bool:
        return self.from_ns > 0 or self.to_ns < END_NS


class Search:
    """Questions to the whole log. Threads: any; each call is one short transaction, ``stream`` one per slice."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._rest = Rest()

    def forget(self) -> None:
        """Look at the events of no segment anew: some were replaced."""
        self._rest = Rest()

    def select(self, wanted: EventFilter, bounds: Bounds, limit: int) -> list[Event]:
        """Return the newest matches, newest first."""
        numbers: list[int] = []
        with self._reader.connection("filter the log") as connection:
            for columns in self._newest_first(connection, wanted, bounds):
                found = columns.seqs[_matching(columns, wanted, bounds)]
                numbers.extend(found[::-1][: limit - len(numbers)].tolist())
                if len(numbers) >= limit:
                    break
            events_ = fetched(connection, numbers)
        return [events_[seq] for seq in numbers if seq in events_]

    def count(self, wanted: EventFilter, bounds: Bounds) -> int:
        with self._reader.connection("count matches") as connection:
            parts = self._newest_first(connection, wanted, bounds)
            return sum(int(np.count_nonzero(_matching(columns, wanted, bounds))) for columns in parts)

    def stream(self, wanted: EventFilter, bounds: Bounds, slice_size: int) -> Iterator[list[Event]]:
        """Yield all matches, oldest first, a slice at a time.

        No transaction is open while the caller works on a slice: the write-ahead log can always be emptied.
        """
        position = bounds.after
        while position < bounds.upto:
            with self._reader.connection("read matches") as connection:
                position = max(position, pruned_upto(connection))
                columns = _next(connection, wanted, bounds._replace(after=position))
            if columns is None or not len(columns.seqs):
                return
            numbers = columns.seqs[_matching(columns, wanted, bounds._replace(after=position))]
            for start in range(0, len(numbers), slice_size):
                with self._reader.connection("read matches") as connection:
                    found = _slice(connection, numbers[start : start + slice_size])
                if found:
                    yield found
            position = int(columns.seqs[-1])

    def parts(self, bounds: Bounds) -> Iterator[Part]:
        """Yield what is looked at of some events, a segment at a time, oldest first; no body is read."""
        position = bounds.after
        while position < bounds.upto:
            with self._reader.connection("look at events") as connection:
                position = max(position, pruned_upto(connection))
                wanted = bounds._replace(after=position)
                columns = _next(connection, EventFilter(), wanted, ("keys", "prices"))
            if columns is None or not len(columns.seqs):
                return
            yield _part(columns, _matching(columns, EventFilter(), wanted))
            position = int(columns.seqs[-1])

    def of_key(self, kind: EventType, key: str, upto: int | None, limit: int) -> list[Event]:
        """Return the newest events of one id up to a number, oldest first."""
        found: list[Event] = []
        code, wanted = code_of_key(key), EventFilter(types=(kind.value,))
        with self._reader.connection("read a history") as connection:
            for columns in self._newest_first(connection, wanted, Bounds.of(0, upto, None, None), "keys"):
                mask = _matching(columns, wanted, Bounds.of(0, upto, None, None)) & (columns.keys == code)
                numbers = columns.seqs[mask][::-1].tolist()
                events_ = fetched(connection, numbers)
                found.extend(events_[seq] for seq in numbers if seq in events_ and events_[seq].facts.key == key)
                if len(found) >= limit:
                    break
        return found[:limit][::-1]

    def seq_at(self, at_ns: int) -> int | None:
        """Return the newest number received at or before a time."""
        bounds = Bounds.of(0, None, None, at_ns + 1)
        with self._reader.connection("look for a time") as connection:
            for columns in self._newest_first(connection, EventFilter(), bounds):
                numbers = columns.seqs[_matching(columns, EventFilter(), bounds)]
                if len(numbers):
                    return int(numbers[-1])
        return None

    def _newest_first(
        self, connection: Connection, wanted: EventFilter, bounds: Bounds, *more: str
    ) -> Iterator[Columns]:
        bounds = bounds._replace(after=max(bounds.after, pruned_upto(connection)))
        yield from self._rest.newest_first(connection)
        query = _segments(wanted, bounds, more).order_by(segments.c.last_seq.desc())
        for row in connection.execute(query.execution_options(yield_per=4)):
            yield unpacked(row.first_seq, dict(row._mapping))


def _matching(columns: Columns, wanted: EventFilter, bounds: Bounds) -> Mask:
    mask = columns.mask(wanted)
    if bounds.after or bounds.upto < END_NS:
        mask &= (columns.seqs > bounds.after) & (columns.seqs <= bounds.upto)
    if bounds.has_time and columns.received is not None:
        mask &= (columns.received >= bounds.from_ns) & (columns.received < bounds.to_ns)
    return columns.found(mask, words_of(wanted))


def _part(columns: Columns, mask: Mask) -> Part:
    assert columns.keys is not None
    assert columns.prices is not None
    has_price, every = ~np.isnan(columns.prices[mask]), np.ones(int(mask.sum()), dtype=np.bool_)
    texts = columns.texts.statuses

    def codes(words: Collection[str]) -> list[int]:
        return [code for code, text in enumerate(texts) if (text or "").lower() in words]

    kept = columns.seqs[mask], columns.types[mask], columns.keys[mask]
    return Part(*kept, has_price, every, columns.statuses[mask], codes)


def _next(connection: Connection, wanted: EventFilter, bounds: Bounds, more: tuple[str, ...] = ()) -> Columns | None:
    row = connection.execute(_segments(wanted, bounds, more).order_by(segments.c.last_seq).limit(1)).first()
    if row is not None:
        return unpacked(row.first_seq, dict(row._mapping))
    return columns_after(connection, max(bounds.after, last_segment(connection)), SEGMENT_EVENTS)


def _segments(wanted: EventFilter, bounds: Bounds, more: tuple[str, ...]) -> Select[Any]:
    names = [*SMALL, *more]
    if wanted.price_min is not None or wanted.price_max is not None:
        names.append("prices")
    if bounds.has_time:
        names.append("received")
    joined = segments.join(segment_columns, segments.c.last_seq == segment_columns.c.last_seq)
    columns = [segments.c.first_seq, *(segment_columns.c[name] for name in names)]
    if wanted.text.split():
        joined = joined.join(segment_texts, segments.c.last_seq == segment_texts.c.last_seq)
        columns.append(segment_texts.c.searched)
    query = select(*columns).select_from(joined)
    query = query.where(segments.c.last_seq > bounds.after, segments.c.first_seq <= bounds.upto)
    if bounds.has_time:
        query = query.where(segments.c.last_ns >= bounds.from_ns, segments.c.first_ns < bounds.to_ns)
    return query


def _slice(connection: Connection, numbers: Seqs) -> list[Event]:
    first, last = int(numbers[0]), int(numbers[-1])
    if last - first < 2 * len(numbers):
        # A range is read in the order it lies on the disk: cheaper than asking for most of its numbers one by one.
        rows = connection.execute(EVENT.where(events.c.seq.between(first, last)).order_by(events.c.seq))
        wanted = None if last - first == len(numbers) - 1 else set(numbers.tolist())
        return [event_of(row) for row in rows if wanted is None or row[0] in wanted]
    found = fetched(connection, numbers.tolist())
    return [found[seq] for seq in numbers.tolist() if seq in found]
