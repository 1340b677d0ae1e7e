"""The Alerts page as nodes."""

from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk

from coindcx_feed.ui import alert_figures as figures


def selects(nodes: list[Any]) -> list[str]:
    return [str(node["select"]) for node in walk(nodes) if "select" in node]


def test_notices_show_severity_text_repeats_and_a_link() -> None:
    """An event leads to itself, anything else to its page; what was not read is marked."""
    service = FakeService()
    shown = figures.notices(service.alerts.newest(), UTC, service.now_ms, 5)
    text = text_of(shown)
    for part in ("· info", "✕ critical", "▲ warning", "Order filled ×4", "in quiet hours", "● "):
        assert part in text
    assert selects(shown) == ["event:37:5", "page:positions:5", "page:feed:5"]
    # A link in two lines would put the row beside it out of line on a narrow screen.
    assert all("nowrap" in each["class"] for each in walk(shown) if "select" in each)
    assert "No notice yet" in text_of(figures.notices([], UTC, 0, 0))


def test_unread_line_counts() -> None:
    """And says so while there is nothing."""
    assert text_of(figures.unread_line({"unread": 2, "newest": 1_234})).startswith("2 unread of 1,234")
    assert "none since the start" in text_of(figures.unread_line({"unread": 0, "newest": 0}))


def test_rules_say_what_they_look_for_and_what_they_did() -> None:
    """With a switch that names the other state, counts, and failures."""
    state = FakeService().alerts.state()
    shown = figures.rules(state, "fill", 2)
    text = text_of(shown)
    for part in ("every position: distance to liquidation below 5 %", "3 ×, 2 held back", "failed 2 times (KeyError)"):
        assert part in text
    assert "at most every 10 min" in text
    assert {"off:fill:2", "on:pnl-move:2", "edit:fill:2"} <= set(selects(shown))
    locked = figures.rules({**state, "locked": "a replay raises no alerts"}, None, 0)
    assert not [select for select in selects(locked) if select.startswith(("on:", "off:"))]


def test_destinations_show_the_last_sending() -> None:
    """Or what to set when there is none."""
    state = FakeService(text="answered 404").alerts.state()
    text = text_of(figures.channels(state, UTC, 0, 0))
    for part in ("webhook:ops", "✕ answered 404", "4, 1 waiting"):
        assert part in text
    assert "COINDCX_ALERT_TELEGRAM" in text_of(figures.channels({**state, "channels": []}, UTC, 0, 0))
    fresh = {**state["channels"][0], "last_ms": None}
    assert "nothing sent yet" in text_of(figures.channels({**state, "channels": [fresh]}, UTC, 0, 0))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, ""),
        ({"locked": "a replay raises no alerts"}, "Nothing is raised here"),
        ({"is_running": False}, "Alerts are not running."),
        ({"note": "alerts.json was not understood: it is no JSON"}, "The book of rules was not understood"),
        ({"missed": 1_500}, "1,500 events were overwritten"),
    ],
)
def test_troubles_are_said(changes: dict[str, Any], text: str) -> None:
    """One notice each, none when all is well."""
    shown = figures.troubles({**FakeService().alerts.state(), **changes})
    assert text in text_of(shown)
    assert bool(shown) is bool(text)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Would have fired 14 times in the last 7 days."),
        ({"fired": 1}, "Would have fired once"),
        ({"fired": 0, "held_back": 0}, "Would have fired never"),
        ({"is_whole": False, "upto_ms": 0.0}, "stopped at its time limit, at events of"),
        ({"why": "it looks at the running feed"}, "Cannot be rehearsed. It looks at the running feed."),
    ],
)
def test_rehearsal_is_one_sentence(changes: dict[str, Any], text: str) -> None:
    """How often, and over what."""
    found = {**FakeService().alerts.rehearse({}, 7), **changes}
    assert text in text_of([figures.rehearsed(found, 7, UTC)])


def test_quiet_line_names_hours_and_grouping() -> None:
    """In one line."""
    quiet = {"start": "22:00", "end": "07:00", "zone": "Asia/Kolkata"}
    line = "repeats within 1 min are one notice · quiet from 22:00 to 07:00 (Asia/Kolkata)"
    assert figures.quiet_line({"quiet": quiet, "group_s": 60}) == line
    assert figures.quiet_line({"quiet": None, "group_s": 0}) == "repeats are not grouped · no quiet hours"


def test_T13_hostile_text_is_text() -> None:
    """Cut and made visible, in nodes only."""
    service = FakeService(text=HOSTILE)
    state = service.alerts.state()
    shown = [*figures.notices(service.alerts.newest(), UTC, 0, 0), *figures.rules(state, None, 0)]
    shown += [*figures.channels(state, UTC, 0, 0), *figures.troubles({**state, "note": HOSTILE})]
    assert "\u202e" not in text_of(shown)
