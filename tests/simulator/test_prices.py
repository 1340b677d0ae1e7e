"""Payloads of the prices channel: full rows, mark-only and ticker-only updates."""

from decimal import Decimal as D

import msgspec
from simulator.helpers import FIXTURES, START_MS

from coindcx_feed.simulator.funding import FundingRates
from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.jstext import socket_text
from coindcx_feed.simulator.market import Market
from coindcx_feed.simulator.prices import PriceBoard

FULL = {"fr", "h", "l", "v", "ls", "pc", "mkt", "btST", "ctRT", "skw", "mp", "efr", "bmST", "cmRT"}


def new_board() -> PriceBoard:
    return PriceBoard(Market(1, instruments()))


def test_snapshot_has_the_fixtures_shape() -> None:
    """Outer keys and the fourteen inner fields; all numbers but the source's symbol."""
    text = (FIXTURES / "ws" / "currentPrices-futures-snapshot.constructed.jsonl").read_text()
    expected = msgspec.json.decode(msgspec.json.decode(text)["data"])
    shown = msgspec.json.decode(socket_text(new_board().snapshot(START_MS)))
    assert list(shown) == list(expected)
    row = shown["prices"]["B-BTC_USDT"]
    assert list(row) == list(expected["prices"]["B-BTC_USDT"])
    assert set(row) == FULL
    assert row["mkt"] == "BTCUSDT"
    assert all(isinstance(value, int | float) for name, value in row.items() if name != "mkt")
    assert row["l"] <= row["ls"] <= row["h"]


def test_snapshot_carries_a_delisted_pair_with_an_old_mark() -> None:
    """More than half a year old, and without a last price."""
    row = new_board().snapshot(START_MS)["prices"]["B-OLD_USDT"]
    assert START_MS - row["bmST"] > 180 * 86_400_000
    assert "ls" not in row


def test_updates_are_partial_and_counted() -> None:
    """Marks and tickers come apart; ``vs`` grows by one per frame."""
    board = new_board()
    mark, ticker, full = board.mark_update(START_MS), board.ticker_update(START_MS), board.full_update(START_MS)
    assert [mark["vs"], ticker["vs"], full["vs"]] == [board.version - 2, board.version - 1, board.version]
    assert set(mark["prices"]["B-BTC_USDT"]) <= {"mp", "bmST", "cmRT"}
    assert set(ticker["prices"]["B-BTC_USDT"]) == {"v", "ls", "pc", "btST", "ctRT"}
    assert set(full["prices"]) == set(instruments())
    assert {"mp", "ls"} <= set(full["prices"]["B-DOGE_USDT"])


def test_mark_that_stood_still_is_left_out() -> None:
    """As in the documented sample: times without ``mp``; over a minute both kinds occur."""
    board = new_board()
    rows = [board.mark_update(START_MS + 800 * step)["prices"]["B-DOGE_USDT"] for step in range(75)]
    assert {"mp" in row for row in rows} == {True, False}


def test_day_statistics_hold_for_an_hour() -> None:
    """High and low never exclude the last price; the next hour is looked at anew."""
    board = new_board()
    for hours in range(3):
        row = board.row("B-SOL_USDT", START_MS + hours * 3_600_000)
        assert row["l"] <= row["ls"] <= row["h"]
        assert row["pc"] == row["pc"].quantize(D("0.001"))


def test_funding_rates_are_those_that_are_paid() -> None:
    """``fr`` was settled last, ``efr`` comes next."""
    market = Market(1, instruments())
    rates = FundingRates(market, lambda: 60_000)
    for at_ms in range(START_MS, START_MS + 600_000, 60_000):
        row = PriceBoard(market, rates).row("B-ETH_USDT", at_ms)
        assert row["fr"] == rates.settled("B-ETH_USDT", at_ms)
        assert row["efr"] == rates.settled("B-ETH_USDT", at_ms + 60_000)
