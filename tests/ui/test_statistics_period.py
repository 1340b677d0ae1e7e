"""Periods of the Statistics page."""

from zoneinfo import ZoneInfo

import pytest

from coindcx_feed.ui.history_range import Range
from coindcx_feed.ui.statistics_period import PERIODS, resolve

IST = ZoneInfo("Asia/Kolkata")
NOW = 1_795_404_652_718.0  # 2026-11-23 09:00:52 in India
MINUTE = NOW // 60_000 * 60_000


@pytest.mark.parametrize(
    ("period", "from_ms"),
    [
        ("Today", 1_795_372_200_000.0),
        ("24 h", MINUTE - 86_400_000),
        ("7 d", MINUTE - 7 * 86_400_000),
        ("30 d", MINUTE - 30 * 86_400_000),
        ("All", None),
    ],
)
def test_periods_end_now_and_begin_with_a_minute(period: str, from_ms: float | None) -> None:
    """Today is the reader's day; the others are lengths of time."""
    assert period in PERIODS
    assert resolve(period, NOW, IST) == Range(from_ms, None)
