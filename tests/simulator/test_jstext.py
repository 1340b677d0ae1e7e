"""Numbers on the wire: exact, ``10`` on the socket and ``10.0`` over REST."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coindcx_feed.simulator.jstext import amount_text, plain, rest_text, socket_text


@pytest.mark.parametrize(
    ("value", "socket", "rest"),
    [
        ("10.0", "10", "10.0"),
        ("10", "10", "10.0"),
        ("1E+3", "1000", "1000.0"),
        ("0.00", "0", "0.0"),
        ("-0.0", "0", "0.0"),
        ("0.0186072135", "0.0186072135", "0.0186072135"),
        ("-1.50", "-1.5", "-1.5"),
    ],
)
def test_number_styles(value: str, socket: str, rest: str) -> None:
    """Trailing zeros go, digits stay, whole numbers follow the publisher's style."""
    assert socket_text({"a": [Decimal(value)]}) == f'{{"a":[{socket}]}}'
    assert rest_text(Decimal(value)) == rest


def test_other_types_pass_through() -> None:
    """Integers, text, None and tuples are written as usual."""
    assert socket_text({"a": (1, "x", None, True)}) == '{"a":[1,"x",null,true]}'


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=12))
def test_value_is_never_changed(value: Decimal) -> None:
    """Both styles and the wallet's text parse back to the same number."""
    for text in (socket_text(value), rest_text(value), amount_text(value)):
        assert msgspec.json.decode(text, type=Decimal) == value
    assert plain(value) == value
    assert "E" not in amount_text(value)
