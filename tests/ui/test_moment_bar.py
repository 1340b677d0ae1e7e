"""The line of the past."""

from datetime import UTC
from typing import Any

from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import moment_bar


def _bar(mode: str = "live", note: str | None = None, **changes: Any) -> list[Any]:
    moment = FakeService().moments.moment(20)
    assert moment is not None
    return moment_bar.bar_nodes(moment | {"received_ms": 1_795_435_200_250.0} | changes, mode, UTC, note)


def test_line_says_past_time_number_and_span() -> None:
    """Date and milliseconds, zone, which event of which."""
    text = text_of(_bar())
    for words in ("PAST, NOT NOW", "23 Nov 2026 12:00:00.250", "UTC", "event 20 of 1 to 40", "order"):
        assert words in text
    assert "DEMO" not in text
    assert not [node for node in walk(_bar()) if "since" in node]


def test_mode_stays_in_sight() -> None:
    """A simulated past is hatched like the simulated present."""
    hatched = [text_of([node]) for node in with_class(_bar("demo"), "hatch")]
    assert hatched == ["DEMO", "◷ PAST, NOT NOW"]


def test_connection_that_was_not_told_is_not_known() -> None:
    """Never shown as connected."""
    assert "connection then not known" in text_of(_bar(state=None, connected=False, told_ms=None))
    lost = _bar(state="reconnecting", connected=False)
    assert [text_of([node]) for node in with_class(lost, "yellow")] == ["reconnecting"]


def test_moment_in_a_gap_warns() -> None:
    """From when to when, why, and what that means."""
    gap = {"from_ms": 1_795_435_190_000.0, "to_ms": 1_795_435_210_000.0, "cause": HOSTILE}
    text = text_of(_bar(gap=gap))
    assert "This moment lies in a gap. Away from the exchange from 11:59:50, until 12:00:10" in text
    assert "not in what is shown here" in text
    assert "\u202e" not in text
    assert "still lasts" in text_of(_bar(gap=gap | {"to_ms": None}))


def test_moment_after_lost_events_says_what_is_missing() -> None:
    """How many, which ones, and what that means; never shown as complete."""
    text = text_of(_bar(missing={"count": 3, "from_seq": 1_005, "to_seq": 1_007}))
    assert "The log is not complete up to this moment. Missing: events 1,005 to 1,007." in text
    assert "not in what is shown here until a later event said it again" in text
    assert "Missing: event 7." in text_of(_bar(missing={"count": 1, "from_seq": 7, "to_seq": 7}))
    several = text_of(_bar(missing={"count": 9, "from_seq": 7, "to_seq": 7}))
    assert "Missing: 9 in all, the newest of them event 7." in several
    assert "not complete" not in text_of(_bar())


def test_refusal_is_text() -> None:
    """It may repeat what somebody put into an address."""
    text = text_of([moment_bar.refusal(f"at: was {HOSTILE}")])
    assert text.startswith("This address names no moment")
    assert "\u202e" not in text
