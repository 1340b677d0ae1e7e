"""Names on the wire."""

import pytest

from coindcx_feed.exchange import wire


@pytest.mark.parametrize("text", ["B-BTC_USDT", "B-1000SHIB_USDT"])
def test_futures_pairs_are_recognised(text: str) -> None:
    """The exchange's own spelling passes."""
    assert wire.is_pair(text)


@pytest.mark.parametrize("text", ["BTCUSDT", "B-BTCUSDT", "b-btc_usdt", "B-BTC_USDT ", "B-BTC_USDT@x", ""])
def test_other_spellings_are_refused(text: str) -> None:
    """A wrong spelling is ignored by the exchange for ever, so it must not get that far."""
    assert not wire.is_pair(text)


def test_channels_carry_the_futures_suffix() -> None:
    """Without the suffix the exchange delivers nothing, or spot data."""
    assert wire.trades_channel("B-ETH_USDT") == "B-ETH_USDT@trades-futures"
    assert wire.price_channel("B-ETH_USDT") == "B-ETH_USDT@prices-futures"
    assert wire.book_channel("B-ETH_USDT", 20) == "B-ETH_USDT@orderbook@20-futures"
    assert wire.candle_channel("B-ETH_USDT", "1m") == "B-ETH_USDT_1m-futures"


def test_relay_symbol_is_the_spelling_of_books() -> None:
    """Book frames spell the pair without prefix and underscore."""
    assert wire.relay_symbol("B-ETH_USDT") == "ETHUSDT"
