"""Where a follower begins: the present account of the other process, and a place near its newest event.

An account that is idle sends nothing for days: its orders and positions stand far behind in the log, or are not in it.
"""

from datetime import datetime
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec
from yarl import URL

from coindcx_feed.errors import FeedError
from coindcx_feed.events import Event, EventType, Facts, Source
from coindcx_feed.feed.normalize import AccountItem, stored_item

NEWEST: Final = 10_000
"""Events read at the start, as many as a process takes back from its own log."""
_ANSWER_S: Final = 10.0
_KINDS: Final = (("orders", EventType.ORDER), ("positions", EventType.POSITION), ("balances", EventType.BALANCE))


class Known(NamedTuple):
    """A record of the account, and the event that brought it."""

    item: AccountItem
    seq: int
    received_ns: int


class Start(NamedTuple):
    """The last number not to be read, its series, and what was known by then."""

    seq: int
    epoch: str
    known: list[Known]


class _Row(msgspec.Struct):
    seq: int
    received: datetime
    data: msgspec.Raw


class _Page(msgspec.Struct):
    epoch: str
    total: int
    orders: list[_Row] = []
    positions: list[_Row] = []
    balances: list[_Row] = []


class _Unable(FeedError):
    """The other process does not tell its account this way, or not all of it."""


_decode = msgspec.json.Decoder(_Page).decode


def beside(address: URL, path: str) -> URL:
    """Return an HTTP address beside a sidecar's socket: ``path`` replaces what follows ``/api/v1/``."""
    scheme = {"ws": "http", "wss": "https"}[address.scheme]
    base = address.path.partition("/api/v1/")[0] if "/api/v1/" in address.path else ""
    return address.with_scheme(scheme).with_path(f"{base}/api/v1/{path}").with_query(None)


async def read_status(address: URL, token: str | None) -> dict[str, Any]:
    """Return what a sidecar tells of itself.

    Raises:
        aiohttp.ClientError: If it does not answer, or refuses.
        ValueError: If the answer is none.
    """
    async with _session(token) as http:
        return await _status(http, address)


async def read_start(address: URL, token: str | None, most: int = NEWEST) -> Start | None:
    """Return where to begin, ``None`` where everything that is retained has to be read instead.

    Args:
        most: Events to be read at most.
    Raises:
        aiohttp.ClientError: If the sidecar cannot be reached.
    """
    async with _session(token) as http:
        try:
            status = await _status(http, address)
            epoch, newest, oldest = str(status["epoch"]), int(status["seq"]), int(status["oldest_seq"])
            seq = max(0, newest - most, oldest - 1)
            if not seq:
                return None
            known: list[Known] = []
            for name, kind in _KINDS:
                known += await _read(http, beside(address, f"state/{name}"), name, kind, epoch)
        except (aiohttp.ClientResponseError, _Unable, KeyError, TypeError, ValueError):
            return None
    return Start(seq, epoch, sorted((row for row in known if row.seq <= seq), key=lambda row: row.seq))


def _session(token: str | None) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(_ANSWER_S), raise_for_status=True)


async def _status(http: aiohttp.ClientSession, address: URL) -> dict[str, Any]:
    async with http.get(beside(address, "ws/status")) as answer:
        found = await answer.json()
    if not isinstance(found, dict):
        raise ValueError("expected a status, was other JSON")
    return found


async def _read(http: aiohttp.ClientSession, url: URL, name: str, kind: EventType, epoch: str) -> list[Known]:
    async with http.get(url) as answer:
        page = _decode(await answer.read())
    rows: list[_Row] = getattr(page, name)
    if page.epoch != epoch or page.total > len(rows):
        raise _Unable("expected the whole account of one series, was less")
    return [_known(row, kind) for row in rows]


def _known(row: _Row, kind: EventType) -> Known:
    raw = bytes(row.data)
    received_ns = int(row.received.timestamp() * 1000) * 1_000_000
    event = Event(row.seq, kind, Source.STREAM, received_ns, Facts(""), raw, 0, len(raw))
    item = stored_item(event)
    if item is None:
        raise _Unable(f"expected a record of type {kind}, was another")
    return Known(item, row.seq, received_ns)
