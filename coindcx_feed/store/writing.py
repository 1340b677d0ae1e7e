"""The one connection that writes: what happens inside ``transaction`` is durable when it ends, or never happened."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from coindcx_feed.errors import ConfigError, StoreBusy, StoreCorrupt, StoreError, StoreGone
from coindcx_feed.store import files
from coindcx_feed.store.engines import Place
from coindcx_feed.store.faults import as_store_error, translated
from coindcx_feed.store.lines import Lines
from coindcx_feed.store.opening import lock_server


class Writer:
    """Keeps its connection and makes another one after an error.

    Args:
        engine: Has one connection.
        place: Where the log is; a file that is no longer there is noticed before each transaction.
        is_read_only: Refuse every transaction.

    Threads: any, one at a time; the lock makes the others wait.
    """

    def __init__(self, engine: Engine, place: Place, *, is_read_only: bool = False) -> None:
        self._is_read_only = is_read_only
        self._engine, self._place, self._lines = engine, place, Lines(engine)
        self._is_given_up = False
        self.dialect = engine.dialect
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._inode = _inode(place)

    @contextmanager
    def transaction(self, doing: str) -> Iterator[Connection]:
        """Lend the connection inside a transaction.

        Raises:
            StoreError: Nothing inside happened, unless the commit itself was cut off.
        """
        if self._is_read_only:
            raise StoreError(f"{doing}: expected a log that may be written, was opened to be read: open it to write")
        with self._lock:
            if self._is_given_up:
                raise StoreGone(f"{doing}: expected a log that answers, was given up: open it again")
            self._check_file(doing)
            try:
                with translated(doing):
                    connection = self._connected()
                    with connection.begin():
                        yield connection
            except StoreCorrupt:
                files.suspect(self._place.path)
                self._drop()
                raise
            except BaseException:
                self._drop()
                raise

    def checkpoint(self) -> None:
        """Move what the WAL holds into the SQLite file: a new one carries our mark from then on."""
        if self._place.path is None:
            return
        with self._lock, translated("checkpoint"):
            raw = self._connected().connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()

    def give_up(self) -> None:
        """Let whoever waits for the server, and whoever comes later, fail at once. Threads: any, without the lock."""
        self._is_given_up = True
        self._lines.cut()

    def close(self) -> None:
        with self._lock:
            self._drop()
            self._engine.dispose()

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._engine.connect()
            try:
                lock_server(connection, self._place)
            except ConfigError as error:
                connection.close()
                raise StoreBusy(str(error)) from None
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.invalidate()
            connection.close()
        except SQLAlchemyError as error:
            # It is of no use any more; what it said first has been raised already.
            as_store_error(error, "leave the log")

    def _check_file(self, doing: str) -> None:
        # SQLite would go on writing to a file that nobody can open again.
        if self._place.path is not None and _inode(self._place) != self._inode:
            raise StoreGone(
                f"{doing}: expected the file {self._place.path}, was removed or replaced: restart to begin a new log"
            )


def _inode(place: Place) -> int:
    try:
        return 0 if place.path is None else os.stat(place.path).st_ino
    except OSError:
        return -1
