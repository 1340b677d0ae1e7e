"""Quiet hours in a named zone."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from coindcx_feed.alerts.quiet import QuietHours


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e9)


@pytest.mark.parametrize(
    ("utc", "is_quiet"),
    [
        ("2026-11-22T16:29:59", False),
        ("2026-11-22T16:30:00", True),
        ("2026-11-22T20:00:00", True),
        ("2026-11-23T01:29:59", True),
        ("2026-11-23T01:30:00", False),
    ],
)
def test_hours_over_midnight_are_of_the_named_zone(utc: str, is_quiet: bool) -> None:
    """22:00 in Kolkata is 16:30 in UTC."""
    assert QuietHours(start="22:00", end="7:00", zone="Asia/Kolkata").covers(at(utc)) is is_quiet


def test_summer_time_moves_them() -> None:
    """The clock on the wall counts, not the offset."""
    hours = QuietHours(start="13:00", end="14:00", zone="Europe/Berlin")
    assert hours.covers(at("2026-01-10T12:30:00"))
    assert hours.covers(at("2026-07-10T11:30:00"))
    assert not hours.covers(at("2026-07-10T12:30:00"))


def test_equal_ends_are_never() -> None:
    """Not the whole day: nobody means that."""
    assert not QuietHours(start="07:00", end="07:00").covers(at("2026-11-22T07:00:00"))


@pytest.mark.parametrize("fields", [{"start": "25:00"}, {"end": "soon"}, {"zone": "Mars/Base"}, {"zone": "../etc"}])
def test_what_is_no_time_or_zone_is_refused(fields: dict[str, str]) -> None:
    """With the words of an example."""
    with pytest.raises(ValidationError, match="expected"):
        QuietHours(**{"start": "22:00", "end": "07:00", **fields})
