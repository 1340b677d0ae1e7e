"""Rings filled through the real normaliser, for tests that ask about what is in them."""

import json
from typing import Any

from fakes.frames import BALANCE, ORDER, POSITION, frame

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.feed.normalize import AccountItem, derived_field, normalize
from coindcx_feed.feed.ring import Ring

EPOCH = "20260923T050640-abcdef12"
START_NS = 1_790_140_000_123_000_000
EVENT_NAMES = {"order": ORDER, "position": POSITION, "balance": BALANCE}

Record = dict[str, Any] | str


def new_event(seq: int, kind: str, record: Record, *, is_late: bool = False) -> Event:
    """Build a numbered event from a record, given as a dictionary or as the exchange's text."""
    text = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    received_ns = START_NS + seq * 1_000_000
    derived = None
    if kind in EVENT_NAMES:
        (item,) = normalize(frame(EVENT_NAMES[kind], f"[{text}]"))
        assert isinstance(item, AccountItem), item
        facts, raw, derived = item.facts, item.raw, derived_field(item, None)
    else:
        facts, raw = _facts(kind, json.loads(text)), text.encode()
    source = Source.LOCAL if kind == "system" else Source.STREAM
    body, at = encode_envelope(seq, EventType(kind), source, received_ns, raw, derived, is_late=is_late)
    return Event(seq, EventType(kind), source, received_ns, facts, body, at, len(raw), 0, is_late)


def _facts(kind: str, record: dict[str, Any]) -> Facts:
    if kind == "system":
        return Facts("system", status=record.get("state"), message=record.get("message"))
    if kind == "ledger":
        exchange_ms = record["created_at"]
        return Facts("ledger-made", record.get("pair"), status=record.get("stage"), exchange_ms=exchange_ms)
    message, exchange_ms = f"fill of order {record.get('order_id')}", record.get("timestamp")
    price = float(record["price"]) if isinstance(record.get("price"), float) else None
    key = record.get("fill_id") or "fill-made"
    return Facts(key, record.get("pair"), record.get("side"), None, price, message, exchange_ms and int(exchange_ms))


def new_ring(*records: tuple[str, Record], capacity: int = 1_000, epoch: str = EPOCH) -> Ring:
    """Return a ring that holds these records as events 1, 2, 3 …"""
    ring = Ring(capacity, epoch)
    for seq, (kind, record) in enumerate(records, 1):
        ring.append(new_event(seq, kind, record))
    return ring


def fill(fill_id: str | None = "f-1", **fields: object) -> dict[str, Any]:
    return {
        "fill_id": fill_id,
        "order_id": "o-1",
        "pair": "B-SOL_USDT",
        "side": "sell",
        "price": 107.54,
        "quantity": 4.67,
        "is_maker": False,
        "fee_amount": 0.296304962,
        "timestamp": 1_787_841_686_516,
        **fields,
    }


def ledger(fill_id: str | None = "f-2", **fields: object) -> dict[str, Any]:
    return {
        "pair": "B-SOL_USDT",
        "stage": "tpsl_exit",
        "amount": -1305.1716,
        "fee_amount": 30.223106124,
        "source": "user",
        "parent_id": "o-1",
        "fill_id": fill_id,
        "created_at": 1_787_841_686_907,
        **fields,
    }
