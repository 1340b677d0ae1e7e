"""Exact decimals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.exchange.numbers import finite, parse_exact, plain, written

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=12)


@given(DECIMALS)
def test_fraction_survives_parsing_exactly(number: Decimal) -> None:
    """What the exchange wrote is what is held, digit for digit."""
    text = format(number, "f")
    assert str(parse_exact(f'{{"x":{text}}}')["x"]) == str(Decimal(text)) or parse_exact(f'{{"x":{text}}}')["x"] == 0


@given(DECIMALS)
def test_plain_text_has_the_same_value_and_no_exponent(number: Decimal) -> None:
    """Written as the publisher does: no exponent, no trailing zeros."""
    text = plain(number)
    assert Decimal(text) == number
    assert "E" not in text.upper()
    assert not ("." in text and text.endswith("0"))


def test_F11_exponent_beyond_the_decimal_type_is_not_json() -> None:
    """The error is of the kind that ends in quarantine."""
    with pytest.raises(ValueError, match="exponent"):
        parse_exact('{"x":1e99999999999999999999}')


@pytest.mark.parametrize("text", ["1E+999999999", "1E-999999999"])
def test_F11_absurd_number_is_never_written_out(text: str) -> None:
    """Written in full it would be a gigabyte of zeros."""
    assert written(Decimal(text)) == text
    assert plain(Decimal(text)) == text


def test_small_exponents_are_numbers() -> None:
    """The exchange writes 8.893e-05."""
    assert parse_exact("[8.893e-05]") == [Decimal("0.00008893")]


@pytest.mark.parametrize(
    ("value", "number"),
    [("1.50", Decimal("1.50")), (2, Decimal(2)), (Decimal("-0.1"), Decimal("-0.1")), ("NaN", None), ("1e", None)],
)
def test_figure_of_a_frame_is_a_finite_number_or_none(value: object, number: Decimal | None) -> None:
    """Also when it is a text; a truth value, a list or nothing is none."""
    assert finite(value) == number
    assert [finite(other) for other in (True, None, [], float("inf"))] == [None] * 4
