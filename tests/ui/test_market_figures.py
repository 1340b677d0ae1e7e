"""Nodes of the Market page."""

from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk

from coindcx_feed.ui import market_figures as figures

NOW_MS = 1_790_000_000_000.0
"""Any time."""


def _quote(**changes: Any) -> dict[str, Any]:
    return FakeService().market.quotes()["rows"][0] | changes


def _card(**changes: Any) -> str:
    return text_of([figures.quote_card(_quote(**changes), pressed=False, turn=0, now_ms=NOW_MS)])


def test_card_shows_prices_change_funding_and_volume() -> None:
    """Exact text, true minus, percent with a sign."""
    text = _card()
    for words in ("2,941.8", "▼ −0.42 %", "+0.0100 %", "1.83 B", "2,988.4", "2,899.15"):
        assert words in text


def test_unknown_figures_are_a_dash_and_never_a_zero() -> None:
    """A pair that has just been added."""
    names = ("last", "mark", "high", "low", "volume", "funding_rate", "settled_rate", "change_percent", "funding_ms")
    unknown = dict.fromkeys((*names, "last_age_s", "mark_age_s", "day_age_s", "funding_hours"))
    text = _card(**unknown, is_fresh=False)
    assert "no price yet" in text
    assert text.count("–") >= 7
    assert " 0" not in text


def test_old_figures_are_grey_whatever_they_say() -> None:
    """No colour of a gain on a price of a minute ago."""
    old = figures.quote_card(_quote(is_fresh=False), pressed=False, turn=0, now_ms=NOW_MS)
    assert "'red'" not in repr(old)
    assert "spark muted" in repr(old)


def test_pair_that_is_no_longer_listed_says_so() -> None:
    """Remembered from earlier: nothing will come."""
    assert "not in the exchange's list" in _card(is_listed=False)
    assert "not in the exchange's list" not in _card(is_listed=None)


def test_card_has_two_buttons_whose_clicks_can_be_meant_twice() -> None:
    """The same value sent again would not be noticed."""
    body, remove = figures.quote_card(_quote(), pressed=True, turn=3, now_ms=NOW_MS)["children"]
    assert (body["select"], remove["select"]) == ("3 show B-ETH_USDT", "3 remove B-ETH_USDT")
    assert (body["pressed"], remove["label"]) == (True, "Remove B-ETH_USDT")


def test_sparkline_is_scaled_and_broken_where_no_mark_was_fresh() -> None:
    """From the upper left, as the browser draws."""
    nan = float("nan")
    spark = {"from_ms": 0, "to_ms": 100, "t_ms": [0, 50, 75, 100], "price": [10.0, nan, 12.0, 11.0]}
    assert figures.spark_points(spark) == [[0.0, 94.0], None, [75.0, 6.0], [100.0, 50.0]]
    assert figures.spark_points({**spark, "price": [7.0] * 4})[0] == [0.0, 50.0]
    assert figures.spark_points({**spark, "price": [nan] * 4}) == []


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        ("0.0001", "+0.0100 %"),
        ("-0.000042", "−0.0042 %"),
        ("0", "0.0000 %"),
        ("0.00000123", "+0.000123 %"),
        (None, "–"),
    ],
)
def test_funding_is_a_percentage_of_all_its_digits(rate: str, shown: str) -> None:
    """A rate is small: two decimals would hide it."""
    assert figures.funding(rate) == shown
    assert figures.funding(None) == "–"


@pytest.mark.parametrize(
    ("volume", "shown"),
    [("5781066726.55", "5.78 B"), ("912400000", "912.4 M"), ("18210", "18.21 k"), ("12.5", "12.50"), (None, "–")],
)
def test_large_amounts_are_short(volume: str | None, shown: str) -> None:
    """The exact one is in the tooltip."""
    assert figures.compact(volume) == shown


def test_ladder_has_asks_above_bids_with_the_best_in_the_middle() -> None:
    """A dozen of each; both sides are drawn to one scale."""
    book = FakeService().market.book("B-ETH_USDT")
    assert book is not None
    rows = figures.ladder(book, "USDT", "ETH")["children"]
    keys = [row["key"] for row in rows]
    assert keys == ["names", *(f"a{n}" for n in range(11, -1, -1)), "middle", *(f"b{n}" for n in range(12))]
    assert "2,941.60" in text_of([rows[12]])
    assert "2,941.50" in text_of([rows[14]])
    assert rows[1]["children"][0]["width"] == 100.0
    assert "Spread 0.1 0.00340 %" in text_of([rows[13]])


def test_ladder_of_one_side_says_so() -> None:
    """No spread is invented."""
    book = FakeService().market.book("B-ETH_USDT")
    assert book is not None
    shown = figures.ladder({**book, "asks": [], "spread": None}, "USDT", "ETH")
    assert "one side is empty" in text_of([shown])


def test_reason_of_an_unsynced_book_is_cut_text() -> None:
    """It may repeat what the exchange sent."""
    book = FakeService().market.book("B-ETH_USDT")
    shown = figures.no_book({**(book or {}), "state": "unsynced", "reason": HOSTILE * 9})
    assert max(len(part.get("text", "")) for part in walk([shown])) < 200


def test_tape_has_glyph_and_colour_of_who_took() -> None:
    """An unknown side has neither side's colour."""
    trades = FakeService().market.trades("B-ETH_USDT", 3)
    rows = figures.tape(trades, "USDT", "ETH", UTC, NOW_MS)["children"][1:]
    found = [(row["children"][0]["text"], row["children"][0].get("class")) for row in rows]
    assert found == [("▲ 2,941.80", "green"), ("▼ 2,941.80", "red"), ("· 2,941.80", None)]
    assert "No trade yet" in text_of([figures.tape([], "USDT", "ETH", UTC, NOW_MS)])


def test_head_of_the_chart_says_what_older_bars_are_made_of() -> None:
    """Weeks are computed here."""
    weeks = FakeService().market.candles("B-ETH_USDT", "1w")
    assert "made of daily ones" in text_of([figures.candle_head("B-ETH_USDT", weeks, "UTC", NOW_MS)])
    assert "times in UTC" in text_of([figures.candle_head("B-ETH_USDT", None, "UTC", NOW_MS)])
