"""Figures of a row: exact texts, or a sign that the event itself must be asked."""

import json

from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.analysis.figures import NONE, ODD, read_figures

NUMBERS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,2})?\Z")


@given(NUMBERS, NUMBERS, NUMBERS)
def test_numbers_keep_every_digit(price: str, total: str, filled: str) -> None:
    """Price, quantity and filled quantity of an order are the exchange's texts, exponents included."""
    data = f'{{"id":"o","price":{price},"total_quantity":{total},"trades":[1,2],"filled_quantity":{filled}}}'
    assert read_figures("order", data.encode()) == (f"{price},{total},{filled}".encode(), None)


def test_each_type_has_its_own_figures() -> None:
    """Average and signed size of a position, free balance, size of a fill, amount of a ledger row."""
    assert read_figures("position", b'{"avg_price":2887.60,"price":1,"active_pos":-0.2}') == (b"2887.60,-0.2,", None)
    wallet = b'{"balance":"1650841.59606695345873","currency_short_name":"INR","price":1}'
    assert read_figures("balance", wallet) == (b",1650841.59606695345873,", "INR")
    assert read_figures("fill", b'{"price":107.54,"quantity":4.67}') == (b"107.54,4.67,", None)
    assert read_figures("ledger", b'{"amount":-1305.1716}') == (b",-1305.1716,", None)
    assert read_figures("system", b'{"price":1}') == (NONE, None)


def test_null_and_absent_are_empty() -> None:
    """A figure that the record does not give is the empty text."""
    assert read_figures("order", b'{"price":null,"total_quantity":0.5}') == (b",0.5,", None)
    assert read_figures("position", b"{}") == (NONE, None)


@given(st.text(alphabet='=1,"\\+-@ .enull', max_size=6))
def test_a_text_is_a_figure_only_if_it_is_a_plain_decimal(text: str) -> None:
    """Any other text is left to the event: it may hold commas, quotes or a formula."""
    figures, _ = read_figures("order", json.dumps({"price": text}).encode())
    if figures != ODD:
        assert figures == f"{text},,".encode()
        assert text == "" or text.strip("-").replace(".", "").replace("e", "").replace("+", "").isdigit()


def test_lists_and_broken_records_are_odd() -> None:
    """What is no number, and what is no object, is left to the event."""
    assert read_figures("order", b'{"price":[1,2]}') == (ODD, None)
    assert read_figures("order", b'{"price":true}') == (ODD, None)
    assert read_figures("order", b"[1]") == (ODD, None)
    assert read_figures("balance", b'{"balance":"1","currency_short_name":5}') == (ODD, None)
