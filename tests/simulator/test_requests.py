"""What callers send is parsed strictly: exact numbers, known words, one clear message otherwise."""

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.simulator.orders import OrderRequest, Refusal
from coindcx_feed.simulator.requests import (
    parse_amount,
    parse_create,
    parse_currency,
    parse_object,
    parse_page,
    parse_side,
)


def test_object_keeps_numbers_exact() -> None:
    """No float on the way."""
    assert parse_object(b'{"qty":0.1,"n":7}') == {"qty": D("0.1"), "n": 7}


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_other_bodies_are_refused(raw: bytes) -> None:
    """Also text that is nested too deeply."""
    with pytest.raises(ValueError):
        parse_object(raw)


@pytest.mark.parametrize("value", ["0.1", 5, D("0.001"), "1e3", " 7 "])
def test_amounts(value: object) -> None:
    """Numbers, or their text."""
    assert parse_amount(value, "qty") == D(str(value).strip())


@pytest.mark.parametrize("value", [0, -1, "0", "abc", "", "nan", "inf", "1e21", "1e-21", True, None, [], {}, 0.1])
def test_other_amounts_are_refused(value: object) -> None:
    """The message names field and value."""
    with pytest.raises(ValueError, match="qty: expected a number above 0, was"):
        parse_amount(value, "qty")


@given(st.text())
def test_any_text_is_an_amount_or_a_value_error(text: str) -> None:
    """Nothing else comes out."""
    try:
        amount = parse_amount(text, "qty")
    except ValueError:
        return
    assert amount > 0


def test_words() -> None:
    """Sides and currencies."""
    assert [parse_side(side) for side in ("buy", "sell")] == ["buy", "sell"]
    assert [parse_currency(name) for name in ("USDT", "INR", None)] == ["USDT", "INR", "USDT"]
    with pytest.raises(ValueError, match="expected buy or sell, was 'BUY'"):
        parse_side("BUY")
    with pytest.raises(ValueError, match="expected USDT or INR, was 'EUR'"):
        parse_currency("EUR")


def test_create() -> None:
    """A limit order in INR, numbers as text or not."""
    order = {
        "side": "sell",
        "pair": "B-SOL_USDT",
        "order_type": "limit_order",
        "price": "119.5",
        "total_quantity": D("2.5"),
        "leverage": 3,
        "margin_currency_short_name": "INR",
    }
    assert parse_create(order) == OrderRequest("sell", "B-SOL_USDT", D("2.5"), D("119.5"), D(3), "INR")
    assert parse_create(order | {"order_type": "market_order"}).price is None


@pytest.mark.parametrize("kind", ["stop", "take_profit"])
@pytest.mark.parametrize("variant", ["limit", "market"])
def test_create_with_a_trigger(kind: str, variant: str) -> None:
    """Type and price give trigger and variant; crossed margin by name."""
    order = {
        "side": "sell",
        "pair": "B-SOL_USDT",
        "order_type": f"{kind}_{variant}",
        "price": 118,
        "stop_price": "118.5",
        "total_quantity": 2,
        "position_margin_type": "crossed",
    }
    request = parse_create(order)
    assert (request.order_type, request.trigger, request.stop_price) == (order["order_type"], kind, D("118.5"))
    assert (request.price, request.margin_type) == (D(118) if variant == "limit" else None, "crossed")
    with pytest.raises(Refusal, match="Stop price can't be empty"):
        parse_create(order | {"stop_price": None})
    with pytest.raises(Refusal, match="expected isolated or crossed, was 'both'"):
        parse_create(order | {"position_margin_type": "both"})


@pytest.mark.parametrize("value", [None, [], "x", {}, {"order_type": "limit_order"}, {"order_type": ["stop_limit"]}])
def test_create_without_shape_is_refused(value: Any) -> None:
    """Never an exception of another kind."""
    with pytest.raises(Refusal):
        parse_create(value)


def test_pages() -> None:
    """Text or number, with a default and an upper limit."""
    assert [parse_page(value, 3, 50) for value in (None, "2", 7, "1000")] == [3, 2, 7, 50]
    for value in ("0", "-1", "", "x", "1.5", "²", "9" * 12):
        with pytest.raises(Refusal):
            parse_page(value, 1, 50)
