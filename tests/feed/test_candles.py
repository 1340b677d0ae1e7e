"""Bars of history and stream, each the newest that was said of it."""

from decimal import Decimal

import pytest

from coindcx_feed.exchange import wire
from coindcx_feed.exchange.records import CandleBar
from coindcx_feed.exchange.rest_records import RestCandleRecord
from coindcx_feed.feed.candles import DAY_MS, KEPT, MINUTES, READ, TAIL, Candles

MINUTE_MS = 60_000
START_MS = 1_000 * DAY_MS


def _live(minute: int, close: str, *, at_ms: int = START_MS) -> CandleBar:
    price = Decimal(close)
    return CandleBar(
        open=price, high=price, low=price, close=price, volume=Decimal(1), open_time=at_ms // 1_000 + 60 * minute,
        pair="B-ETH_USDT", duration="1m",
    )  # fmt: skip


def _read(number: int, close: str, length_ms: int = MINUTE_MS) -> RestCandleRecord:
    price = Decimal(close)
    return RestCandleRecord(
        open=price, high=price + 1, low=price - 1, close=price, volume=Decimal(2), time=START_MS + number * length_ms
    )


def _closes(candles: Candles) -> list[str]:
    return [str(bar.close) for bar in candles.bars()]


def test_every_resolution_of_the_wire_has_a_length() -> None:
    """Also those that no read answers."""
    assert tuple(MINUTES) == wire.RESOLUTIONS


def test_history_comes_first_and_the_stream_goes_on() -> None:
    """The running bar of the read is replaced by what the stream says later."""
    candles = Candles("1m")
    assert candles.wanted == READ
    candles.take_history([_read(1, "11"), _read(0, "10")], asked_ns=5)
    candles.take(_live(1, "12"), 10)
    candles.take(_live(1, "13"), 20)
    assert (_closes(candles), candles.live_ns) == (["10", "13"], 20)


def test_closed_bar_asks_for_a_short_read() -> None:
    """There is no close flag, and the last frame of a bar may be half a second short of its close."""
    candles = Candles("1m")
    candles.take_history([_read(0, "10")], asked_ns=5)
    candles.take(_live(1, "12"), 10)
    assert candles.wanted == 0
    candles.take(_live(2, "12.5"), 20)
    assert candles.wanted == TAIL
    candles.take_history([_read(1, "12.2"), _read(2, "12.4")], asked_ns=30)
    assert (_closes(candles), candles.wanted) == (["10", "12.2", "12.4"], 0)


def test_read_that_is_older_than_the_stream_changes_nothing() -> None:
    """It was asked before the stream spoke."""
    candles = Candles("1m")
    candles.take(_live(1, "12"), 10)
    candles.take_history([_read(1, "11")], asked_ns=5)
    assert _closes(candles) == ["12"]


def test_lost_connection_asks_for_the_whole_history() -> None:
    """Bars of the time away are missing, and the last one before is not whole."""
    candles = Candles("1m")
    candles.take_history([], asked_ns=5)
    candles.lose()
    assert candles.wanted == READ


def test_bars_are_bounded() -> None:
    """The oldest go."""
    candles = Candles("1m")
    candles.take_history([_read(number, "10") for number in range(KEPT + 50)], asked_ns=5)
    assert len(candles.bars()) == KEPT
    assert candles.bars()[0].open_ms == START_MS + 50 * MINUTE_MS


@pytest.mark.parametrize(
    "change", [{"close": Decimal("NaN")}, {"low": Decimal(0)}, {"volume": Decimal(-1)}, {"open_time": -5}]
)
def test_bar_that_cannot_be_drawn_is_left_out(change: dict[str, object]) -> None:
    """It would take the whole chart with it."""
    candles = Candles("1m")
    candles.take(_live(1, "12").model_copy(update=change), 10)
    assert candles.bars() == []


def test_weeks_are_made_of_days_where_the_running_one_says_they_begin() -> None:
    """No read answers weeks: days are joined, and only once the stream has told where a week begins."""
    candles = Candles("1w")
    days = [_read(number, str(100 + number), DAY_MS) for number in range(10)]
    candles.take_history(days, asked_ns=5)
    assert candles.bars() == []
    candles.take(_live(0, "120", at_ms=START_MS + 9 * DAY_MS), 10)
    first, second, running = candles.bars()
    assert [bar.open_ms for bar in (first, second, running)] == [
        START_MS - 5 * DAY_MS, START_MS + 2 * DAY_MS, START_MS + 9 * DAY_MS
    ]  # fmt: skip
    assert (first.open, first.close, first.volume) == (100, 101, 4)
    assert (second.open, second.high, second.low, second.close) == (102, 109, 101, 108)
    assert running.close == 120
