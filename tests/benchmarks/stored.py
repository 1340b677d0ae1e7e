"""A durable log of a busy week, for the measurements of the History page: every type, twelve pairs, gaps, all days."""

import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.events import PAIRS, events

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope, iso_ms
from coindcx_feed.store.log import EventStore

EPOCH = "20261116T000000-abcdef12"
MODE, ACCOUNT = "live", "an-api-key"
WEEK_NS = 7 * 86_400 * 10**9
GROUP = 2_000
EVERY = 8
"""One of so many events is a fill, the one after it a ledger row."""
GAPS = 5

Record = dict[str, Any]


def week(count: int, end_ns: int) -> Iterator[Event]:
    """Yield events of seven days, busier by day than by night, the last one received at about ``end_ns``."""
    begin_ns, steps = end_ns - WEEK_NS, count / 7
    for event in events(count):
        # A day has as many events as any other, most of them around its middle.
        day, place = divmod(event.seq / steps, 1.0)
        within = place - 0.8 * math.sin(2 * math.pi * place) / (2 * math.pi)
        at_ns = begin_ns + round((day + within) * 86_400 * 10**9)
        yield _made(event, at_ns, is_gap=event.seq % (count // GAPS) == count // GAPS // 2)


def _made(event: Event, at_ns: int, *, is_gap: bool) -> Event:
    seq, at_ms = event.seq, at_ns // 1_000_000
    kind = {0: EventType.FILL, 1: EventType.LEDGER}.get(seq % EVERY, event.type)
    pair = PAIRS[seq * seq % 97 % len(PAIRS)]
    derived = None
    if is_gap:
        kind, record, facts = EventType.SYSTEM, _gap(at_ns), Facts("system", status="live", message="upstream_gap")
    elif kind is not event.type:
        record = _fill(seq, pair, at_ms) if kind is EventType.FILL else _ledger(seq, pair, at_ms)
        facts = Facts(f"{kind}-{seq}", pair, "buy", exchange_ms=at_ms - 60)
    else:
        record, facts = json.loads(event.record), event.facts._replace(exchange_ms=at_ms - 60)
        facts = _vary(record, facts, seq, at_ms)
        if kind is EventType.POSITION:
            derived = ("unrealized_pnl", f"{40 * math.sin(seq / 9_000):.4f}".encode())
    text = json.dumps(record, separators=(",", ":")).encode()
    body, at = encode_envelope(seq, kind, Source.STREAM, at_ns, text, derived)
    return Event(seq, kind, Source.STREAM, at_ns, facts, body, at, len(text), max(0, seq - 7))


def _vary(record: Record, facts: Facts, seq: int, at_ms: int) -> Facts:
    if "display_message" in record:
        key = f"{seq:08x}{record['id'][8:]}"
        record |= {"id": key, "created_at": at_ms - 60 - seq * 7919 % 90_000, "updated_at": at_ms - 60}
        return facts._replace(key=key)
    if "locked_balance" in record:
        free = 100_000 + 9_000 * math.sin(seq / 40_000) + seq / 100
        record |= {"balance": f"{free:.14f}", "locked_balance": f"{4_000 + 3_000 * math.cos(seq / 11_000):.8f}"}
    return facts


def _gap(at_ns: int) -> Record:
    start = iso_ms(at_ns - 3 * 3_600 * 10**9)
    return {"message": "upstream_gap", "coindcx_connected": True, "state": "live", "start": start,
            "end": iso_ms(at_ns), "cause": "socket closed", "recovered": 3}  # fmt: skip


def _fill(seq: int, pair: str, at_ms: int) -> Record:
    record = {"fill_id": f"f-{seq}", "order_id": f"o-{seq}", "pair": pair, "side": "buy", "price": 2900.5 + seq % 100}
    return record | {"quantity": 0.05, "is_maker": False, "fee_amount": 0.0725, "timestamp": at_ms}


def _ledger(seq: int, pair: str, at_ms: int) -> Record:
    amount = ((seq * 7919) % 2_000 - 995 + 30 * math.sin(seq / 60_000)) / 100
    record = {"pair": pair, "stage": "funding" if seq % 80 == 1 else "exit", "amount": amount, "fee_amount": 0.01}
    names = {"margin_currency_short_name": "USDT", "fill_id": f"l-{seq}", "parent_id": "o"}
    return record | names | {"created_at": at_ms}


def build(path: Path, count: int, end_ns: int, *, mode: str = MODE, account: str = ACCOUNT) -> None:
    """Write the week into a new log."""
    store = EventStore.open(f"sqlite:///{path}", mode=mode, account=account, synchronous="normal")
    try:
        store.begin_epoch(EPOCH, 1)
        source = week(count, end_ns)
        while part := list(itertools.islice(source, GROUP)):
            store.append(part, EPOCH)
    finally:
        store.close()
