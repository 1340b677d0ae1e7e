"""Events as table rows and as details: texts exactly as the exchange wrote them."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from coindcx_feed.analysis.changes import NO_CHANGE, NOTHING, Change, changes, grouped, summary
from coindcx_feed.analysis.fields import PRICE_FIELDS, QUANTITY_FIELDS
from coindcx_feed.events import EventType
from coindcx_feed.exchange.numbers import parse_exact
from coindcx_feed.feed.columns import Columns, Mask
from coindcx_feed.feed.ring import Key, Ring, Stored

Row = dict[str, Any]

RELATED_NS = 2_000_000_000
"""Events of other ids this near are shown as related."""
TIMELINE = 200
GAP = "upstream_gap"
"""Message of the event that tells a time away."""
NEAR = 60
KEPT_ROWS = 4_000
RUN = 99
"""Events without a change that are counted: a row says no more than that there are more."""
ONCE = frozenset({EventType.SYSTEM, EventType.FILL, EventType.LEDGER})
"""Events of these types happen once: there is nothing before them to differ from."""
_ABSENT = msgspec.Raw(b"null")


class _Data(msgspec.Struct):
    # Raw keeps the digits, and takes whatever an unknown field holds; the decoder skips what tables do not show.
    id: msgspec.Raw = _ABSENT
    pair: msgspec.Raw = _ABSENT
    side: msgspec.Raw = _ABSENT
    status: msgspec.Raw = _ABSENT
    state: msgspec.Raw = _ABSENT
    currency_short_name: msgspec.Raw = _ABSENT
    display_message: msgspec.Raw = _ABSENT
    message: msgspec.Raw = _ABSENT
    price: msgspec.Raw = _ABSENT
    avg_price: msgspec.Raw = _ABSENT
    total_quantity: msgspec.Raw = _ABSENT
    active_pos: msgspec.Raw = _ABSENT
    balance: msgspec.Raw = _ABSENT
    filled_quantity: msgspec.Raw = _ABSENT
    fill_id: msgspec.Raw = _ABSENT
    order_id: msgspec.Raw = _ABSENT
    quantity: msgspec.Raw = _ABSENT
    stage: msgspec.Raw = _ABSENT
    amount: msgspec.Raw = _ABSENT
    fee_amount: msgspec.Raw = _ABSENT
    margin_currency_short_name: msgspec.Raw = _ABSENT
    start: msgspec.Raw = _ABSENT
    end: msgspec.Raw = _ABSENT
    cause: msgspec.Raw = _ABSENT
    recovered: msgspec.Raw = _ABSENT
    unknown: msgspec.Raw = _ABSENT


class _Envelope(msgspec.Struct):
    data: _Data


_decode = msgspec.json.Decoder(_Envelope).decode


def shown_text(raw: msgspec.Raw) -> str | None:
    """Return a JSON text decoded, ``None`` for null, and anything else as written: numbers keep their digits."""
    text = bytes(raw).decode()
    if text == "null":
        return None
    return msgspec.json.decode(text, type=str) if text.startswith('"') else text


def row(ring: Ring, stored: Stored) -> Row:
    """Build the row of one event; see ``what_changed`` for its last column."""
    return row_of(stored, what_changed(ring, stored))


class Rows:
    """Rows of events in memory, each built once for all readers: nobody may change one. Threads: any."""

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}

    def of(self, ring: Ring, keys: Sequence[Key]) -> list[Row]:
        """Return the rows of those of some events that are still kept."""
        if len(self._rows) > KEPT_ROWS:
            self._rows = {}
        known = self._rows
        for event in ring.fetch([key[0] for key in keys if key not in known]):
            known[event.seq, event.received_ns] = row(ring, event)
        return [known[key] for key in keys if key in known]


def row_of(stored: Stored, changed: str) -> Row:
    """Build the row of one event, wherever it is kept.

    Args:
        changed: What it changed, from ``what_changed`` or ``change_text``.
    """
    data = _decode(stored.body).data
    price = getattr(data, PRICE_FIELDS.get(stored.type, "price"))
    quantity = getattr(data, QUANTITY_FIELDS.get(stored.type, "total_quantity"))
    return {
        "seq": stored.seq,
        "type": str(stored.type),
        "source": str(stored.source),
        "late": stored.is_late,
        "received_ms": stored.received_ns / 1e6,
        "exchange_ms": stored.exchange_ms,
        "pair": shown_text(data.pair) or shown_text(data.currency_short_name),
        "side": shown_text(data.side),
        "status": shown_text(data.status) or shown_text(data.state) or shown_text(data.stage),
        "price": shown_text(price),
        "quantity": shown_text(quantity),
        "filled_quantity": shown_text(data.filled_quantity),
        "id": shown_text(data.id) or shown_text(data.fill_id),
        "message": shown_text(data.display_message) or shown_text(data.message),
        "what_changed": changed,
        "is_repeat": stored.type not in ONCE and (changed == NO_CHANGE or changed.startswith(f"{NO_CHANGE}, ")),
    }


def what_changed(ring: Ring, stored: Stored) -> str:
    """Say in one line how an event differs from the one before it of the same id."""
    if stored.type in ONCE:
        return _told(stored.type, _decode(stored.body).data)
    text = _summary_of(ring, stored.seq)
    if text != NO_CHANGE:
        return text
    count = _unchanged(ring, stored.seq)
    more = "+" if count > RUN else ""
    return f"{text}, {min(count, RUN)}{more} in a row" if count > 1 else text


def change_text(before: Stored | None, stored: Stored) -> str:
    """Say in one line how an event differs from the one before it, which may be no longer kept."""
    if stored.type in ONCE:
        return _told(stored.type, _decode(stored.body).data)
    if before is None and stored.previous:
        return ""  # what changed is unknown, not nothing
    return summary(_differences(before, stored), str(stored.type), before is None)


def _told(kind: EventType, data: _Data) -> str:
    fee, currency = shown_text(data.fee_amount), shown_text(data.margin_currency_short_name)
    paid = f" · fee {grouped(fee)}" if fee else ""
    if kind is EventType.FILL:
        # The fee of a fill is in USDT, also on INR margin.
        return f"{_amount(data.quantity)} at {_amount(data.price)}{paid}{' USDT' if paid else ''}"
    if kind is EventType.LEDGER:
        return f"amount {_amount(data.amount)}{paid}{f' {currency}' if currency else ''}"
    message = shown_text(data.message) or ""
    return _gap(data) if message == GAP else message


def _amount(raw: msgspec.Raw) -> str:
    text = shown_text(raw)
    return NOTHING if text is None else grouped(text)


def _gap(data: _Data) -> str:
    """Say in one line how long the feed was away, why, and what was read back."""
    away_s = _seconds(shown_text(data.start), shown_text(data.end))
    recovered, unknown = shown_text(data.recovered), shown_text(data.unknown)
    parts = [
        "away from the exchange" if away_s is None else f"away from the exchange for {away_s:,.1f} s",
        shown_text(data.cause),
        None if recovered is None else f"{recovered} recovered",
        unknown,
    ]
    return " · ".join(part for part in parts if part)


def _seconds(start: str | None, end: str | None) -> float | None:
    try:
        return (datetime.fromisoformat(end or "") - datetime.fromisoformat(start or "")).total_seconds()
    except (ValueError, TypeError):  # written by another version, or open
        return None


@lru_cache(maxsize=20_000)
def _unchanged(ring: Ring, seq: int) -> int:
    # Only rows that are shown ask, and each once: a run is counted no further than it is told.
    count, stored = 0, ring.get(seq)
    while stored is not None and count <= RUN and _summary_of(ring, stored.seq) == NO_CHANGE:
        count, stored = count + 1, _before(ring, stored)
    return count


@lru_cache(maxsize=20_000)
def _summary_of(ring: Ring, seq: int) -> str:
    # An event never changes and neither does its predecessor: the text is worked out once.
    stored = ring.get(seq)
    if stored is None:
        return ""
    return change_text(_before(ring, stored), stored)


def _before(ring: Ring, stored: Stored) -> Stored | None:
    return ring.get(stored.previous) if stored.previous else None


def _differences(before: Stored | None, stored: Stored) -> list[Change]:
    earlier = None if before is None else _data(before)
    return changes(earlier, _data(stored), str(stored.type))


def _data(stored: Stored) -> dict[str, Any]:
    data: dict[str, Any] = parse_exact(stored.body)["data"]
    return data


def details(ring: Ring, seq: int) -> dict[str, Any] | None:
    """Build everything the drawer shows of one event, or ``None`` when it is no longer kept."""
    stored = ring.get(seq)
    if stored is None:
        return None
    timeline = [row(ring, event) for event in of_same_id(ring, stored, TIMELINE)]
    related = [row(ring, event) for event in _related(ring, stored)]
    return details_of(stored, _before(ring, stored), timeline, related)


def details_of(stored: Stored, before: Stored | None, timeline: list[Row], related: list[Row]) -> dict[str, Any]:
    """Build the details of one event, wherever it and its neighbours are kept."""
    fields = msgspec.json.decode(stored.record, type=dict[str, msgspec.Raw])
    found = _differences(before, stored)
    return {
        **row_of(stored, change_text(before, stored)),
        "record": stored.record.decode("utf-8", "replace"),
        "body": stored.body.decode("utf-8", "replace"),
        "fields": [(name, _shown(raw)) for name, raw in fields.items()],
        "changes": {
            "since_seq": stored.previous or None,
            "since_ms": None if before is None else (stored.received_ns - before.received_ns) / 1e6,
            "rows": [{"field": change.field, "before": change.before, "after": change.after} for change in found],
        },
        "timeline": timeline,
        "related": related,
    }


def _shown(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode("utf-8", "replace")
    return str(msgspec.json.decode(text)) if text.startswith('"') else text


class _Id(msgspec.Struct):
    id: str | None = None


class _EnvelopeOfId(msgspec.Struct):
    data: _Id


_decode_id = msgspec.json.Decoder(_EnvelopeOfId).decode


def record_id(stored: Stored) -> str | None:
    """Return the id of an account record, ``None`` for a system event."""
    return None if stored.type is EventType.SYSTEM else _decode_id(stored.body).data.id


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

    return related_of(stored, ring.select(test, limit=NEAR).events)


def related_of(stored: Stored, near: Sequence[Stored]) -> list[Stored]:
    """Choose from events of other ids, newest first, those of the same pair or of a wallet; oldest first."""
    same = [e for e in near if (e.type is not EventType.SYSTEM and stored.pair in (None, e.pair)) or e.pair is None]
    return [e for e in reversed(same) if e.type is not EventType.SYSTEM][:20]
