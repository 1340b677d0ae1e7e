"""From the text of a reply to checked records, and what is known of the whole: all of it, or why not."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec
from pydantic import ValidationError

from coindcx_feed.errors import BadReply
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.exchange.records import Record
from coindcx_feed.exchange.rest import Reply

MAX_ROW_BYTES: Final = 1 << 20
MAX_EXPONENT: Final = 40
"""Of an amount, as for the socket's records: written out in full, 1e-999999999 would be a gigabyte."""

R = TypeVar("R", bound=Record)

_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Row(NamedTuple, Generic[R]):
    """One valid record.

    ``key`` names it among those of its kind; ``raw`` is the exchange's own text. ``asked_ms`` is our wall clock when
    the request was sent: what the row shows is not older. Unix ms.
    """

    key: str
    record: R
    raw: bytes
    asked_ms: float


class RejectedRow(NamedTuple):
    """A row that is not what is documented, with its text: for quarantine."""

    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reading(Generic[R]):
    """What a read brought.

    Only in a complete reading does absence mean anything: a row that is missing from another one may exist.

    Attributes:
        rows: Each key once, in the exchange's order.
        rejected: Rows that do not validate; each makes the reading partial.
        because: Why it is partial, one line; ``None`` when it is complete.
        since_ms: The reading ended on purpose at rows older than this; ``None`` when it went to the end. Unix ms.
        asked_ms: Our wall clock at the first request. Unix ms.
        received_ms: Our wall clock at the last reply. Unix ms.
        requests: How many pages were read.
    """

    rows: tuple[Row[R], ...]
    rejected: tuple[RejectedRow, ...]
    because: str | None
    since_ms: int | None
    asked_ms: float
    received_ms: float
    requests: int

    @property
    def is_complete(self) -> bool:
        return self.because is None

    @property
    def records(self) -> list[R]:
        return [row.record for row in self.rows]


class Kind(NamedTuple, Generic[R]):
    """How the rows of one read are understood.

    Attributes:
        name: The read's name, for messages.
        model: Record of one row.
        key: Names a record.
        times: What the exchange may have sorted the list by, ms; the first also tells two versions of a key apart.
        has_own_id: Whether the key is the exchange's; otherwise equal rows of one page are numbered.
    """

    name: str
    model: type[R]
    key: Callable[[R], str]
    times: tuple[Callable[[R], int | None], ...] = ()
    has_own_id: Callable[[R], bool] = lambda _record: True


def split_rows(name: str, reply: Reply) -> list[bytes]:
    """Return the text of each row of a list.

    Raises:
        BadReply: If the reply is no list.
    """
    try:
        return [bytes(piece) for piece in _split(reply.text)]
    except (ValueError, RecursionError):
        start = reply.text[:80].decode("utf-8", "replace")
        raise BadReply(f"{name}: expected a list of rows, was {start!r}", raw=reply.text) from None


def check_row(name: str, model: type[R], raw: bytes) -> R | RejectedRow:
    """Return the record, or the row with the reason why it is none."""
    if len(raw) > MAX_ROW_BYTES:
        return RejectedRow(f"{name} row: expected at most {MAX_ROW_BYTES:,} bytes, was {len(raw):,}", raw)
    try:
        record = model.model_validate(parse_exact(raw))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return RejectedRow(f"{name} row, field {where or 'none'}: {first['msg']}"[:300], raw)
    except (ValueError, RecursionError) as error:
        return RejectedRow(f"{name} row: expected JSON: {str(error)[:160]}", raw)
    for field, value in record:
        if isinstance(value, Decimal) and not -MAX_EXPONENT < value.adjusted() < MAX_EXPONENT:
            return RejectedRow(f"{name} row, field {field}: expected a number within 1e±{MAX_EXPONENT}", raw)
    return record


def only_row(name: str, model: type[R], reply: Reply, raw: bytes | None = None) -> Row[R]:
    """Return the one record of a reply that is an object, keyed by the read's name.

    Args:
        raw: The object's text where it is only a part of the reply.
    Raises:
        BadReply: If it does not validate.
    """
    text = reply.text if raw is None else raw
    checked = check_row(name, model, text)
    if isinstance(checked, RejectedRow):
        raise BadReply(checked.reason, raw=text)
    return Row(name, checked, text, reply.asked_ms)
