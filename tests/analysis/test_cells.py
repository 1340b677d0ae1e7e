"""Cells of an export: exact numbers, texts that no spreadsheet runs."""

import csv
import io
import json

import msgspec
import pytest
from analysis.helpers import EPOCH, fill, new_event
from fakes.frames import balance, order, position
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.cells import COLUMNS, cell, csv_line, neutralised, quoted, row_texts

DANGEROUS = [
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff@x",
]
FULL_WIDTH = ["\uff1d1", "\uff0b1", "\uff0d1", "\uff20x"]
HARMLESS = ["", "ETH limit buy order filled!", "0.5", "a=b", "(=1)", "'=1", "\u2212 5", "₹ -5", "B-ETH_USDT"]


def named(event: bytes) -> dict[str, str]:
    return dict(zip(COLUMNS, row_texts(event, EPOCH, "live"), strict=True))


@pytest.mark.parametrize("text", [*DANGEROUS, *FULL_WIDTH])
def test_T14_formulas_get_an_apostrophe(text: str) -> None:
    """A text that a spreadsheet could run begins with an apostrophe, also behind blanks that it drops."""
    assert neutralised(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_T14_other_texts_stay(text: str) -> None:
    """Nothing is changed that cannot be a formula."""
    assert neutralised(text) == text


@pytest.mark.parametrize("number", ["-0.5", "1650841.59606695345873", "-1e-7", "0", "8.893e-05"])
def test_T14_numbers_stay_numbers(number: str) -> None:
    """JSON numbers, and plain decimals in money fields, never get an apostrophe and keep every digit."""
    assert cell(number.encode(), "price") == number
    assert cell(number.encode(), "anything") == number
    assert cell(f'"{number}"'.encode(), "balance") == number


def test_T14_a_number_as_text_elsewhere_is_text() -> None:
    """A negative number in a text field could be a formula: only money fields are trusted with numbers as text."""
    assert cell(b'"-5"', "display_message") == "'-5"
    assert cell(b'"-5+1"', "balance") == "'-5+1"
    assert cell('"-٥"'.encode(), "balance") == "'-٥"


def test_other_values_are_their_json() -> None:
    """Null is empty, truth is a word, lists stay JSON."""
    assert [cell(raw, "x") for raw in (b"null", b"true", b"[]", b'{"a":[1.50]}')] == ["", "true", "[]", '{"a":[1.50]}']


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_T14_csv_lines_survive_a_reader(texts: list[str]) -> None:
    """Separators, quotes, tabs and line ends in any cell come back as they were."""
    (row,) = csv.reader(io.StringIO(csv_line(texts), newline=""), strict=True)
    assert row == texts or texts == [""]


def test_only_what_needs_it_is_quoted() -> None:
    """Plain cells stay bare; separators of other programs are quoted too."""
    assert [quoted(text) for text in ("a b", 'a"b', "a,b", "a;b", "a\nb", "a\tb")] == [
        "a b",
        '"a""b"',
        '"a,b"',
        '"a;b"',
        '"a\nb"',
        '"a\tb"',
    ]


def test_an_order_row() -> None:
    """Every column of an order, with the derived quantity and the exchange's own time."""
    event = new_event(7, "order", order("o-9", display_message="=placed", remaining_quantity=0.03))
    assert named(event.body) == {
        "seq": "7",
        "epoch": EPOCH,
        "timestamp": "2026-09-23T05:06:40.130Z",
        "exchange_ms": "1790000000000",
        "mode": "live",
        "source": "stream",
        "type": "order",
        "id": "o-9",
        "pair": "B-ETH_USDT",
        "side": "buy",
        "status": "open",
        "price": "2900.5",
        "quantity": "0.05",
        "filled_quantity": "0.02",
        "message": "'=placed",
    }


def test_rows_of_the_other_types() -> None:
    """Positions show average and signed size, wallets their currency and free balance, fills their own id."""
    place = named(new_event(1, "position", position(active_pos=-0.2)).body)
    assert (place["price"], place["quantity"], place["status"]) == ("2887.6", "-0.2", "")
    wallet = named(new_event(2, "balance", balance(free="1650841.59606695345873", currency="INR")).body)
    assert (wallet["pair"], wallet["quantity"], wallet["exchange_ms"]) == ("INR", "1650841.59606695345873", "")
    trade = named(new_event(3, "fill", fill()).body)
    assert (trade["id"], trade["price"], trade["quantity"], trade["exchange_ms"]) == (
        "f-1",
        "107.54",
        "4.67",
        "1787841686516",
    )
    note = named(new_event(4, "system", {"message": "reconnected", "state": "live"}).body)
    assert (note["id"], note["status"], note["message"], note["source"]) == ("", "live", "reconnected", "local")


def test_the_golden_balance_keeps_its_digits() -> None:
    """A balance beyond binary floats is written digit by digit."""
    text = '{"id":"w","balance":"1650841.59606695345873","locked_balance":"0","currency_short_name":"INR"}'
    assert "1650841.59606695345873" in row_texts(new_event(1, "balance", text).body)


def test_no_envelope_is_an_error() -> None:
    """Something else than an account event is refused, not half shown."""
    with pytest.raises(msgspec.DecodeError):
        row_texts(json.dumps({"type": "pong"}).encode())
