"""Events as table rows and as details: texts exactly as the exchange wrote them."""

from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from coindcx_feed.analysis.changes import Change, changes, summary
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.feed.columns import Columns, Mask
from coindcx_feed.feed.ring import Ring, Stored

Row = dict[str, Any]

RELATED_NS = 2_000_000_000
"""Events of other ids this near are shown as related."""
TIMELINE = 200
_ABSENT = msgspec.Raw(b"null")


class _Data(msgspec.Struct):
    # Raw keeps the digits; everything that tables do not show is skipped by the decoder.
    id: str | None = None
    pair: str | None = None
    side: str | None = None
    status: str | None = None
    state: str | None = None
    currency_short_name: str | None = None
    display_message: str | None = None
    message: str | None = None
    price: msgspec.Raw = _ABSENT
    avg_price: msgspec.Raw = _ABSENT
    total_quantity: msgspec.Raw = _ABSENT
    active_pos: msgspec.Raw = _ABSENT
    balance: msgspec.Raw = _ABSENT
    filled_quantity: msgspec.Raw = _ABSENT


class _Envelope(msgspec.Struct):
    data: _Data


_decode = msgspec.json.Decoder(_Envelope).decode


def number_text(raw: msgspec.Raw) -> str | None:
    """Return a JSON number or numeric text as written, ``None`` for null."""
    text = bytes(raw).decode()
    if text == "null":
        return None
    return msgspec.json.decode(text, type=str) if text.startswith('"') else text


def row(ring: Ring, stored: Stored) -> Row:
    """Build the row of one event; see ``what_changed`` for its last column."""
    data = _decode(stored.body).data
    price = data.avg_price if stored.type is EventType.POSITION else data.price
    quantity = {EventType.POSITION: data.active_pos, EventType.BALANCE: data.balance}.get(
        stored.type, data.total_quantity
    )
    return {
        "seq": stored.seq,
        "type": str(stored.type),
        "source": str(stored.source),
        "late": stored.is_late,
        "received_ms": stored.received_ns / 1e6,
        "exchange_ms": stored.exchange_ms,
        "pair": data.pair or data.currency_short_name,
        "side": data.side,
        "status": data.status or data.state,
        "price": number_text(price),
        "quantity": number_text(quantity),
        "filled_quantity": number_text(data.filled_quantity),
        "id": data.id,
        "message": data.display_message or data.message,
        "what_changed": what_changed(ring, stored),
    }


def what_changed(ring: Ring, stored: Stored) -> str:
    """Say in one line how an event differs from the one before it of the same id."""
    if stored.type is EventType.SYSTEM:
        return _decode(stored.body).data.message or ""
    return _summary_of(ring, stored.seq)


@lru_cache(maxsize=20_000)
def _summary_of(ring: Ring, seq: int) -> str:
    # An event never changes and neither does its predecessor: the text is worked out once.
    stored = ring.get(seq)
    if stored is None:
        return ""
    found, is_first = _changes(ring, stored)
    return summary(found, str(stored.type), is_first)


def _changes(ring: Ring, stored: Stored) -> tuple[list[Change], bool]:
    before = ring.get(stored.previous) if stored.previous else None
    earlier = None if before is None else _data(before)
    return changes(earlier, _data(stored), str(stored.type)), stored.previous == 0


def _data(stored: Stored) -> dict[str, Any]:
    data: dict[str, Any] = parse_exact(stored.body)["data"]
    return data


def details(ring: Ring, seq: int) -> dict[str, Any] | None:
    """Build everything the drawer shows of one event, or ``None`` when it is no longer kept."""
    stored = ring.get(seq)
    if stored is None:
        return None
    found, _ = _changes(ring, stored)
    before = ring.get(stored.previous) if stored.previous else None
    fields = msgspec.json.decode(stored.record, type=dict[str, msgspec.Raw])
    return {
        **row(ring, stored),
        "record": stored.record.decode("utf-8", "replace"),
        "body": stored.body.decode("utf-8", "replace"),
        "fields": [(name, _shown(raw)) for name, raw in fields.items()],
        "changes": {
            "since_seq": stored.previous or None,
            "since_ms": None if before is None else (stored.received_ns - before.received_ns) / 1e6,
            "rows": [{"field": change.field, "before": change.before, "after": change.after} for change in found],
        },
        "timeline": [row(ring, event) for event in of_same_id(ring, stored, TIMELINE)],
        "related": [row(ring, event) for event in _related(ring, stored)],
    }


def _shown(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode("utf-8", "replace")
    return str(msgspec.json.decode(text)) if text.startswith('"') else text


def record_id(stored: Stored) -> str | None:
    return _decode(stored.body).data.id


def of_id(ring: Ring, kind: EventType, key: str, limit: int) -> list[Stored]:
    """Return the newest events of an id, oldest first."""

    def test(columns: Columns, rows: slice) -> Mask:
        return columns.mask_of_key(rows, key) & columns.mask_of_types(rows, (kind,))

    found = ring.select(test, limit=limit).events
    return [event for event in reversed(found) if record_id(event) == key]


def of_same_id(ring: Ring, stored: Stored, limit: int) -> list[Stored]:
    """Return the events of the same type and id, oldest first."""
    key = record_id(stored)
    return [stored] if key is None else of_id(ring, stored.type, key, limit)


def _related(ring: Ring, stored: Stored) -> list[Stored]:
    key = record_id(stored)
    if key is None:
        return []
    first, last = stored.received_ns - RELATED_NS, stored.received_ns + RELATED_NS

    def test(columns: Columns, rows: slice) -> Mask:
        received = columns.received_ns[rows]
        return np.asarray((received >= first) & (received <= last) & (columns.key[rows] != hash(key)))

    near = ring.select(test, limit=60).events
    same = [e for e in near if (e.type is not EventType.SYSTEM and stored.pair in (None, e.pair)) or e.pair is None]
    return [e for e in reversed(same) if e.type is not EventType.SYSTEM][:20]
