"""A small durable log of two days, for whatever reads the past: orders that end, fills, results, balances, a gap."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from coindcx_feed.events import Event, EventType, Facts, Source, encode_envelope
from coindcx_feed.feed.watch import Watch
from coindcx_feed.store.log import EventStore

MODE, ACCOUNT = "live", "an-api-key"
EPOCHS = ("20261121T000000-aaaaaaaa", "20261122T000000-bbbbbbbb")
SECOND_EPOCH = 8
PAIR = "B-ETH_USDT"


def at_ms(text: str) -> int:
    """Return a UTC time such as ``2026-11-21T10:00`` as Unix ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def stored_event(seq: int, kind: str, time: str, record: dict[str, Any], previous: int = 0, **facts: Any) -> Event:
    """Build an event received at a UTC time."""
    text = json.dumps(record, separators=(",", ":")).encode()
    received_ns = at_ms(time) * 1_000_000
    body, at = encode_envelope(seq, EventType(kind), Source.STREAM, received_ns, text)
    known = Facts(**{"key": record.get("id") or f"{kind}-{seq}", "pair": record.get("pair"), **facts})
    return Event(seq, EventType(kind), Source.STREAM, received_ns, known, body, at, len(text), previous)


def _order(seq: int, time: str, order_id: str, status: str, previous: int = 0, pair: str = PAIR) -> Event:
    stamps = {"created_at": at_ms("2026-11-21T09:59"), "updated_at": at_ms(time)}
    record = {"id": order_id, "pair": pair, "side": "buy", "status": status, "price": 2900.5, "total_quantity": 0.05}
    record |= {"display_message": f"order {status}!", **stamps}
    return stored_event(
        seq, "order", time, record, previous, side="buy", status=status, price=2900.5, message=f"order {status}!"
    )


def _wallet(seq: int, time: str, free: str, locked: str) -> Event:
    record = {"id": "w-1", "currency_short_name": "USDT", "balance": free, "locked_balance": locked}
    return stored_event(seq, "balance", time, record, pair="USDT")


def _fill(seq: int, time: str, price: float, pair: str = PAIR) -> Event:
    record = {"fill_id": f"f-{seq}", "pair": pair, "price": price, "quantity": 2, "fee_amount": 0.25, "side": "buy"}
    return stored_event(seq, "fill", time, record)


def _ledger(seq: int, time: str, amount: float, stage: str = "exit", currency: str = "USDT") -> Event:
    record = {"pair": PAIR, "stage": stage, "amount": amount, "margin_currency_short_name": currency}
    return stored_event(seq, "ledger", time, record, status=stage)


GAP = {"message": "upstream_gap", "coindcx_connected": True, "state": "live", "cause": "socket closed", "recovered": 1,
       "start": "2026-11-21T12:00:00.000Z", "end": "2026-11-21T13:00:00.000Z"}  # fmt: skip

EVENTS = (
    _order(1, "2026-11-21T10:00:00", "o-1", "open"),
    _wallet(2, "2026-11-21T10:00:01", "1650841.59606695345873", "10.5"),
    _order(3, "2026-11-21T10:01:00", "o-1", "filled", 1),
    _fill(4, "2026-11-21T10:01:01", 100.0),
    _order(5, "2026-11-21T11:00:00", "o-2", "cancelled"),
    stored_event(6, "system", "2026-11-21T13:00:01", GAP, message="upstream_gap", status="live"),
    _ledger(7, "2026-11-21T19:00:00", 12.5),
    _wallet(8, "2026-11-22T10:00:00", "5.25", "0"),
    _ledger(9, "2026-11-22T10:00:30", -2.25, "funding"),
    _ledger(10, "2026-11-22T10:00:31", 100.5, currency="INR"),
    _fill(11, "2026-11-22T10:01:00", 50.5, "B-BTC_USDT"),
    _order(12, "2026-11-22T10:02:00", "o-3", "filled", pair="B-BTC_USDT"),
)


def fill_log(log: EventStore) -> None:
    """Store the two days, an epoch each."""
    log.begin_epoch(EPOCHS[0], 1)
    log.append(EVENTS[: SECOND_EPOCH - 1], EPOCHS[0])
    log.begin_epoch(EPOCHS[1], SECOND_EPOCH)
    log.append(EVENTS[SECOND_EPOCH - 1 :], EPOCHS[1])


@contextmanager
def past_log(folder: Path, mode: str = MODE, account: str = ACCOUNT) -> Iterator[EventStore]:
    """Open a log in a folder with the two days in it."""
    log = EventStore.open(f"sqlite:///{folder / 'past.sqlite'}", mode=mode, account=account)
    try:
        fill_log(log)
        yield log
    finally:
        log.close()


def runtime_of(log: EventStore | None, folder: Path, mode: str = MODE) -> Any:
    """Return what ``PastService`` needs of a runtime."""
    return SimpleNamespace(log=log, watch=Watch(), mode=mode, settings=SimpleNamespace(data_dir=folder))
