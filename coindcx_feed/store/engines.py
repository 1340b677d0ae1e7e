"""Connections to SQLite and PostgreSQL: what differs between the two is here and nowhere else."""

import importlib.util
import sqlite3
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from coindcx_feed.errors import ConfigError
from coindcx_feed.store.tables import APPLICATION_ID

EngineName = Literal["sqlite", "postgresql"]

BUSY_S: Final = 2.0
"""An append waits so long for whoever holds the log. The feed decides what it shows meanwhile."""
READERS: Final = 4
CHECKPOINT_PAGES: Final = 2_000
"""The write-ahead log goes back into the file after so many pages of 4 KiB."""
CACHE_KIB: Final = 16_384
KEPT_WAL_BYTES: Final = 64 << 20
_KINDS: Final = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"
_ALIASES: Final = {"postgres": "postgresql", "postgresql+psycopg": "postgresql", "sqlite+pysqlite": "sqlite"}
_LONG_S: Final = 10.0


class Place(NamedTuple):
    """Where a log is: its address without password, and the file if it is one."""

    url: URL
    name: EngineName
    path: Path | None

    @property
    def shown(self) -> str:
        return self.url.set(drivername=self.name, query={}).render_as_string(hide_password=True)


def parse_place(url: str) -> Place:
    """Read the address of a log.

    Raises:
        ConfigError: If it is neither a file nor a PostgreSQL database, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(f"store: expected {_KINDS}, was an address that cannot be read: correct it") from None
    kind = _ALIASES.get(parsed.drivername, parsed.drivername)
    if kind == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise ConfigError("store: expected sqlite:///PATH, was no path of a file: name one")
        return Place(parsed.set(drivername="sqlite+pysqlite"), "sqlite", Path(parsed.database))
    if kind == "postgresql":
        if importlib.util.find_spec("psycopg") is None:
            raise ConfigError(
                "store: expected the driver psycopg for PostgreSQL, was not installed: "
                "pip install 'coindcx-feed[postgres]'"
            )
        return Place(parsed.set(drivername="postgresql+psycopg"), "postgresql", None)
    raise ConfigError(f"store: expected {_KINDS}, was {parsed.drivername!r}: choose one of the two")


def writer_engine(place: Place, synchronous: str) -> Engine:
    """Return the engine of the one connection that writes."""
    if place.name == "postgresql":
        return _postgres(place, 1, synchronous, is_reader=False)
    engine = _sqlite(place, 1)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        cursor = cast(sqlite3.Connection, connection).cursor()
        # Pages that pruning empties can be given back later. Only a new file takes it; another one would be written to
        # before anybody has looked whose it is.
        if cursor.execute("PRAGMA page_count").fetchone() == (0,):
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute(f"PRAGMA synchronous={'FULL' if synchronous == 'full' else 'NORMAL'}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        cursor.execute(f"PRAGMA journal_size_limit={KEPT_WAL_BYTES}")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.close()

    _begin_with(engine, "BEGIN IMMEDIATE")
    return engine


def reader_engine(place: Place) -> Engine:
    """Return the engine of a few connections that only read."""
    if place.name == "postgresql":
        return _postgres(place, READERS, "full", is_reader=True)
    engine = _sqlite(place, READERS)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        cursor = cast(sqlite3.Connection, connection).cursor()
        cursor.execute("PRAGMA query_only=1")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.close()

    _begin_with(engine, "BEGIN")
    return engine


def own_pragmas(connection: Connection) -> None:
    """Mark a new SQLite file as ours."""
    connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")


def _sqlite(place: Place, size: int) -> Engine:
    # isolation_level None: this package begins transactions itself; the driver would do it behind its back.
    arguments = {"check_same_thread": False, "timeout": BUSY_S, "isolation_level": None}
    return create_engine(
        place.url, connect_args=arguments, poolclass=QueuePool, pool_size=size, max_overflow=0, pool_timeout=_LONG_S
    )


def _begin_with(engine: Engine, statement: str) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)


def _postgres(place: Place, size: int, synchronous: str, *, is_reader: bool) -> Engine:
    limit_ms = round((_LONG_S if is_reader else BUSY_S) * 1000)
    options = [
        f"-c statement_timeout={limit_ms}",
        f"-c lock_timeout={limit_ms}",
        f"-c idle_in_transaction_session_timeout={round(_LONG_S * 1000)}",
        f"-c synchronous_commit={'on' if synchronous == 'full' else 'off'}",
        f"-c default_transaction_read_only={'on' if is_reader else 'off'}",
    ]
    arguments = {
        "connect_timeout": round(BUSY_S),
        "options": " ".join(options),
        "application_name": "coindcx-feed",
        "keepalives_idle": 10,
        "tcp_user_timeout": round(BUSY_S * 1000),
    }
    # A reader's connection may have died with the server meanwhile: it is tried before it is used.
    return create_engine(
        place.url,
        connect_args=arguments,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_LONG_S,
        pool_pre_ping=is_reader,
        **({"isolation_level": "REPEATABLE READ"} if is_reader else {}),
    )
