"""The JSON module of the Socket.IO library."""

from decimal import Decimal

import pytest

from coindcx_feed.exchange import codec


def test_round_trip_keeps_digits() -> None:
    """A number inside an object payload keeps its digits both ways."""
    value = codec.loads('["e",{"data":{"price":0.1234567890123456789}}]')
    assert value[1]["data"]["price"] == Decimal("0.1234567890123456789")
    assert codec.dumps(value) == '["e",{"data":{"price":0.1234567890123456789}}]'


@pytest.mark.parametrize("text", ['["df-order-update",{"data":"[{', "nope", '["e",NaN]', "[" * 100_000])
def test_F11_event_that_is_not_json_becomes_an_event_of_its_own(text: str) -> None:
    """Raising would end in the library's log: nothing would be kept of the frame."""
    assert codec.loads(text) == [codec.MALFORMED, text]


@pytest.mark.parametrize("text", ['2["event",{}]', "40", "", '{"sid":'])
def test_engineio_probing_gets_the_error_it_expects(text: str) -> None:
    """Engine.IO tries each message as JSON and falls back on ValueError."""
    with pytest.raises(ValueError, match=r"not JSON|malformed|truncated"):
        codec.loads(text)
