"""The SQLite file before SQLite sees it: whose it is, who may read it, and where a damaged one is kept."""

import contextlib
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from coindcx_feed.errors import ConfigError
from coindcx_feed.store.faults import CORRUPT_SIGNS
from coindcx_feed.store.tables import APPLICATION_ID

MAGIC: Final = b"SQLite format 3\0"
HEAD_BYTES: Final = 100
_APPLICATION_AT: Final = 68
_COMPANIONS: Final = ("", "-wal", "-shm")

Whose = Literal["new", "ours", "foreign"]


def whose(path: Path) -> Whose:
    """Tell a file of ours from one of another program by its first bytes, without opening it as a database.

    Raises:
        ConfigError: If the path is no file or cannot be read.
    """
    try:
        if path.is_dir():
            raise ConfigError(f"store: expected a file, was the folder {path}: name a file in it")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except FileNotFoundError:
        return "new"
    except OSError as error:
        raise ConfigError(f"store: expected to read {path}, was '{error.strerror}': check its permissions") from None
    if not head:
        return "new"
    mark = int.from_bytes(head[_APPLICATION_AT : _APPLICATION_AT + 4], "big")
    if mark == 0 and head.startswith(MAGIC) and path.with_name(f"{path.name}-wal").exists():
        return "ours"  # its process was killed before the mark left the WAL; the tables tell
    return "ours" if head.startswith(MAGIC) and len(head) == HEAD_BYTES and mark == APPLICATION_ID else "foreign"


def make_folder(path: Path) -> None:
    """Make the folder of a log, for its owner only; one that is there stays as it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def create(path: Path) -> None:
    """Make an empty file that only its owner may read; SQLite gives its companions the same rights.

    Raises:
        ConfigError: If the folder cannot be written.
    """
    try:
        make_folder(path)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise ConfigError(f"store: expected to write {path}, was '{error.strerror}': choose another folder") from None


def remove(path: Path) -> None:
    """Delete a log with its companions."""
    for companion in companions(path):
        companion.unlink(missing_ok=True)


def companions(path: Path) -> list[Path]:
    """Return the file and what SQLite keeps beside it."""
    return [path.with_name(path.name + suffix) for suffix in _COMPANIONS]


def set_aside(path: Path, why: str) -> str:
    """Rename a damaged log with its companions and say so in one line."""
    kept = path.with_name(f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    for companion, suffix in zip(companions(path), _COMPANIONS, strict=True):
        if companion.exists():
            companion.rename(kept.with_name(kept.name + suffix))
    suspicion(path).unlink(missing_ok=True)
    return f"store: {path.name} was damaged ({why}): it is kept as {kept.name}, and a new log was begun"


def suspicion(path: Path) -> Path:
    """Return the file that asks the next opening for a full check."""
    return path.with_name(f"{path.name}.suspect")


def suspect(path: Path | None) -> None:
    """Ask the next opening of a file for a full check."""
    if path is not None:
        with contextlib.suppress(OSError):
            suspicion(path).touch(mode=0o600)


def damage(path: Path) -> str | None:
    """Read the whole file if there is a suspicion and return what is wrong with it, or ``None``."""
    if not suspicion(path).exists():
        return None
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error) if any(sign in str(error) for sign in CORRUPT_SIGNS) else None
    if said != "ok":
        return str(said).splitlines()[-1]
    suspicion(path).unlink(missing_ok=True)
    return None
