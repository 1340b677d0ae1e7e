"""Cells kept for an export: exact texts, or nothing so that the event itself is asked."""

import json
from typing import Any

import pytest
from analysis.helpers import EPOCH, fill, new_event
from fakes.frames import balance, order, position
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.cells import COLUMNS, csv_line, row_texts
from coindcx_feed.analysis.shown import EMPTY, NAMES, shown_texts
from coindcx_feed.events import Event, EventType, Facts, Source

NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,18})?\Z")
TEXTS = st.text(max_size=8) | st.sampled_from(
    ["ETH limit buy order placed!", "a,b", "-1", " x", "é", "=1", "1+1", "\x00"]
)


def shown(kind: str, record: dict[str, Any] | str) -> dict[str, str] | None:
    texts = shown_texts(new_event(1, kind, record))
    return None if texts is None else dict(zip(NAMES, texts.decode().split(","), strict=True))


def raw(kind: EventType, data: bytes, **facts: Any) -> bytes | None:
    body = b'{"data":' + data + b"}"
    return shown_texts(Event(1, kind, Source.REST, 0, Facts(**{"key": "k", **facts}), body, 8, len(data)))


@given(NUMBERS, NUMBERS)
def test_numbers_keep_every_digit(price: str, total: str) -> None:
    """Price and quantity of an order are the exchange's texts; zeros at the end stay."""
    text = f'{{"id":"o","status":"open","price":{price},"total_quantity":{total},"trades":[1,2]}}'
    cells = shown("order", text)
    assert cells is not None
    assert (cells["price"], cells["quantity"], cells["filled_quantity"]) == (price, total, "")


def test_each_type_has_its_own_figures() -> None:
    """Average and signed size of a position, free balance, size of a fill, amount of a ledger row."""
    place = shown("position", position(active_pos=-0.2))
    assert place is not None
    assert (place["price"], place["quantity"]) == ("2887.6", "-0.2")
    wallet = shown("balance", balance(free="1650841.59606695345873", currency="INR"))
    assert wallet is not None
    assert (wallet["pair"], wallet["quantity"], wallet["price"]) == ("INR", "1650841.59606695345873", "")
    trade = shown("fill", fill())
    assert trade is not None
    assert (trade["id"], trade["price"], trade["quantity"]) == ("f-1", "107.54", "4.67")
    ledger = b'{"amount":-1305.1716,"fill_id":"f-2"}'
    assert raw(EventType.LEDGER, ledger, status="funding", pair="B-X_USDT") == b"f-2,B-X_USDT,,funding,,-1305.1716,,"
    assert raw(EventType.LEDGER, b'{"amount":1}') == b",,,,,1,,"
    assert raw(EventType.SYSTEM, b'{"price":1}', message="back") == b",,,,,,,back"


def test_null_and_absent_are_empty() -> None:
    """A figure that the record does not give is the empty text."""
    assert raw(EventType.ORDER, b'{"price":null,"total_quantity":0.5}') == b"k,,,,,0.5,,"
    assert raw(EventType.POSITION, b"{}") == b"k" + EMPTY


@given(st.text(alphabet='=1,"\\+-@ .enull', max_size=6))
def test_a_text_is_a_figure_only_if_it_is_a_plain_decimal(text: str) -> None:
    """Any other text is left to the event: it may hold commas, quotes or a formula."""
    cells = raw(EventType.ORDER, json.dumps({"price": text}).encode())
    assert cells is None or cells == f"k,,,,{text},,,".encode()
    assert cells is None or float(text) is not None


@pytest.mark.parametrize(
    "data", [b'{"price":[1,2]}', b'{"price":true}', b'{"price":{"a":1}}', b"[1]", b"{", b'{"price":1e+5}']
)
def test_what_is_no_plain_number_is_left_to_the_event(data: bytes) -> None:
    """Lists, truth, broken records and numbers with a plus are not kept."""
    assert raw(EventType.ORDER, data) is None


@given(TEXTS.filter(bool), TEXTS, TEXTS, TEXTS)
def test_T14_what_is_kept_is_the_csv_line(key: str, pair: str, status: str, message: str) -> None:
    """Kept cells are byte for byte what a careful writer makes of the event; no other text is kept."""
    event = new_event(1, "order", order(key, pair=pair, status=status, display_message=message))
    cells = shown_texts(event)
    line = csv_line(row_texts(event.body, EPOCH, "live"))
    assert cells is None or line.endswith(f",{cells.decode()}\r\n")
    if all(text.isascii() and text.isalnum() for text in (key, pair, status, message)):
        assert cells is not None


def test_names_follow_the_export() -> None:
    """The cells are the last columns of an export of mixed events."""
    assert COLUMNS[-len(NAMES) :] == NAMES
