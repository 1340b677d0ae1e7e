"""Ranges of the History page, without a browser."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from coindcx_feed.ui.history_range import Range, command, read_address, resolve, words

IST = ZoneInfo("Asia/Kolkata")
NOW = 1_795_404_652_718.0  # 2026-11-23 09:00:52 in India


def test_presets_are_days_of_the_browser() -> None:
    """Midnight is the reader's; open ends stay open."""
    day = 86_400_000
    today = 1_795_372_200_000.0  # 2026-11-23 00:00 IST
    assert resolve("Today", NOW, IST) == Range(today, None)
    assert resolve("Yesterday", NOW, IST) == Range(today - day, today)
    assert resolve("7 d", NOW, IST) == Range(today - 6 * day, None)
    assert resolve("1 h", NOW, IST) == Range((NOW - 3_600_000) // 60_000 * 60_000, None)
    assert resolve("All", NOW, IST) == Range(None, None)


def test_seven_days_across_a_clock_change_begin_at_midnight() -> None:
    """A day of 25 hours does not move the beginning."""
    zone = ZoneInfo("America/New_York")
    begin = resolve("7 d", 1_793_900_000_000.0, zone).from_ms  # 2026-11-05, four days after the change
    assert begin is not None
    assert words(Range(begin, None), None, NOW, zone).startswith("30 Oct 00:00")


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-22", "2026-11-22T10:00", "<b>", "2026-99-99T10:00Z"])
def test_addresses_that_are_no_time_are_none(text: str) -> None:
    """Whatever stands in a shared link."""
    assert read_address(text) is None
    assert read_address("1970-01-01T00:01Z") == 60_000.0


def test_command_says_what_the_page_shows() -> None:
    """Texts are quoted for a shell."""
    wanted = {"types": ["order", "fill"], "statuses": ["filled"], "text": "it's; rm -rf", "price_min": "1.5"}
    assert command(Range(0.0, 60_000.0), wanted) == (
        "coindcx-feed export --from 1970-01-01T00:00:00Z --to 1970-01-01T00:01:00Z --types order,fill "
        "--statuses filled --search 'it'\"'\"'s; rm -rf' --price-min 1.5"
    )


def test_range_in_words() -> None:
    """Open ends are named, not left out."""
    assert words(Range(None, None), None, NOW, UTC) == "the beginning to now"
