"""Forget the oldest part of the log, whole segments at a time, in slices that a writer hardly notices."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from coindcx_feed.store.latest import unpacked
from coindcx_feed.store.reading import Reader, pruned_upto
from coindcx_feed.store.segments import forget_segment
from coindcx_feed.store.tables import events, header, marks, segments
from coindcx_feed.store.writing import Writer

SLICE: Final = 250
"""Rows per transaction: about two milliseconds."""
_HOUR_S: Final = 3_600
_LEAN: Final = 8
"""A file gives space back to the system when more than one page in so many is empty."""
_VACUUM_PAGES: Final = 128


class Pruning:
    """Deletes what is too old or too much. Threads: one, which need not be the writer.

    The events that make the state at the cut stay, invisible to everything but ``state_at``: without them no later
    moment could be shown.
    """

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader, self._writer = reader, writer

    def run(self, older_than_ns: int | None, max_bytes: int | None) -> int:
        """Return how many events were forgotten."""
        forgotten = part = self._forget(older_than_ns, max_bytes)
        # Sizes of segments differ: what is left is only known afterwards.
        while part and max_bytes is not None:
            part = self._forget(None, max_bytes)
            forgotten += part
        if older_than_ns is not None:
            self._forget_marks(older_than_ns // 1_000_000_000)
        self._give_back()
        return forgotten

    def _forget(self, older_than_ns: int | None, max_bytes: int | None) -> int:
        used = 0 if max_bytes is None else self._reader.used_bytes()
        with self._reader.connection("prune") as connection:
            doomed = _doomed(connection, older_than_ns, max_bytes, used)
        if doomed:
            with self._writer.transaction("prune") as connection:
                connection.execute(update(header).values(pruned_upto=doomed[-1].last_seq))
        for row in doomed:
            with self._slice() as connection:
                forget_segment(connection, row, is_snapshot_kept=row is doomed[-1])
        self._sweep()
        return sum(int(row.events) for row in doomed)

    @contextmanager
    def _slice(self) -> Iterator[Connection]:
        # One short transaction, and then as long a pause: whoever waits for the writer's lock gets it.
        with self._writer.transaction("prune") as connection:
            began = time.perf_counter()
            yield connection
        time.sleep(time.perf_counter() - began)

    def _sweep(self) -> None:
        # Also what a run that was cut off left behind.
        with self._reader.connection("prune") as connection:
            cut = pruned_upto(connection)
            kept = _anchors(connection, cut)
        position = 0
        while position < cut:
            with self._reader.connection("prune") as connection:
                inside = (events.c.seq > position, events.c.seq <= cut)
                wanted = select(events.c.seq).where(*inside).order_by(events.c.seq).limit(SLICE)
                numbers = [int(row[0]) for row in connection.execute(wanted)]
            if not numbers:
                return
            position = numbers[-1]
            spared = [seq for seq in numbers if seq in kept]
            if len(spared) < len(numbers):
                with self._slice() as connection:
                    between = events.c.seq.between(numbers[0], position)
                    connection.execute(delete(events).where(between, events.c.seq.not_in(spared)))

    def _forget_marks(self, before_s: int) -> None:
        with self._reader.connection("prune") as connection:
            firsts = connection.execute(select(marks.c.pair, func.min(marks.c.second)).group_by(marks.c.pair)).all()
        for pair, first in firsts:
            for start in range(first, before_s, _HOUR_S):
                end = min(start + _HOUR_S, before_s)
                with self._slice() as connection:
                    old = (marks.c.pair == pair, marks.c.second >= start, marks.c.second < end)
                    connection.execute(delete(marks).where(*old))

    def _give_back(self) -> None:
        if not self._reader.is_file:
            return
        while self._reader.empty_share() * _LEAN > 1:
            with self._slice() as connection:
                # The driver takes one step per call, which frees one page, whatever number is asked for.
                for _ in range(_VACUUM_PAGES):
                    cursor = connection.connection.cursor()
                    cursor.execute("PRAGMA incremental_vacuum(1)")
                    cursor.close()


def _doomed(connection: Connection, older_than_ns: int | None, max_bytes: int | None, used: int) -> Sequence[Any]:
    columns = select(segments.c.last_seq, segments.c.events, segments.c.first_ns, segments.c.last_ns)
    rows = connection.execute(
        columns.where(segments.c.last_seq > pruned_upto(connection)).order_by(segments.c.last_seq)
    )
    found = rows.all()
    excess = 0 if max_bytes is None else used - max_bytes
    each = used / max(1, sum(row.events for row in found))
    number = 0
    for place, row in enumerate(found, 1):
        is_old = older_than_ns is not None and row.last_ns < older_than_ns
        if is_old or excess > 0:
            number = place
        else:
            break
        excess -= round(each * row.events)
    return found[:number]


def _anchors(connection: Connection, cut: int) -> set[int]:
    snapshot = connection.execute(select(segments.c.snapshot).where(segments.c.last_seq == cut)).scalar()
    return set(unpacked(bytes(snapshot))) if snapshot is not None else set()
