"""Sum up the log in segments while it is written. Everything here can be thrown away and made anew from the events."""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from coindcx_feed.store.columns import columns_of, packed
from coindcx_feed.store.latest import STATE_COLUMNS, Latest, unpacked
from coindcx_feed.store.reading import pruned_upto
from coindcx_feed.store.rollups import MEASURES, MINUTE_NS, VERSION, rolled
from coindcx_feed.store.rows import COLUMNS, PLACES, Cells, Row, cells_of
from coindcx_feed.store.tables import (
    SEGMENT_EVENTS,
    events,
    minutes,
    segment_columns,
    segment_texts,
    segments,
)

DAY_NS: Final = 86_400_000_000_000
_DERIVED: Final = (
    (segments, segments.c.last_seq),
    (segment_columns, segment_columns.c.last_seq),
    (segment_texts, segment_texts.c.last_seq),
)
_RECEIVED: Final = PLACES["received_ns"]
_ALL: Final = select(*events.columns)
NARROW: Final = select(events.c.seq, *(events.c[name] for name in STATE_COLUMNS))
"""What the fold of the state looks at."""
_FETCH: Final = 500


class Folding:
    """The events that are in no segment yet, and the state before them.

    After a transaction that failed it is of no use any more: load another one. Events are kept as columns: turning ten
    thousand rows at once is five times as slow as turning each group while the processor has it at hand.

    Attributes:
        full: Events of whole segments that are still to be summed up, oldest first.
        is_dead: It no longer tells what the log holds.

    Threads: ``take`` belongs to the writer; one other thread may sum up meanwhile.
    """

    def __init__(self, latest: Latest, last_seq: int) -> None:
        self.latest = latest
        self._pending: list[list[Any]] = [[] for _ in COLUMNS]
        self.full: deque[Cells] = deque()
        self.last_seq = last_seq
        self.is_dead = False

    @classmethod
    def load(cls, connection: Connection) -> "Folding":
        """Go on after the newest segment; whole segments that are missing are made."""
        folding = None
        while folding is None:
            folding, _ = cls.step(connection)
        return folding

    @classmethod
    def step(cls, connection: Connection) -> "tuple[Folding | None, int]":
        """Make at most one missing segment.

        Returns:
            The folding, if no whole segment was missing, and the last number that was looked at.
        """
        base = last_segment(connection)
        folding = cls(latest_at(connection, base), base)
        wanted = _ALL.where(events.c.seq > base).order_by(events.c.seq).limit(SEGMENT_EVENTS)
        rows = [tuple(row) for row in connection.execute(wanted)]
        folding.take(rows)
        folding.write_full(connection)
        return (None if len(rows) == SEGMENT_EVENTS else folding), folding.last_seq

    def take(self, rows: Sequence[Row]) -> None:
        """Add stored events, ascending. A segment is full with its number of events, and when its day ends."""
        rest = rows
        while rest:
            seqs, times = self._pending[0], self._pending[_RECEIVED]
            fitting = _within_day(rest[: SEGMENT_EVENTS - len(seqs)], times[0] if times else rest[0][_RECEIVED])
            for column, part in zip(self._pending, cells_of(rest[:fitting]), strict=False):
                column.extend(part)
            if fitting < len(rest) or len(seqs) == SEGMENT_EVENTS:
                self._fill()
            rest = rest[fitting:]
        if rows:
            self.last_seq = rows[-1][0]

    def close(self, connection: Connection) -> None:
        """Write what is pending as a segment, however short."""
        self._fill()
        self.write_full(connection)

    def write_full(self, connection: Connection) -> None:
        """Sum up and write the full segments here and now."""
        while self.full:
            write(connection, summed(self.full.popleft(), self.latest))

    def _fill(self) -> None:
        cells, self._pending = self._pending, [[] for _ in COLUMNS]
        if cells[0]:
            self.full.append(cells)


def forget_from(connection: Connection, seq: int) -> None:
    """Delete every segment that contains a number or begins after it."""
    columns = select(segments.c.last_seq, segments.c.first_ns, segments.c.last_ns)
    for row in connection.execute(columns.where(segments.c.last_seq >= seq)).all():
        forget_segment(connection, row)


def forget_segment(connection: Connection, row: Any, *, is_snapshot_kept: bool = False) -> None:
    """Delete what was summed up of some events, except, where wanted, which of them make the state."""
    for table, last_seq in _DERIVED[1 if is_snapshot_kept else 0 :]:
        connection.execute(delete(table).where(last_seq == row.last_seq))
    # By measure and minute, in the order they are kept: looking for a segment's number would read them all.
    between = minutes.c.minute.between(row.first_ns // MINUTE_NS, row.last_ns // MINUTE_NS)
    wanted = (minutes.c.measure.in_(MEASURES), between, minutes.c.segment == row.last_seq)
    connection.execute(delete(minutes).where(*wanted))


def reopen_last(connection: Connection) -> None:
    """Delete the newest segment if it is not full: at the next one, its events go into the same."""
    last = connection.execute(
        select(segments.c.last_seq, segments.c.first_seq, segments.c.events)
        .order_by(segments.c.last_seq.desc())
        .limit(1)
    ).first()
    if last is not None and last.events < SEGMENT_EVENTS and last.first_seq > pruned_upto(connection):
        forget_from(connection, last.last_seq)


def last_segment(connection: Connection) -> int:
    """Return the last number that is in a segment, or 0."""
    return int(connection.execute(select(func.max(segments.c.last_seq))).scalar() or 0)


def latest_at(connection: Connection, last_seq: int) -> Latest:
    """Return the state at the end of a segment."""
    latest = Latest()
    snapshot = connection.execute(select(segments.c.snapshot).where(segments.c.last_seq == last_seq)).scalar()
    numbers = unpacked(bytes(snapshot)) if snapshot is not None else []
    for start in range(0, len(numbers), _FETCH):
        wanted = NARROW.where(events.c.seq.in_(numbers[start : start + _FETCH])).order_by(events.c.seq)
        latest.apply(*cells_of([tuple(row) for row in connection.execute(wanted)]))
    return latest


def _within_day(rows: Sequence[Row], first_ns: int) -> int:
    # How many of some rows may join: times hardly ever step back, so the last one speaks for all.
    day = first_ns // DAY_NS
    if rows[-1][_RECEIVED] // DAY_NS == day:
        return len(rows)
    return next((place for place, row in enumerate(rows) if row[_RECEIVED] // DAY_NS != day), len(rows))


class Summed(NamedTuple):
    """Rows of one segment, ready to be written."""

    segment: dict[str, Any]
    texts: dict[str, Any]
    columns: dict[str, Any]
    minutes: list[dict[str, Any]]


def summed(cells: Cells, latest: Latest) -> Summed:
    """Sum up the events of a segment; about 60 ms of work, none of it in the database.

    Args:
        latest: The state before them; afterwards the one after them.
    """
    columns = columns_of(cells)
    last_seq = int(columns.seqs[-1])
    rolled_minutes = rolled(cells, columns, latest)
    texts: dict[str, Any] = packed(columns)
    received = columns.received
    assert received is not None
    segment = {
        "last_seq": last_seq,
        "first_seq": int(columns.seqs[0]),
        "events": len(columns.seqs),
        "first_ns": int(received.min()),
        "last_ns": int(received.max()),
        "snapshot": latest.packed(),
        "sums": VERSION,
    }
    rows = [
        {
            "measure": each.measure,
            "minute": each.minute,
            "segment": last_seq,
            "pair": each.pair,
            "label": each.label,
            "count": each.number,
            "amount": each.written(),
        }
        for each in rolled_minutes
    ]
    return Summed(
        segment, {"last_seq": last_seq, "searched": texts.pop("searched")}, {"last_seq": last_seq, **texts}, rows
    )


def write(connection: Connection, made: Summed) -> None:
    """Write one segment."""
    connection.execute(insert(segments), made.segment)
    connection.execute(insert(segment_texts), made.texts)
    connection.execute(insert(segment_columns), made.columns)
    connection.execute(insert(minutes), made.minutes)
