"""Values that conditions compare, taken from events and from the rows that pages show. Exact decimals, or ``None``."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from coindcx_feed.alerts.fields import FIELDS, OP_WORDS
from coindcx_feed.alerts.rules import Rule
from coindcx_feed.analysis.changes import grouped
from coindcx_feed.exchange.numbers import MAX_EXPONENT, WIDE, plain

Row = Mapping[str, Any]

OVER: Final = Decimal(1_000)
"""Margin ratio, percent, of a position whose margin is used up: the quotient has no meaning there."""
_HUNDRED: Final = Decimal(100)
_MISSING: Final = msgspec.Raw(b"null")
_PLACES: Final = Decimal("0.0001")


class _Data(msgspec.Struct):
    price: msgspec.Raw = _MISSING
    avg_price: msgspec.Raw = _MISSING
    total_quantity: msgspec.Raw = _MISSING
    quantity: msgspec.Raw = _MISSING
    filled_quantity: msgspec.Raw = _MISSING
    fee_amount: msgspec.Raw = _MISSING
    amount: msgspec.Raw = _MISSING
    leverage: msgspec.Raw = _MISSING


class _Envelope(msgspec.Struct):
    data: _Data


_decode = msgspec.json.Decoder(_Envelope).decode


def decimal(text: str | None) -> Decimal | None:
    """Read a figure of a record; anything that is no finite number of a sane size is unknown."""
    try:
        value = None if text is None or len(text) > 2 * MAX_EXPONENT else Decimal(text)
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() and abs(value.adjusted()) < MAX_EXPONENT else None


def event_value(body: bytes, field: str) -> Decimal | None:
    """Return a field of an event's envelope."""
    data = _decode(body).data
    raw = bytes(getattr(data, field))
    if field == "quantity" and raw == b"null":
        raw = bytes(data.total_quantity)
    return decimal(raw.decode().strip('"')) if raw != b"null" else None


def position_value(row: Row, field: str) -> Decimal | None:
    """Return a field of a row of ``views.account.positions``; what needs a mark is unknown without a fresh one."""
    if field == "stop_missing":
        return Decimal(0 if row["stop"] else 1)
    if field in ("leverage", "margin"):
        return decimal(row[field])
    if field == "size":
        size = decimal(row["size"])
        return None if size is None else abs(size)
    if not row["mark_is_fresh"]:
        return None
    if field == "liquidation_distance":
        share = row["liquidation_distance"]
        return None if share is None else Decimal(repr(share)) * _HUNDRED
    pnl = decimal(row["unrealized_pnl"])
    if field in ("unrealized_pnl", "pnl_move"):
        return pnl
    margin = decimal(row["margin"])
    if pnl is None or not margin:
        return None
    if field == "pnl_percent":
        return _percent(pnl, margin)
    return _margin_ratio(row, WIDE.add(margin, pnl))


def _margin_ratio(row: Row, left: Decimal) -> Decimal | None:
    needed = decimal(row["maintenance_margin"])
    if row["margin_type"] == "crossed":
        # All of them share one wallet: what the feed computed of it, and nothing where it could not.
        needed, left = row.get("crossed_margin") or (None, left)
    if not needed:
        return None
    return min(OVER, _percent(needed, left)) if left > 0 else OVER


def balance_value(row: Row, field: str) -> Decimal | None:
    """Return a field of a row of ``views.account.balances``; a move is of its total."""
    if field == "locked_percent":
        locked, total = decimal(row["locked"]), decimal(row["total"])
        return _percent(locked, total) if locked is not None and total else None
    return decimal(row[field if field in ("available", "locked") else "total"])


def _percent(part: Decimal, whole: Decimal) -> Decimal:
    return WIDE.multiply(WIDE.divide(part, whole), _HUNDRED)


def percent_move(move: Decimal, before: Decimal) -> Decimal | None:
    """Return a move as a share of where it began, percent."""
    return _percent(move, abs(before)) if before else None


def sentence(rule: Rule, shown: str, found: Decimal) -> str:
    """Say what was found and what was asked for, in one line."""
    condition = rule.condition
    assert condition is not None
    field = FIELDS[rule.subject][condition.field]
    if field.kind == "flag":
        return f"{shown}: {field.label if condition.value else f'no longer: {field.label}'}"
    unit = f" {field.unit}" if field.unit else ""
    asked = f"{OP_WORDS[condition.op]} {grouped(f'{condition.value:f}')}{unit}"
    within = f" within {condition.within_s} s" if condition.within_s else ""
    return f"{shown}: {field.label} {grouped(figure(found))}{unit}{within} ({asked})"


def figure(value: Decimal) -> str:
    """Shorten a computed figure to four decimals; small ones keep what they have."""
    short = value.quantize(_PLACES, context=WIDE)
    return plain(short if short else value)


def event_text(row: Row) -> str:
    """Say what happened in an event, from the row that a table shows."""
    head = " ".join(str(row[name]).replace("_", " ") for name in ("side", "status") if row[name])
    price = f" at {grouped(row['price'])}" if row["type"] == "order" and row["price"] not in (None, "0", "0.0") else ""
    changed = row["what_changed"] or row["message"] or ""
    lead = f"{row['pair'] or row['type']} {head}{price}".strip()
    return f"{lead}: {changed}" if changed else lead


Value = Callable[[Row, str], Decimal | None]
