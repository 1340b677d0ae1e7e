"""The contracts are those of the recorded replies, with exact decimals."""

from decimal import Decimal

import msgspec
import pytest
from simulator.helpers import FIXTURES

from coindcx_feed.simulator.instruments import instruments


def test_five_pairs_in_their_order() -> None:
    """The three of the default settings come first."""
    assert list(instruments()) == ["B-BTC_USDT", "B-ETH_USDT", "B-SOL_USDT", "B-XRP_USDT", "B-DOGE_USDT"]


@pytest.mark.parametrize(
    ("file", "pair"),
    [
        ("instrument.B-BTC_USDT.USDT.constructed.json", "B-BTC_USDT"),
        ("instrument.B-ETH_USDT.USDT.constructed.json", "B-ETH_USDT"),
        ("instrument.B-SOL_USDT.INR.captured.json", "B-SOL_USDT"),
    ],
)
def test_rows_equal_the_fixtures(file: str, pair: str) -> None:
    """Field by field, but for the margin currency, which is the caller's."""
    text = (FIXTURES / "rest" / file).read_bytes()
    expected = msgspec.json.Decoder(float_hook=Decimal).decode(text)["instrument"]
    del expected["margin_currency_short_name"]
    assert instruments()[pair].record == expected


def test_increments_are_exact() -> None:
    """Ticks and lots are decimals, not rounded floats."""
    doge = instruments()["B-DOGE_USDT"]
    assert doge.price(9_621) == Decimal("0.09621")
    assert instruments()["B-BTC_USDT"].quantity(3) == Decimal("0.003")


def test_leverage_falls_with_the_notional() -> None:
    """The observed tiers of BTC; beyond the last one only 1x is left."""
    btc = instruments()["B-BTC_USDT"]
    notionals = (20_000, 20_001, 60_000_000, 200_000_000, 200_000_001)
    assert [btc.max_leverage(Decimal(notional)) for notional in notionals] == [100, 50, 20, 2, 1]


def test_funding_hours_and_liquidation_fee_are_the_rows() -> None:
    """Eight hours and one percent in every published row."""
    assert {(row.funding_hours, row.liquidation_fee) for row in instruments().values()} == {(8, Decimal(1))}


def test_tick_is_the_one_at_or_below() -> None:
    """And back."""
    eth = instruments()["B-ETH_USDT"]
    assert [eth.tick(eth.price(277_650)), eth.tick(eth.price(277_650) + eth.price_increment / 2)] == [277_650] * 2
