"""The texts that a table row shows of an event, joined into one, as the exchange wrote them.

They are taken once, when an event is stored: an export of 100,000 events then parses no JSON, and one text costs less
memory than eight.
"""

import re
import string
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from coindcx_feed.events import Event, EventType

NAMES: Final = ("id", "pair", "side", "status", "price", "quantity", "filled_quantity", "message")
EMPTY: Final = b"," * (len(NAMES) - 1)

_FIGURES: Final = frozenset({"price", "quantity", "filled_quantity"})
_ABSENT: Final = msgspec.Raw(b"")
_NUMBER_CHARACTERS: Final = b"0123456789.-,"
_HARMLESS: Final = (string.ascii_letters + string.digits + " -_.:/!?#%&'()*<>[]{}|~^$").encode()
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
    fill_id: str | None = None


class _Ledger(msgspec.Struct, gc=False):
    amount: msgspec.Raw = _ABSENT
    fill_id: str | None = None


_decode_order = msgspec.json.Decoder(_Order).decode
_decode_position = msgspec.json.Decoder(_Position).decode
_decode_balance = msgspec.json.Decoder(_Balance).decode
_decode_fill = msgspec.json.Decoder(_Fill).decode
_decode_ledger = msgspec.json.Decoder(_Ledger).decode


class _Found(NamedTuple):
    # Price, quantity and filled quantity in one text; id and place where they are not those of the facts.
    figures: bytes
    id: str | None = None
    place: str | None = None


def _of_order(data: bytes) -> _Found:
    order = _decode_order(data)
    return _Found(b",".join((order.price, order.total_quantity, order.filled_quantity)))


def _of_position(data: bytes) -> _Found:
    position = _decode_position(data)
    return _Found(b",".join((position.avg_price, position.active_pos, b"")))


def _of_balance(data: bytes) -> _Found:
    balance = _decode_balance(data)
    return _Found(b",".join((b"", balance.balance, b"")), place=balance.currency_short_name)


def _of_fill(data: bytes) -> _Found:
    fill = _decode_fill(data)
    return _Found(b",".join((fill.price, fill.quantity, b"")), fill.fill_id or "")


def _of_ledger(data: bytes) -> _Found:
    ledger = _decode_ledger(data)
    return _Found(b",".join((b"", ledger.amount, b"")), ledger.fill_id or "")


def _of_system(_: bytes) -> _Found:
    return _Found(b",,", "")


_READERS: Final[dict[EventType, Callable[[bytes], _Found]]] = {
    EventType.ORDER: _of_order,
    EventType.POSITION: _of_position,
    EventType.BALANCE: _of_balance,
    EventType.FILL: _of_fill,
    EventType.LEDGER: _of_ledger,
    EventType.SYSTEM: _of_system,
}
_WITH_MESSAGE: Final = frozenset({EventType.ORDER, EventType.SYSTEM})


def shown_texts(event: Event) -> bytes | None:
    """Return the cells of an event from id to message, joined with commas, or ``None`` if it has to be asked itself.

    It has to where a text needs quotes, might be run by a spreadsheet, or is not ASCII, and where a figure is no plain
    number. See ``cells.COLUMNS`` for what the cells mean. Nothing is raised for whatever the event holds.
    """
    facts = event.facts
    found = _read(event)
    if found is None:
        return None
    own_id = facts.key if found.id is None else found.id
    place = f",{own_id},{found.place or facts.pair or ''},{facts.side or ''},{facts.status or ''},"
    message = facts.message or "" if event.type in _WITH_MESSAGE else ""
    texts = b"%b%b,%b" % (place.encode("utf-8", "replace"), found.figures, message.encode("utf-8", "replace"))
    # What is left are the commas between the cells, one too many or anything else that would split them.
    if texts.translate(None, _HARMLESS) != b"," + EMPTY:
        return None
    # Of what is harmless inside a text, only blank and minus may begin a formula; a figure may begin with a minus.
    if (b",-" in texts or b", " in texts) and _may_run(texts):
        return None
    return texts[1:]


def _read(event: Event) -> _Found | None:
    try:
        found = _READERS[event.type](event.body[event.record_at : -1])
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None
    if found.figures.translate(None, _NUMBER_CHARACTERS):
        plain = _plain_figures(found.figures)
        return None if plain is None else found._replace(figures=plain)
    return found


def _may_run(texts: bytes) -> bool:
    cells = zip(NAMES, texts[1:].split(b","), strict=True)
    return any(cell[:1] in (b"-", b" ") for name, cell in cells if name not in _FIGURES)


def _plain_figures(figures: bytes) -> bytes | None:
    """Take null and numbers written as text for what they mean; anything else has to be looked up."""
    parts = figures.split(b",")
    if len(parts) != 3 or not all(part in (b"", b"null") or _number(part.strip(b'"')) for part in parts):
        return None
    return b",".join(b"" if part == b"null" else part.strip(b'"') for part in parts)
