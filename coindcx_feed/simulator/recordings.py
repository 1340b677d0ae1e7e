"""Reads recorded frames: JSONL files, plain or gzip, with limits. What does not fit is one clear line.

A row is an envelope ``{"event","data"}``, or ``{"offset_ms","frame":{"event","data"}}``. A frame of another shape
stands under ``frame`` as it came, with the name of its Socket.IO event beside it as ``name``.
"""

import gzip
import logging
import zlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec

from coindcx_feed.errors import ConfigError

logger = logging.getLogger(__name__)

MAX_ROW_BYTES: Final = 36 << 20
"""The feed takes frames of 16 MiB; as text within text they may be twice as long."""
MAX_TEXT_BYTES: Final = 512 << 20
"""Of one file, unpacked: a small compressed file may hold any amount. A recorder begins a new one at 64 MiB."""

_GZIP: Final = b"\x1f\x8b"
_DIRECTIONS: Final = ("recv", "send", "close")
_ENVELOPE: Final = 'expected {"event": …, "data": …}'

# Numbers keep their digits: frames are sent as they were recorded.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Row(NamedTuple):
    """One frame: Socket.IO event, its argument, and ms after the file's first frame where the row says so."""

    event: str
    argument: Any
    offset_ms: float | None


def read_rows(path: Path) -> list[Row]:
    """Read a file.

    A gzip file without its end is a recording that was cut off: the whole rows in it count, and the log says so.

    Raises:
        ConfigError: If the file or a row is not usable; one line that names file and row.
    """
    rows = []
    for number, line in _lines(path):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ConfigError(f"{path.name} line {number}: expected UTF-8 text, was byte {error.start}") from error
        if text.strip():
            rows.append(_parse_row(text, f"{path.name} line {number}"))
    if not rows:
        raise ConfigError(f"{path.name}: expected recorded frames, one JSON object a line, was an empty file")
    return rows


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with path.open("rb") as raw:
            is_gzip = raw.read(2) == _GZIP
            raw.seek(0)
            if not is_gzip and path.suffix == ".gz":
                raise ConfigError(f"{path.name}: expected gzip, was something else: check where the file is from")
            with gzip.GzipFile(fileobj=raw) if is_gzip else raw as file:
                for number, line in _limited(path, file):  # the last one is told below
                    yield number, line
    except EOFError:
        logger.warning("%s ends without gzip's end after row %d: it was cut off, its whole rows count", path, number)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(
            f"{path.name} after line {number}: expected gzip, was damaged ({error}): copy the file again"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: expected a readable file, was: {error.strerror}; check the path") from error


def _limited(path: Path, file: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[int, bytes]]:
    number = total = 0
    while line := file.readline(MAX_ROW_BYTES + 1):
        number += 1
        total += len(line)
        if len(line) > MAX_ROW_BYTES:
            raise ConfigError(f"{path.name} line {number}: expected at most {MAX_ROW_BYTES:,} bytes, was a longer row")
        if total > MAX_TEXT_BYTES:
            raise ConfigError(f"{path.name}: expected at most {MAX_TEXT_BYTES:,} bytes of text, was more: split it")
        yield number, line


def _parse_row(line: str, where: str) -> Row:
    try:
        row = _decode(line)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ConfigError(f"{where}: expected one JSON object, was no JSON ({error})") from error
    if isinstance(row, dict) and row.get("dir") in _DIRECTIONS:
        raise ConfigError(f"{where}: expected recorded frames, was an Engine.IO script; leave this file out")
    if not isinstance(row, dict) or "offset_ms" not in row:
        return Row(*_parse_envelope(row, where), None)
    offset_ms = row["offset_ms"]
    is_number = isinstance(offset_ms, int | Decimal) and not isinstance(offset_ms, bool)
    if not is_number or not 0 <= offset_ms < 1 << 50:
        raise ConfigError(f"{where}: expected offset_ms as milliseconds, 0 or more, was {str(offset_ms)!r:.40}")
    if "name" in row and "frame" in row:
        if not isinstance(row["name"], str):
            raise ConfigError(f"{where}: expected name as the text of a Socket.IO event, was {row['name']!r:.40}")
        return Row(row["name"], row["frame"], float(offset_ms))
    return Row(*_parse_envelope(row.get("frame"), where), float(offset_ms))


def _parse_envelope(row: object, where: str) -> tuple[str, dict[str, Any]]:
    if isinstance(row, dict) and isinstance(row.get("event"), str) and "data" in row:
        return row["event"], row
    keys = ", ".join(map(str, row))[:60] if isinstance(row, dict) else ""
    shown = f"an object with {keys or 'nothing'}" if isinstance(row, dict) else f"a {type(row).__name__}"
    raise ConfigError(f"{where}: {_ENVELOPE}, was {shown}")
