"""Ages that stand still, and times as readers type them."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ui.fake_service import FakeService
from ui.helpers import text_of, walk

from coindcx_feed.ui import past
from coindcx_feed.ui.nodes import age, div, span

KOLKATA = ZoneInfo("Asia/Kolkata")
NOON_MS = 1_795_435_200_000.0
"""2026-11-23 12:00 UTC."""


def _past(**changes: Any) -> past.Past:
    service = FakeService(**changes)
    moment = service.moments.moment(30)
    assert moment is not None
    return past.Past(service, moment)


def test_ages_stand_still() -> None:
    """The text of that moment instead of a clock, marked when it is too old; all else stays."""
    tree = div("x", span("a", "kept"), age(NOON_MS - 4_000, "unit", warn_s=3.0), age(NOON_MS - 9e4, ago=True))
    shown = past.still(tree, NOON_MS)
    assert text_of([shown]) == "kept 4.0 s 1 m 30 s ago"
    assert not [node for node in walk([shown]) if "since" in node]
    assert [node.get("class") for node in walk([shown])] == ["x", "a", "unit warn", "muted"]
    assert past.still(None, NOON_MS) is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("12:00", "12:00"),
        (" 12:00:30 ", "12:00:30"),
        ("12:00:30.250", "12:00:30.25"),
        ("2026-11-23 12:00", "12:00"),
        ("2026-11-23T12:00", "12:00"),
    ],
)
def test_time_without_a_zone_is_the_readers(typed: str, expected: str) -> None:
    """A time alone is of the day that is shown."""
    hours, minutes, *seconds = expected.split(":")
    offset_ms = (int(hours) - 12) * 3.6e6 + int(minutes) * 6e4 + float(seconds[0] if seconds else 0) * 1e3
    assert past.parse_time(typed, UTC, NOON_MS + 5e6) == NOON_MS + offset_ms
    assert past.parse_time(typed, KOLKATA, NOON_MS) == NOON_MS + offset_ms - 5.5 * 3.6e6


def test_time_with_a_zone_keeps_it() -> None:
    """Whatever the reader's is."""
    assert past.parse_time("2026-11-23T12:00:00Z", KOLKATA, 0.0) == NOON_MS
    assert past.parse_time("2026-11-23T17:30+05:30", UTC, 0.0) == NOON_MS


@pytest.mark.parametrize(
    "typed", ["", "abc", "25:00", "12:60", "2026-13-01", "1969-01-01", "0001-01-01 00:00", "12", "-3:00", "9" * 40]
)
def test_T14_what_is_no_time_is_none(typed: str) -> None:
    """Nothing is guessed."""
    assert past.parse_time(typed, KOLKATA, NOON_MS) is None


def test_status_of_then_is_of_then() -> None:
    """Its time, and connected only when that was told and no gap was there; nothing of now."""
    then = _past(state="stale")
    shown = then.status()
    assert (shown["connected"], shown["now_ms"]) == (True, then.moment["received_ms"])
    assert {"state", "version", "last_event_ms", "counters"}.isdisjoint(shown)
    service = FakeService()
    service.moments.gap = {"from_ms": 0.0, "to_ms": None, "cause": "x"}
    moment = service.moments.moment(30)
    assert moment is not None
    assert past.Past(service, moment).status()["connected"] is False


def test_rate_of_now_is_not_used_for_then() -> None:
    """It is not stored: no conversion."""
    assert _past().conversion() is None  # type: ignore[func-returns-value]


def test_questions_go_to_the_moment() -> None:
    """With its number, and a version that no present one has."""
    then = _past()
    then.orders()
    then.positions()
    then.balances()
    moments = then._moments
    assert moments.asked == [("orders", 30), ("positions", 30), ("balances", 30)]
    assert then.version() < 0
