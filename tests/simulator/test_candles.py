"""Candles agree with the market's minutes, running and finished."""

import itertools

import msgspec
import pytest
from simulator.helpers import FIXTURES, START_MS

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.candles import CandleMaker, bounds, candle_data, rest_candle
from coindcx_feed.simulator.instruments import instruments
from coindcx_feed.simulator.market import MINUTE_MS, Market

MARKET = Market(1, instruments())
MINUTE = START_MS // MINUTE_MS
BTC = "B-BTC_USDT"


@pytest.mark.parametrize("resolution", wire.RESOLUTIONS)
def test_bounds_enclose_the_minute(resolution: str) -> None:
    """Every resolution of the wire is known; the next candle begins where this one ends."""
    start, end = bounds(resolution, MINUTE)
    assert start <= MINUTE < end
    assert bounds(resolution, end)[0] == end
    assert bounds(resolution, end - 1) == (start, end)


def test_weeks_begin_on_mondays_and_months_on_the_first() -> None:
    """2026-09-23 is a Wednesday."""
    assert bounds("1w", MINUTE)[0] * 60 == 1_789_948_800
    assert [bound * 60 for bound in bounds("1M", MINUTE)] == [1_788_220_800, 1_790_812_800]


def test_running_candle_grows_into_the_finished_one() -> None:
    """Within five minutes: same open throughout, high and low widen, and it ends as the finished candle."""
    maker = CandleMaker(MARKET)
    start, end = bounds("5m", MINUTE)
    seen = [maker.running(BTC, "5m", at_ms) for at_ms in range(start * MINUTE_MS, end * MINUTE_MS, 7_250)]
    assert {candle.open for candle in seen} == {MARKET.outline(BTC, start).open}
    assert [candle.high for candle in seen] == sorted(candle.high for candle in seen)
    assert [candle.low for candle in seen] == sorted((candle.low for candle in seen), reverse=True)
    last = maker.running(BTC, "5m", end * MINUTE_MS - 1)
    done = maker.finished(BTC, "5m", start, end)[0]
    assert (last.open, last.high, last.low, last.close) == (done.open, done.high, done.low, done.close)
    assert last.volume == pytest.approx(done.volume, rel=0.02)


def test_running_candle_does_not_depend_on_earlier_questions() -> None:
    """Asked late or from the beginning, or for a moment in the past: the same."""
    early, late = CandleMaker(MARKET), CandleMaker(MARKET)
    early.running(BTC, "15m", START_MS)
    at_ms = START_MS + 200_000
    assert early.running(BTC, "15m", at_ms) == late.running(BTC, "15m", at_ms)
    assert early.running(BTC, "15m", START_MS) == CandleMaker(MARKET).running(BTC, "15m", START_MS)


def test_finished_candles_cover_the_range_without_overlap() -> None:
    """They begin inside the range; the last one is cut at its end."""
    candles = CandleMaker(MARKET).finished(BTC, "5m", MINUTE - 29, MINUTE)
    assert all(b.open_minute == a.end_minute for a, b in itertools.pairwise(candles))
    assert candles[0].open_minute >= MINUTE - 29
    assert candles[-1].open_minute < MINUTE
    assert CandleMaker(MARKET).finished(BTC, "5m", MINUTE, MINUTE) == []


def test_data_has_the_captured_shape() -> None:
    """Texts for prices, seconds for bars, milliseconds outside."""
    line = (FIXTURES / "ws" / "candlestick.captured.jsonl").read_text().splitlines()[0]
    expected = msgspec.json.decode(msgspec.json.decode(line)["data"])
    candle = CandleMaker(MARKET).running(BTC, "1m", START_MS)
    data = candle_data(MARKET, BTC, "1m", candle, START_MS)
    assert list(data) == list(expected)
    bar = data["data"][0]
    assert list(bar) == list(expected["data"][0])
    assert {name: type(value) for name, value in bar.items()} == {
        name: type(value) for name, value in expected["data"][0].items()
    }
    assert bar["close_time"] - bar["open_time"] == pytest.approx(59.999)


def test_rest_row_has_numbers_and_milliseconds() -> None:
    """The REST path's own spelling."""
    candle = CandleMaker(MARKET).finished(BTC, "1m", MINUTE, MINUTE + 1)[0]
    row = rest_candle(MARKET, BTC, candle)
    assert list(row) == ["open", "high", "low", "volume", "close", "time"]
    assert row["time"] == MINUTE * MINUTE_MS
    assert row["low"] <= row["open"] <= row["high"]
