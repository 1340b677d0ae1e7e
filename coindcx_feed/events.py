"""The one event type that ring, sidecar, pages and exports share, and its envelope on the wire."""

import itertools
import os
import random
import time
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple


class EventType(StrEnum):
    """Kinds of account events. Market data never get a ``seq`` and are not events of this kind."""

    ORDER = "order"
    POSITION = "position"
    BALANCE = "balance"
    FILL = "fill"
    LEDGER = "ledger"
    SYSTEM = "system"


class Source(StrEnum):
    STREAM = "stream"
    REST = "rest"
    LOCAL = "local"


class Facts(NamedTuple):
    """What tables filter and sort on. ``None`` where the record does not say.

    ``price`` is a binary float: it serves range filters only and is never shown.
    """

    key: str
    pair: str | None = None
    side: str | None = None
    status: str | None = None
    price: float | None = None
    message: str | None = None
    exchange_ms: int | None = None


class Event(NamedTuple):
    """One numbered event.

    ``body`` is the complete envelope as sent to clients; ``record`` slices the exchange's own text out of it, without
    the fields this package derived. ``previous`` is the ``seq`` of the event before it with the same type and key, or
    0. Times are Unix nanoseconds.
    """

    seq: int
    type: EventType
    source: Source
    received_ns: int
    facts: Facts
    body: bytes
    record_at: int
    record_bytes: int
    previous: int = 0
    is_late: bool = False

    @property
    def record(self) -> bytes:
        """The exchange's record, verbatim."""
        return self.body[self.record_at : self.record_at + self.record_bytes - 1] + b"}"


def new_epoch() -> str:
    """Name a new series of ``seq``: sortable by start, unique across processes."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.urandom(4).hex()}"


def iso_ms(unix_ns: int) -> str:
    """Write a time as ISO 8601 UTC with milliseconds and ``Z``."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    return f"{_iso_second(seconds)}.{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=64)
def _iso_second(seconds: int) -> str:
    # Events come in bursts within one second: formatting a date costs more than the rest of an envelope.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


# One random UUID per process, whose last twelve digits count: unique as a random one and ten times cheaper.
_UUID_HEAD: Final = str(uuid.uuid4())[:24]
_uuid_tail = itertools.count(random.SystemRandom().getrandbits(40))


def new_id() -> str:
    """Return a unique UUID (version 4 in form)."""
    return f"{_UUID_HEAD}{next(_uuid_tail):012x}"


NULL: Final = b"null"
UNDURABLE: Final = ',"durable":false'
_UNDURABLE: Final = UNDURABLE.encode()
_SOURCE: Final = b',"source":"'


def encode_envelope(
    seq: int,
    kind: EventType,
    source: Source,
    received_ns: int,
    record: bytes,
    derived: tuple[str, bytes] | None = None,
    *,
    is_late: bool = False,
    is_durable: bool = True,
) -> tuple[bytes, int]:
    """Encode an event once, for every reader.

    Args:
        record: The exchange's JSON object, kept byte for byte.
        derived: Name and JSON text of the field that this package adds to ``data``.
    Returns:
        The envelope and the offset of the record in it.
    """
    late = ',"late":true' if is_late else ""
    durable = "" if is_durable else UNDURABLE
    names = f',"derived":["{derived[0]}"]' if derived else ""
    head = (
        f'{{"id":"{new_id()}","timestamp":"{iso_ms(received_ns)}","type":"{kind.value}","seq":{seq}'
        f',"source":"{source.value}"{durable}{late}{names},"data":'
    ).encode()
    if derived is None:
        return b"%b%b}" % (head, record), len(head)
    joint = b"," if len(record) > 2 else b""
    return b'%b%b%b"%b":%b}}' % (head, record[:-1], joint, derived[0].encode(), derived[1]), len(head)


def marked_undurable(event: Event) -> Event:
    """Say in an event's envelope that it is not stored; one that says so already stays as it is."""
    body = event.body
    if _UNDURABLE in body[: event.record_at]:
        return event
    place = body.index(b'"', body.index(_SOURCE) + len(_SOURCE)) + 1
    return _with_body(event, body[:place] + _UNDURABLE + body[place:])


def as_stored(event: Event) -> Event:
    """Return an event as the durable log keeps it: without the note that it is not stored."""
    head = event.body[: event.record_at]
    if _UNDURABLE not in head:
        return event
    return _with_body(event, head.replace(_UNDURABLE, b"", 1) + event.body[event.record_at :])


def _with_body(event: Event, body: bytes) -> Event:
    return event._replace(body=body, record_at=event.record_at + len(body) - len(event.body))
