"""Events as rows of the table, and back. A row is a plain tuple, which the garbage collector
need not walk."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from coindcx_feed.events import Event, EventType, Facts, Source
from coindcx_feed.store.faults import as_store_error
from coindcx_feed.store.tables import events

Row = tuple[Any, ...]
Cells = Sequence[Sequence[Any]]
"""Some rows turned by a quarter: one sequence per column, in the order of ``COLUMNS``."""

COLUMNS: Final = tuple(column.name for column in events.columns)
"""Order of a row. The facts stand in it in their own order."""
PLACES: Final = {name: place for place, name in enumerate(COLUMNS)}
EVENT: Final = select(*(column for column in events.columns if column.name != "epoch_id"))
"""All that makes an event."""

_TYPES: Final = {kind.value: kind for kind in EventType}
_SOURCES: Final = {source.value: source for source in Source}


def row_of(event: Event, epoch_id: int) -> Row:
    """Return the row of an event, in the order of ``COLUMNS``.

    Only exact built-in types go in: for a subclass the SQLite driver looks up an adapter, a microsecond each.
    """
    seq, kind, source, received_ns, facts, body, at, size, previous, is_late = event
    late = 1 if is_late else 0
    return (seq, epoch_id, kind._value_, source._value_, received_ns, previous, late, at, size, *facts, body)


def event_of(row: Sequence[Any]) -> Event:
    """Return the event of a row that ``EVENT`` selected."""
    seq, kind, source, received, previous, late, at, size, key, pair, side, status, price, message, stamp, body = row
    facts = Facts(key, pair, side, status, price, message, stamp)
    return Event(seq, _TYPES[kind], _SOURCES[source], received, facts, bytes(body), at, size, previous, late != 0)


def cells_of(rows: Sequence[Row]) -> Cells:
    return tuple(zip(*rows, strict=True))


def type_of(text: str) -> EventType:
    return _TYPES[text]


def run_insert(connection: Connection, statement: str, rows: list[Row]) -> None:
    """Insert rows; texts that a database cannot keep are replaced, which is looked for only when it complains.

    The driver is called directly: SQLAlchemy's way to it costs 30 microseconds, as much as a dozen rows.
    """
    errors = driver_errors(connection.dialect)
    savepoint = connection.begin_nested() if connection.dialect.name == "postgresql" else None
    cursor = connection.connection.cursor()
    try:
        try:
            cursor.executemany(statement, rows)
        except (ValueError, errors.DataError):
            if savepoint is not None:
                savepoint.rollback()
            cursor.executemany(statement, cleaned(rows))
    except errors.Error as error:
        raise as_store_error(error, "append") from error
    finally:
        cursor.close()


def driver_errors(dialect: Dialect) -> Any:
    """Return the module that has the driver's exception classes."""
    return dialect.dbapi


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
