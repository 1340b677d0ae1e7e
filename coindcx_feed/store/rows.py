"""Events as rows of the table, and back. A row is a plain tuple, which the garbage collector
need not walk."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.exc import DataError

from coindcx_feed.events import Event, EventType, Facts, Source
from coindcx_feed.store.tables import events

Row = tuple[Any, ...]

COLUMNS: Final = tuple(column.name for column in events.columns)
"""Order of a row."""
PLACES: Final = {name: place for place, name in enumerate(COLUMNS)}
EVENT: Final = select(*(column for column in events.columns if column.name != "epoch_id"))
"""All that makes an event."""

_TYPES: Final = {kind.value: kind for kind in EventType}
_SOURCES: Final = {source.value: source for source in Source}
_LATE: Final = (0, 1)


def row_of(event: Event, epoch_id: int) -> Row:
    """Return the row of an event, in the order of ``COLUMNS``.

    Only exact built-in types go in: for a subclass the SQLite driver looks up an adapter, a microsecond each.
    """
    seq, kind, source, received_ns, facts, body, at, size, previous, is_late = event
    key, pair, side, status, price, message, exchange_ms = facts
    return (
        seq,
        epoch_id,
        kind._value_,
        source._value_,
        received_ns,
        previous,
        _LATE[is_late],
        at,
        size,
        key,
        pair,
        side,
        status,
        price,
        message,
        exchange_ms,
        body,
    )


def event_of(row: Sequence[Any]) -> Event:
    """Return the event of a row that ``EVENT`` selected."""
    seq, kind, source, received, previous, late, at, size, key, pair, side, status, price, message, stamp, body = row
    facts = Facts(key, pair, side, status, price, message, stamp)
    return Event(seq, _TYPES[kind], _SOURCES[source], received, facts, bytes(body), at, size, previous, late != 0)


def type_of(text: str) -> EventType:
    return _TYPES[text]


def run_insert(connection: Connection, statement: str, rows: list[Row]) -> None:
    """Insert rows; texts that a database cannot keep are replaced, which is looked for only when it complains."""
    savepoint = connection.begin_nested() if connection.dialect.name == "postgresql" else None
    try:
        connection.exec_driver_sql(statement, rows)
    except (UnicodeEncodeError, DataError):
        if savepoint is not None:
            savepoint.rollback()
        connection.exec_driver_sql(statement, cleaned(rows))


def cleaned(rows: Iterable[Row]) -> list[Row]:
    """Replace in every text what a database cannot keep: NUL, and halves of surrogate pairs. Bodies stay."""
    return [tuple(_clean(value) if isinstance(value, str) else value for value in row) for row in rows]


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def insert_text(table: Table, dialect: Dialect) -> str:
    """Compile an insert that skips rows whose key is there already; its parameters are tuples in column order."""
    insert = insert_postgresql if dialect.name == "postgresql" else insert_sqlite
    return str(insert(table).on_conflict_do_nothing().compile(dialect=_positional(dialect)))


def _positional(dialect: Dialect) -> Dialect:
    # psycopg takes %s with tuples; its SQLAlchemy dialect would name the parameters.
    if dialect.name != "postgresql":
        return dialect
    from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

    return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
