"""The three figures of an event that tables and exports show: price, quantity, filled quantity, as the exchange's text.

They are taken once, when an event is stored, so that a table of 500 rows or an export of 100,000 parses no JSON.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

ODD: Final = b"?"
"""Stands for figures that are no plain numbers, so that they need a look into the event itself."""
NONE: Final = b",,"

_ABSENT: Final = msgspec.Raw(b"")
_NUMBER_CHARACTERS: Final = b"0123456789.,-"
_number = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?").fullmatch


class _Order(msgspec.Struct, gc=False):
    price: msgspec.Raw = _ABSENT
    total_quantity: msgspec.Raw = _ABSENT
    filled_quantity: msgspec.Raw = _ABSENT


class _Position(msgspec.Struct, gc=False):
    avg_price: msgspec.Raw = _ABSENT
    active_pos: msgspec.Raw = _ABSENT


class _Balance(msgspec.Struct, gc=False):
    balance: msgspec.Raw = _ABSENT
    currency_short_name: str | None = None


class _Fill(msgspec.Struct, gc=False):
    price: msgspec.Raw = _ABSENT
    quantity: msgspec.Raw = _ABSENT


class _Ledger(msgspec.Struct, gc=False):
    amount: msgspec.Raw = _ABSENT


_decode_order = msgspec.json.Decoder(_Order).decode
_decode_position = msgspec.json.Decoder(_Position).decode
_decode_balance = msgspec.json.Decoder(_Balance).decode
_decode_fill = msgspec.json.Decoder(_Fill).decode
_decode_ledger = msgspec.json.Decoder(_Ledger).decode

Figures = tuple[bytes, str | None]
"""``price,quantity,filled_quantity`` (or ``ODD``) and, for a balance, its currency."""


def _of_order(data: bytes) -> Figures:
    order = _decode_order(data)
    return _checked(b",".join((order.price, order.total_quantity, order.filled_quantity))), None


def _of_position(data: bytes) -> Figures:
    position = _decode_position(data)
    return _checked(b",".join((position.avg_price, position.active_pos, b""))), None


def _of_balance(data: bytes) -> Figures:
    balance = _decode_balance(data)
    return _checked(b",".join((b"", balance.balance, b""))), balance.currency_short_name


def _of_fill(data: bytes) -> Figures:
    fill = _decode_fill(data)
    return _checked(b",".join((fill.price, fill.quantity, b""))), None


def _of_ledger(data: bytes) -> Figures:
    return _checked(b",".join((b"", _decode_ledger(data).amount, b""))), None


_READERS: Final[dict[str, Callable[[bytes], Figures]]] = {
    "order": _of_order,
    "position": _of_position,
    "balance": _of_balance,
    "fill": _of_fill,
    "ledger": _of_ledger,
}


def read_figures(kind: str, data: bytes) -> Figures:
    """Read the figures of an event.

    Args:
        kind: Type of the event.
        data: The ``data`` object of its envelope, derived fields included.
    """
    reader = _READERS.get(kind)
    if reader is None:
        return NONE, None
    try:
        return reader(data)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return ODD, None


def _checked(figures: bytes) -> bytes:
    # JSON made of these characters alone is a number; three commas would be a list, which needs brackets.
    if not figures.translate(None, _NUMBER_CHARACTERS):
        return figures
    parts = figures.split(b",")
    return b",".join(map(_plain, parts)) if len(parts) == 3 and all(map(_is_plain, parts)) else ODD


def _is_plain(part: bytes) -> bool:
    return part in (b"", b"null") or _number(part.strip(b'"')) is not None


def _plain(part: bytes) -> bytes:
    return b"" if part == b"null" else part.strip(b'"')
