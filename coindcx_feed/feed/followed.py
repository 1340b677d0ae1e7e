"""Messages of another process's sidecar as events and market items of this one. Pure; bytes stay as received."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from coindcx_feed.events import Event, EventType, Facts, Source
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.records import FillRecord, LedgerRecord
from coindcx_feed.feed.normalize import AccountItem, Frame, read_item, stored_item

_HEAD: Final = re.compile(
    rb'\{"id":"[^"]{1,64}","timestamp":"([0-9TZ:.-]{20,32})","type":"([a-z]{1,16})","(?:seq|mseq)":(\d{1,18})[^{]*"data":'
)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00Z")
_MARKET_EVENTS: Final = {"trade": wire.TRADE_EVENT, "candle": wire.CANDLE_EVENT}
_BOOK_EVENTS: Final = {wire.DEPTH_SNAPSHOT_EVENT, wire.DEPTH_UPDATE_EVENT}


class _Note(msgspec.Struct):
    """What tables show of a system event."""

    message: Any = None
    state: Any = None


_decode_note = msgspec.json.Decoder(_Note).decode


def followed_event(raw: bytes, told: Mapping[str, Any]) -> tuple[Event, AccountItem | None] | None:
    """Read a numbered message as the event that it is there, byte for byte; ``previous`` is left 0.

    Args:
        told: The same message, decoded.
    Returns:
        The event and its record, ``None`` for a system event and for a record of a shape that this version does not
        know. ``None`` alone if it is no event of this kind of feed.
    """
    head = _HEAD.match(raw)
    try:
        if head is None:
            return None
        kind, source = EventType(head[2].decode()), Source(told["source"])
        received_ns, derived = _unix_ns(head[1].decode()), tuple(told.get("derived", ()))
    except (ValueError, KeyError, TypeError):
        return None
    record_at = head.end()
    size = _record_bytes(raw, record_at, derived)
    seq = int(head[3])
    event = Event(seq, kind, source, received_ns, Facts("system"), raw, record_at, size, 0, told.get("late") is True)
    if kind is EventType.SYSTEM:
        return event._replace(facts=_note_facts(event.record)), None
    item = stored_item(event)
    if item is None:
        return event._replace(facts=Facts(f"{kind}-{seq}")), None
    record = item.record
    key = record.key if isinstance(record, FillRecord | LedgerRecord) else record.id
    item = read_item(kind, record, item.raw, key)
    return event._replace(facts=item.facts), item


def market_frame(raw: bytes, data: dict[str, Any]) -> Frame | None:
    """Read a market message as the frame that it came in there; ``None`` if it is none.

    Args:
        data: The decoded record, to tell apart what one type of message stands for.
    """
    head = _HEAD.match(raw)
    if head is None:
        return None
    kind = head[2].decode()
    if kind == "price":
        event = wire.PRICES_UPDATE_EVENT if "prices" in data else wire.PRICE_EVENT
    elif kind == "book":
        event = data["type"] if data.get("type") in _BOOK_EVENTS else wire.DEPTH_UPDATE_EVENT
    elif kind in _MARKET_EVENTS:
        event = _MARKET_EVENTS[kind]
    else:
        return None
    text = raw[head.end() : -1].decode()
    return Frame(int(head[3]), event, {"event": event, "data": text}, _unix_ns(head[1].decode()))


def _unix_ns(text: str) -> int:
    since = datetime.fromisoformat(text) - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def _record_bytes(raw: bytes, record_at: int, derived: tuple[str, ...]) -> int:
    """Return the length of the record without what the feed added at its end."""
    whole = len(raw) - 1 - record_at
    at = raw.rfind(b'"%b":' % derived[0].encode(), record_at) if derived else -1
    if at < 0:
        return whole
    return at - record_at + (0 if raw[at - 1 : at] == b"," else 1)


def _note_facts(record: bytes) -> Facts:
    try:
        note = _decode_note(record)
    except (ValueError, RecursionError):
        return Facts("system")
    message, state = note.message, note.state
    return Facts(
        "system",
        status=state if isinstance(state, str) else None,
        message=message if isinstance(message, str) else None,
    )
