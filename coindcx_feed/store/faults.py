"""What a database driver complains about, in the words of this package. Never a body, never a password."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from coindcx_feed.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreGone

CORRUPT_SIGNS: Final = ("malformed", "not a database", "disk image")
_SIGNS: Final[tuple[tuple[tuple[str, ...], type[StoreError], str], ...]] = (
    (CORRUPT_SIGNS, StoreCorrupt, "open the log anew: the damaged file is kept and another one begun"),
    (("disk is full", "no space left", "disk full"), StoreFull, "free some space; it is tried again"),
    (
        ("locked", "lock timeout", "statement timeout", "is busy", "deadlock"),
        StoreBusy,
        "end what holds it; it is tried again",
    ),
    (
        ("disk i/o", "unable to open", "no such table", "connection", "terminat"),
        StoreGone,
        "bring it back; it is tried again",
    ),
)
_FULL_CODES: Final = frozenset({"53100", "53200"})
_BUSY_CODES: Final = frozenset({"55P03", "57014", "40P01", "40001"})
_MAX_SHOWN: Final = 200
_SECRET: Final = re.compile(r"(password\s*[=:]\s*)\S+|(//[^/@\s]*:)[^@\s]*(?=@)", re.IGNORECASE)


def first_line(error: BaseException) -> str:
    """Return what a driver said as one short line, without parameters and passwords."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = [line.strip() for line in str(original).splitlines() if line.strip()]
    text = _SECRET.sub(lambda found: f"{found[1] or found[2]}***", lines[0] if lines else type(original).__name__)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def as_store_error(error: Exception, doing: str) -> StoreError:
    """Turn an error of SQLAlchemy or of a driver into one of ours."""
    said = first_line(error)
    kind, advice = _kind_of(error, said.lower())
    return kind(f"{doing}: expected the log to answer, was '{said}': {advice}")


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise ``StoreError`` for whatever the database complains about inside."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise as_store_error(error, doing) from error


def _kind_of(error: Exception, said: str) -> tuple[type[StoreError], str]:
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlstate", None)
    if code in _FULL_CODES:
        return StoreFull, _SIGNS[1][2]
    if code in _BUSY_CODES or isinstance(error, PoolTimeout):
        return StoreBusy, _SIGNS[2][2]
    for signs, kind, advice in _SIGNS:
        if any(sign in said for sign in signs):
            return kind, advice
    if getattr(error, "connection_invalidated", False):
        return StoreGone, _SIGNS[3][2]
    return StoreError, "look at the log's disk or server; it is tried again"
