"""Account events reduced to what analyses of money read, written down in a test."""

import json
from decimal import Decimal
from typing import Any, NamedTuple

from coindcx_feed.analysis.noted import Noted, noted
from coindcx_feed.events import EventType

PAIR = "B-ETH_USDT"


class Made(NamedTuple):
    """An event as analyses see one that is kept."""

    seq: int
    type: EventType
    received_ns: int
    exchange_ms: int | None
    previous: int
    is_late: bool
    body: bytes


def made(kind: str, seq: int, at_ms: float, *, previous: int = 0, is_late: bool = False, **fields: Any) -> Made:
    """Write an event whose exchange time is ``at_ms``; it arrives 60 ms later, a balance without any time."""
    data = {name: str(value) if isinstance(value, Decimal) else value for name, value in fields.items()}
    stamp = None if kind == "balance" else int(at_ms)
    body = json.dumps({"seq": seq, "data": data}).encode()
    return Made(seq, EventType(kind), int((at_ms + 60) * 1e6), stamp, previous, is_late, body)


def note(kind: str, seq: int, at_ms: float, *, previous: int = 0, **fields: Any) -> Noted:
    """Write an event and read it."""
    common = {"pair": PAIR, "margin_currency_short_name": "USDT"} if kind != "balance" else {}
    found = noted(made(kind, seq, at_ms, previous=previous, **{**common, **fields}))
    assert found is not None
    return found


def position(seq: int, at_ms: float, size: str, *, average: str = "100", **fields: Any) -> Noted:
    """Write an update of an isolated position, 10 USDT in it unless said otherwise."""
    money = {"locked_margin": "10", "locked_user_margin": "10", "liquidation_price": "80"} if size != "0" else {}
    known = {"id": "p-1", "active_pos": size, "avg_price": average, **money, **fields}
    return note("position", seq, at_ms, **known)


def order(seq: int, at_ms: float, status: str, filled: str = "0", *, side: str = "buy", **fields: Any) -> Noted:
    """Write an update of an order of 1 ETH."""
    known = {"id": "o-1", "side": side, "status": status, "total_quantity": "1", "filled_quantity": filled, **fields}
    return note("order", seq, at_ms, **known)


def balance(seq: int, at_ms: float, available: str, locked: str = "0", currency: str = "USDT") -> Noted:
    """Write an update of a wallet that arrives 60 ms after a time."""
    return note("balance", seq, at_ms, balance=available, locked_balance=locked, currency_short_name=currency)


def ledger(seq: int, at_ms: float, stage: str, amount: str, fee: str = "0", **fields: Any) -> Noted:
    """Write a ledger row."""
    known = {"stage": stage, "amount": amount, "fee_amount": fee, "parent_id": "o-1", "position_id": "p-1", **fields}
    return note("ledger", seq, at_ms, **known)
