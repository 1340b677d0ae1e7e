"""Times, windows and speeds as people write them."""

from datetime import UTC, datetime

import pytest

from coindcx_feed.analysis.moments import MAX, STEP, Window, parse_moment, parse_speed, parse_window, speed_text
from coindcx_feed.errors import ConfigError


def ns(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22", ns(2026, 11, 22)),
        (" 2026-11-22T14:30 ", ns(2026, 11, 22, 14, 30)),
        ("2026-11-22 14:30:05.250", ns(2026, 11, 22, 14, 30, 5) + 250_000_000),
        ("2026-11-22T14:30:05Z", ns(2026, 11, 22, 14, 30, 5)),
        ("2026-11-22T14:30:05+05:30", ns(2026, 11, 22, 9, 0, 5)),
        ("1970-01-01", 0),
    ],
)
def test_time_is_utc_unless_it_names_a_zone(text: str, expected: int) -> None:
    """To the microsecond."""
    assert parse_moment(text, "--from") == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1790000000", "2026-13-01", "1969-12-31", "3000-01-01", "0001-01-01T00:00+12:00", "٢٠٢٦"]
)
def test_what_is_no_time_is_one_line_with_the_name(text: str) -> None:
    """Whatever it is."""
    with pytest.raises(ConfigError, match="--from: expected a time such as") as caught:
        parse_moment(text, "--from")
    assert "\n" not in str(caught.value)


def test_window_may_be_open_and_must_not_end_before_it_starts() -> None:
    """An end that is the start holds nothing."""
    assert parse_window(None, None) == Window(None, None)
    assert parse_window("2026-11-22", "2026-11-23") == Window(ns(2026, 11, 22), ns(2026, 11, 23))
    assert parse_window(None, "2026-11-22").to_ns == ns(2026, 11, 22)
    for end in ("2026-11-22", "2026-11-23"):
        with pytest.raises(ConfigError, match=f"--to: expected a time after --from 2026-11-23, was {end}"):
            parse_window("2026-11-23", end)


@pytest.mark.parametrize(("text", "speed"), [("1", 1.0), ("10", 10.0), ("0.5", 0.5), ("MAX", MAX), ("step", STEP)])
def test_speed_is_a_factor_or_a_word(text: str, speed: float) -> None:
    """And is written as it is read."""
    assert parse_speed(text) == speed
    assert parse_speed(speed_text(speed)) == speed


@pytest.mark.parametrize("text", ["", "fast", "0", "-1", "nan", "inf", "1e9", "1_0", "x" * 500])
def test_unknown_speed_is_one_line(text: str) -> None:
    """It names the choices."""
    with pytest.raises(ConfigError, match="max or step, was") as caught:
        parse_speed(text)
    assert len(str(caught.value)) < 200
