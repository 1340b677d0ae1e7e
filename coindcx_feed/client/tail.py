"""Write a sidecar's events to a stream, one line each: the engine of ``coindcx-feed tail``."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, Literal

import msgspec

from coindcx_feed.analysis.cells import COLUMNS, csv_line, row_texts
from coindcx_feed.client.envelope import RESUME_GAP, Envelope, gap_line
from coindcx_feed.client.position import Since
from coindcx_feed.client.subscribe import events
from coindcx_feed.errors import ConfigError

Format = Literal["json", "csv"]

_MARKET: Final = frozenset({"price", "trade", "candle", "book", "all"})


async def tail(
    url: str,
    types: Iterable[str] | None,
    pairs: Iterable[str] | None,
    since: Since | None,
    fmt: Format,
    out: BinaryIO,
    token: str | None = None,
    limit: int | None = None,
    epoch: str | None = None,
) -> None:
    """Write until ``limit`` lines are written, the reader of ``out`` goes away, or the caller cancels.

    JSON lines are the bytes as received, one line each. CSV has the columns of an export, one header line, and gaps as
    ``system`` rows without ``seq``. Every line is flushed.

    Args:
        limit: Lines, without the header; ``None`` means without end.
        epoch: Series that ``since`` belongs to, when it is a number.
    Raises:
        ConfigError: If the address is none, or CSV is asked for types that have no columns.
        ClientError: As ``events``.
    """
    if fmt == "csv" and types is not None and not _MARKET.isdisjoint(types := list(types)):
        raise ConfigError("csv has columns for the account feed only, was asked for market types: use json for those")
    written = 0
    with _quiet_end(out):
        if fmt == "csv":
            _write(out, csv_line(list(COLUMNS)).encode())
        if limit == 0:
            return
        async with contextlib.aclosing(events(url, since, epoch, types, pairs, token)) as stream:
            async for envelope in stream:
                _write(out, _one_line(envelope.raw) if fmt == "json" else csv_line(_cells(envelope)).encode())
                written += 1
                if written == limit:
                    return


@contextlib.contextmanager
def _quiet_end(out: BinaryIO) -> Iterator[None]:
    # `tail | head` closes the pipe and means no harm. What is still buffered must go somewhere, or the interpreter
    # complains about it at exit.
    try:
        yield
    except BrokenPipeError:
        with contextlib.suppress(OSError, ValueError):
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, out.fileno())
            os.close(devnull)


def _one_line(raw: bytes) -> bytes:
    # Between the tokens of a record that was sent pretty-printed; inside a JSON text a line break is always escaped.
    return raw.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def _write(out: BinaryIO, line: bytes) -> None:
    out.write(line)
    out.flush()


def _cells(envelope: Envelope) -> list[str]:
    if "seq" in envelope:
        return row_texts(envelope.raw, envelope.epoch, envelope.mode)
    data = envelope["data"]
    message = str(data.get("message"))
    told = gap_line(data) if message == RESUME_GAP else message
    gap = {
        "timestamp": envelope["timestamp"],
        "type": "system",
        "seq": 0,
        "source": "local",
        "data": {"message": told},
    }
    return ["", *row_texts(msgspec.json.encode(gap), envelope.epoch, envelope.mode)[1:]]
