"""Cells of an export: the text of a JSON value, safe to open in a spreadsheet, and one event as a list of them.

A text that a spreadsheet would take for a formula gets an apostrophe in front; a number never does. A number is a JSON
number, or a text in a money field that is a plain decimal: ``-0.5`` stays ``-0.5``.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from coindcx_feed.analysis.fields import (
    ID_FIELDS,
    MESSAGE_FIELDS,
    MONEY_FIELDS,
    PRICE_FIELDS,
    QUANTITY_FIELDS,
    STATUS_FIELDS,
    TIME_FIELDS,
)

COLUMNS: Final = (
    "seq",
    "epoch",
    "timestamp",
    "exchange_ms",
    "mode",
    "source",
    "type",
    "id",
    "pair",
    "side",
    "status",
    "price",
    "quantity",
    "filled_quantity",
    "message",
)
"""Header of an export of mixed events.

``pair`` is the currency on balances. ``price`` is the limit price of an order and the average of a position;
``quantity`` is the total of an order, the signed size of a position, the free balance of a wallet, the size of a fill
and the amount of a ledger row. ``status`` is the stage of a ledger row and the state on system events, ``message`` the
exchange's text on orders and this program's own on system events.
"""

Fields = Mapping[str, msgspec.Raw]

_plain_decimal = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII).fullmatch
# Control and zero-width characters count as blanks: some spreadsheets drop them before they look for a formula.
_starts_formula = re.compile(
    "[\\s\x00-\x20\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*"
    "[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
).match
_NULL: Final = b"null"


class Envelope(msgspec.Struct, gc=False):
    """What an export reads of an envelope; ``data`` keeps the digits of every value."""

    timestamp: str
    type: str
    seq: int
    source: str
    data: dict[str, msgspec.Raw]
    late: bool = False


parse_envelope = msgspec.json.Decoder(Envelope).decode
_decode = msgspec.json.decode


def neutralised(text: str) -> str:
    """Return the text with an apostrophe in front if a spreadsheet could run it."""
    return f"'{text}" if _starts_formula(text) else text


def cell(raw: bytes, field: str) -> str:
    """Return the cell of one JSON value; null is the empty text.

    Lists and objects stay JSON.
    """
    if raw == _NULL:
        return ""
    if raw[:1] != b'"':
        return raw.decode()
    text = _decode(raw, type=str)
    return text if field in MONEY_FIELDS and _plain_decimal(text) else neutralised(text)


def row_texts(envelope: bytes, epoch: str = "", mode: str = "") -> list[str]:
    """Return the cells of one event, one for each of ``COLUMNS``, ready for a CSV writer.

    Args:
        envelope: An account event as sent to clients.
        epoch: Series of its ``seq``, which the envelope does not carry; from the greeting.
        mode: From the greeting too.
    Raises:
        msgspec.DecodeError: If it is no envelope of an account event.
    """
    event = parse_envelope(envelope)
    kind, data = event.type, event.data
    return [
        *leading_texts(event, epoch, mode),
        _text(data, ID_FIELDS.get(kind, "id")),
        _text(data, "currency_short_name" if kind == "balance" else "pair"),
        _text(data, "side"),
        _text(data, STATUS_FIELDS.get(kind, "status")),
        _text(data, PRICE_FIELDS.get(kind)),
        _text(data, QUANTITY_FIELDS.get(kind)),
        _text(data, "filled_quantity" if kind == "order" else None),
        _text(data, MESSAGE_FIELDS.get(kind)),
    ]


def leading_texts(event: Envelope, epoch: str, mode: str) -> list[str]:
    """Return the cells that every export begins with, ``seq`` to ``type``."""
    # Old fills have fractions of a millisecond.
    exchange_ms = _text(event.data, TIME_FIELDS.get(event.type)).partition(".")[0]
    return [str(event.seq), epoch, event.timestamp, exchange_ms, mode, event.source, event.type]


def _text(data: Fields, field: str | None) -> str:
    raw = None if field is None else data.get(field)
    return "" if raw is None or field is None else cell(bytes(raw), field)


def csv_line(cells: list[str]) -> str:
    """Join cells to a line of RFC 4180, with its line end."""
    return ",".join(map(quoted, cells)) + "\r\n"


_needs_quotes = re.compile('[",;\t\r\n]').search


def quoted(text: str) -> str:
    """Quote a cell where a reader could otherwise split it."""
    return '"' + text.replace('"', '""') + '"' if _needs_quotes(text) else text
