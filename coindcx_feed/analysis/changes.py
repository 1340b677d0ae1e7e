"""What changed between two records of one id, on exact values, and the one line that a table says about it."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from typing import Any, Final, NamedTuple

import msgspec

from coindcx_feed.analysis.fields import DERIVED_FIELDS, MONEY_FIELDS, label
from coindcx_feed.exchange.numbers import WIDE, plain, written

FIRST_SEEN: Final = "first seen"
NO_CHANGE: Final = "no change"
MINUS: Final = "\u2212"
NOTHING: Final = "–"
MAX_PARTS: Final = 2
MAX_VALUE: Final = 60
"""Characters of one value in a line; details show it in full."""

_LEFT_OUT: Final = frozenset({"updated_at"})
_ORDER: Final[dict[str, tuple[str, ...]]] = {
    "order": (
        "status",
        "filled_quantity",
        "remaining_quantity",
        "cancelled_quantity",
        "avg_price",
        "locked_margin",
        "fee_amount",
        "price",
        "total_quantity",
        "stop_price",
        "leverage",
    ),
    "position": (
        "active_pos",
        "avg_price",
        "locked_margin",
        "liquidation_price",
        "inactive_pos_buy",
        "inactive_pos_sell",
        "locked_order_margin",
        "leverage",
        "take_profit_trigger",
        "stop_loss_trigger",
        "margin_type",
    ),
    "balance": ("locked_balance", "balance"),
}
_SAID_FIRST: Final = {
    "order": ("status", "filled_quantity", "price", "total_quantity", "cancelled_quantity", "avg_price"),
    "position": ("active_pos", "avg_price", "inactive_pos_buy", "inactive_pos_sell", "leverage"),
}
_SHORT: Final = {"filled_quantity": "filled", "avg_price": "avg", "locked_margin": "locked"} | {
    f"{name}_quantity": name for name in ("remaining", "cancelled")
}
_WITHOUT_ARROW: Final = frozenset({"avg_price"})

_encode = msgspec.json.Encoder(decimal_format="number").encode
_plain_decimal = re.compile(r"(-?)(\d+)(\.\d+)?", re.ASCII).fullmatch


class Change(NamedTuple):
    """One field with its exact texts; ``None`` where a record says nothing or null."""

    field: str
    before: str | None
    after: str | None

    @property
    def difference(self) -> Decimal | None:
        """After less before, exact; ``None`` unless both are numbers."""
        before, after = _amount(self.field, self.before), _amount(self.field, self.after)
        if before is None or after is None:
            return None
        with localcontext(WIDE):
            return after - before


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any], kind: str) -> list[Change]:
    """Compare two records of the same id, the most telling fields first.

    10 and 10.0 are the same. A field that the later record leaves out says nothing and is no change, and neither is a
    derived field that could not be computed. ``updated_at`` always moves and is left out.

    Args:
        before: The record before, or ``None`` when there is none; then nothing changed.
        after: The later record. Numbers are ``int`` or ``Decimal``, or the exchange's text.
        kind: Type of the event.
    """
    if before is None:
        return []
    before, after = _with_filled(before, kind), _with_filled(after, kind)
    derived = DERIVED_FIELDS.get(kind, ())
    ranked = [name for name in _ORDER.get(kind, ()) if name in after]
    found = []
    for field in dict.fromkeys((*ranked, *after)):
        old, new = before.get(field), after[field]
        if field in _LEFT_OUT or (new is None and field in derived) or _is_same(field, old, new):
            continue
        found.append(Change(field, _text(old), _text(new)))
    return found


def summary(found: list[Change], kind: str, first: bool) -> str:
    """Say in one line what changed: ``status → filled · filled 0.020 → 0.050 ▲``.

    Args:
        found: What ``changes`` returned.
        kind: Type of the event.
        first: Whether this is the first event of its id.
    """
    if first:
        return FIRST_SEEN
    if not found:
        return NO_CHANGE
    by_field = {change.field: change for change in found}
    if kind == "balance":
        parts = list(_balance_parts(by_field))
    else:
        names = dict.fromkeys((*_SAID_FIRST.get(kind, ()), *by_field))
        parts = [_part(by_field[name], by_field) for name in names if name in by_field]
    return " · ".join(parts[:MAX_PARTS])


def grouped(text: str) -> str:
    """Write a decimal for reading: commas between thousands, a true minus, every digit kept; other text as it is."""
    match = _plain_decimal(text)
    if match is None:
        return text
    sign, whole, fraction = match.groups()
    # Texts of the exchange may be longer than what int() takes: group them as text.
    head = len(whole) % 3
    groups = [whole[:head]] * bool(head) + [whole[start : start + 3] for start in range(head, len(whole), 3)]
    return f"{MINUS if sign else ''}{','.join(groups)}{fraction or ''}"


def signed(number: Decimal) -> str:
    """Write a difference for reading: ``+0.03``, ``−14.51``, ``0``."""
    return f"{'+' if number > 0 else ''}{grouped(plain(number))}"


def arrow(difference: Decimal | None) -> str:
    """Return `` ▲`` or `` ▼``, or nothing."""
    return "" if not difference else " ▲" if difference > 0 else " ▼"


def _balance_parts(by_field: Mapping[str, Change]) -> Iterator[str]:
    locked, available = by_field.get("locked_balance"), by_field.get("balance")
    if locked is not None:
        yield _part(locked, by_field)
    if available is not None:
        difference = available.difference
        is_short = locked is not None and difference is not None
        yield f"available {signed(difference)}" if is_short and difference else _part(available, by_field)
    yield from (_part(change, by_field) for name, change in by_field.items() if change not in (locked, available))


def _part(change: Change, others: Mapping[str, Change]) -> str:
    field = change.field
    name = _SHORT.get(field, label(field))
    after = _shown(field, change.after)
    if change.before is None:
        return f"{name} {after}"
    if field == "status" and "filled_quantity" in others:
        return f"{name} → {after}"  # the filled quantity tells where it came from
    mark = "" if field in _WITHOUT_ARROW else arrow(change.difference)
    return f"{name} {_shown(field, change.before)} → {after}{mark}"


def _shown(field: str, text: str | None) -> str:
    if text is None:
        return NOTHING
    if field in MONEY_FIELDS:
        # The exchange writes 0 for an average of nothing.
        return NOTHING if field == "avg_price" and _amount(field, text) == 0 else grouped(text)
    # Text of the exchange: one line, nothing that moves the reading direction, not too long.
    words = " ".join(text.replace("_", " ").split() if field in ("status", "stage") else text.split())
    clean = "".join(letter if letter.isprintable() else "\ufffd" for letter in words)
    return clean if len(clean) <= MAX_VALUE else f"{clean[: MAX_VALUE - 1]}…"


def _with_filled(record: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    if kind != "order" or "filled_quantity" in record:
        return record
    parts = [_number(name, record.get(name)) for name in ("total_quantity", "remaining_quantity", "cancelled_quantity")]
    total, *rest = parts
    if total is None or None in rest:
        return record
    with localcontext(WIDE):
        filled = total - sum((part for part in rest if part is not None), Decimal(0))
    return {**record, "filled_quantity": Decimal(plain(filled))}


def _is_same(field: str, old: object, new: object) -> bool:
    old_number, new_number = _number(field, old), _number(field, new)
    if old_number is not None and new_number is not None:
        return old_number == new_number
    return type(old) is type(new) and old == new


def _number(field: str, value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return _amount(field, value) if isinstance(value, str) else None


def _amount(field: str, text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None and field in MONEY_FIELDS and _plain_decimal(text) else None


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return written(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _encode(value).decode()
