"""The events that are in no segment yet, as columns that are kept from one question to the next."""

import threading
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from coindcx_feed.store.columns import Columns, columns_of
from coindcx_feed.store.reading import pruned_upto
from coindcx_feed.store.rows import COLUMNS, Row, cells_of
from coindcx_feed.store.segments import last_segment
from coindcx_feed.store.tables import events

MOST_PARTS: Final = 16
"""Parts are joined beyond so many: each costs a filter a few microseconds."""
_NARROW: Final = select(*(events.c[name] for name in COLUMNS if name != "body"))


class Rest:
    """Reads each event once: reading ten thousand rows takes ten times as long as filtering their columns.

    Threads: any.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base = -1
        self._rows: list[Row] = []
        self._parts: list[Columns] = []

    def newest_first(self, connection: Connection) -> Iterator[Columns]:
        """Yield the columns of what is in no segment, as this transaction sees it or newer."""
        base = max(last_segment(connection), pruned_upto(connection))
        with self._lock:
            if base < self._base:
                # Another thread saw a segment that this transaction does not know.
                found = columns_after(connection, base)
                parts = [] if found is None else [found]
            else:
                self._read_on(connection, base)
                parts = list(self._parts)
        return reversed(parts)

    def _read_on(self, connection: Connection, base: int) -> None:
        if base != self._base:
            self._base, self._rows, self._parts = base, [], []
        rows = _rows_after(connection, self._rows[-1][0] if self._rows else base)
        if not rows:
            return
        self._rows += rows
        if len(self._parts) < MOST_PARTS:
            self._parts.append(columns_of(cells_of(rows)))
        else:
            self._parts = [columns_of(cells_of(self._rows))]


def columns_after(connection: Connection, after: int, limit: int | None = None) -> Columns | None:
    """Return the columns of the events after a number, or ``None`` when there are none."""
    rows = _rows_after(connection, after, limit)
    return columns_of(cells_of(rows)) if rows else None


def _rows_after(connection: Connection, after: int, limit: int | None = None) -> list[Row]:
    wanted = _NARROW.where(events.c.seq > after).order_by(events.c.seq).limit(limit)
    return [tuple(row) for row in connection.execute(wanted)]
