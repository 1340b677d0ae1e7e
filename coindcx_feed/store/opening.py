"""Open a log: begin, migrate or refuse it, all in one transaction, before anything is written to it."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Final

from filelock import FileLock, Timeout
from sqlalchemy import Connection, column, delete, func, insert, inspect, select, table

from coindcx_feed.errors import ConfigError, StoreCorrupt, StoreError
from coindcx_feed.store import files
from coindcx_feed.store.engines import Place, own_pragmas
from coindcx_feed.store.faults import first_line
from coindcx_feed.store.tables import SCHEMA_VERSIONS, header, metadata

VERSION_TABLE: Final = "store_version"
LOCK_KEY: Final = 0x43_44_43_58_0001
"""PostgreSQL's advisory lock of whoever writes."""
_LOCK_S: Final = 2.0
_RETRY_S: Final = 0.05


def account_digest(account: str) -> str:
    """Name an account without telling it."""
    return hashlib.sha256(account.encode()).hexdigest()[:16]


def lock_file(place: Place) -> FileLock | None:
    """Take the lock of the one process that writes a file; PostgreSQL has its own.

    Raises:
        ConfigError: If another one has it.
    """
    if place.path is None:
        return None
    lock = FileLock(place.path.with_name(f"{place.path.name}.lock"), mode=0o600)
    try:
        files.make_folder(place.path)
        lock.acquire(timeout=0)
    except Timeout:
        raise _taken(place) from None
    except OSError as error:
        raise ConfigError(f"store: expected to write {place.path}, was '{error.strerror}': name another path") from None
    return lock


def lock_server(connection: Connection, place: Place) -> None:
    """Take the lock of the one session that writes; a session that just died may hold it for a moment.

    Raises:
        ConfigError: If another one has it.
    """
    if place.name != "postgresql":
        return
    end = time.monotonic() + _LOCK_S
    while not connection.execute(select(func.pg_try_advisory_lock(LOCK_KEY))).scalar_one():
        connection.rollback()
        if time.monotonic() > end:
            raise _taken(place)
        time.sleep(_RETRY_S)
    connection.commit()


def must_exist(place: Place) -> None:
    """See that a file that is only read is there and ours.

    Raises:
        ConfigError: If it is not.
    """
    if place.path is not None and (owner := files.whose(place.path)) != "ours":
        was = "nothing" if owner == "new" else "another program's file"
        raise ConfigError(f"store: expected a log, was {was}, {place.path}: name another path")


def prepare_file(place: Place) -> str | None:
    """See that the file is ours to write and whole, as far as its first bytes tell.

    Returns:
        One line about a damaged file that was set aside.
    Raises:
        ConfigError: If it is another program's, or cannot be written.
    """
    path = place.path
    if path is None:
        return None
    owner = files.whose(path)
    if owner == "foreign":
        raise ConfigError(f"store: expected a log of this program, was another file, {path}: name another path")
    why = files.damage(path) if owner == "ours" else None
    note = files.set_aside(path, why) if why else None
    files.create(path)
    return note


def begin_or_check(connection: Connection, place: Place, mode: str, digest: str, *, is_fresh: bool) -> None:
    """Bring the schema up to date and compare the header. The caller's transaction makes it all or nothing.

    Raises:
        ConfigError: One line: another mode or account, a newer schema, tables of another program.
    """
    names = set(inspect(connection).get_table_names())
    if header.name not in names:
        known = set(metadata.tables) if place.path is None else names
        if clash := sorted(names & known):
            raise ConfigError(
                f"store: expected an empty database or a log, was a foreign table {clash[0]} in {place.shown}"
            )
        _migrate(connection)
        _begin(connection, place, mode, digest)
        return
    _check_version(connection, place)
    found = connection.execute(select(header.c.mode, header.c.account_digest)).one()
    if found.mode != mode:
        raise ConfigError(f"store: expected mode {mode}, was a log of mode {found.mode}, {place.shown}: name another")
    if is_fresh:
        # It may be an older version's: migrated even so, or what was new in the schema would be missing to the end.
        _migrate(connection)
        _empty(connection)
        _begin(connection, place, mode, digest)
    elif found.account_digest != digest:
        raise ConfigError(f"store: expected this account, was another account's log, {place.shown}: name another")
    else:
        _migrate(connection)


def check_only(connection: Connection, place: Place, mode: str, digest: str) -> None:
    """Compare version and header of a log that is only read.

    Raises:
        ConfigError: As ``begin_or_check``, and when it has to be migrated first.
    """
    if header.name not in inspect(connection).get_table_names():
        raise ConfigError(f"store: expected a log, was nothing in {place.shown}: start the feed once")
    version = _check_version(connection, place)
    if version != SCHEMA_VERSIONS[-1]:
        raise ConfigError(
            f"store: expected schema {SCHEMA_VERSIONS[-1]}, was {version}, {place.shown}: start the feed once"
        )
    found = connection.execute(select(header.c.mode, header.c.account_digest)).one()
    if found.mode != mode or found.account_digest != digest:
        raise ConfigError(
            f"store: expected mode {mode} and this account, was a log of mode {found.mode} "
            f"or of another account, {place.shown}: name another"
        )


@contextmanager
def refusing(place: Place) -> Iterator[None]:
    """Turn what the database says while opening into one line; damage of a file is left to the caller."""
    try:
        yield
    except StoreError as error:
        if isinstance(error, StoreCorrupt) and place.path is not None:
            raise
        raise ConfigError(
            f"store: expected to open {place.shown}, was '{first_line(error.__cause__ or error)}': "
            "check that it is there and that this user may write to it"
        ) from None


def _check_version(connection: Connection, place: Place) -> str:
    version = str(connection.execute(select(table(VERSION_TABLE, column("version_num")))).scalar_one())
    if version not in SCHEMA_VERSIONS:
        raise ConfigError(
            f"store: expected schema {SCHEMA_VERSIONS[-1]} or older, was {version}, {place.shown}: update this program"
        )
    return version


def _migrate(connection: Connection) -> None:
    if VERSION_TABLE in inspect(connection).get_table_names():
        version = connection.execute(select(table(VERSION_TABLE, column("version_num")))).scalar_one()
        if version == SCHEMA_VERSIONS[-1]:
            return
    # Imported here: it takes a fifth of a second, and most starts have nothing to migrate.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("coindcx_feed.store") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, SCHEMA_VERSIONS[-1])
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA user_version={int(SCHEMA_VERSIONS[-1])}")


def _begin(connection: Connection, place: Place, mode: str, digest: str) -> None:
    if place.path is not None:
        own_pragmas(connection)
    row = {"id": 1, "mode": mode, "account_digest": digest, "created_ns": time.time_ns(), "pruned_upto": 0}
    connection.execute(insert(header), row)


def _empty(connection: Connection) -> None:
    for each in metadata.sorted_tables:
        connection.execute(delete(each))


def _taken(place: Place) -> ConfigError:
    return ConfigError(f"store: expected to be the only writer of {place.shown}, was taken: end the other process")
