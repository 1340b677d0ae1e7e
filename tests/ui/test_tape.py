"""What a page hands to the tape: a view's name, and a ticket that grants this view and nothing else."""

from datetime import UTC
from zoneinfo import ZoneInfo

from coindcx_feed.ui import tape
from coindcx_feed.ui.scripts import asset

CRITERIA = {"types": ["order"], "text": "eth"}


def test_view_is_named_by_what_it_shows() -> None:
    """The order of the filter's parts does not matter; filter, cleared view, zone and grouping do; a pause does not."""
    name = tape.view_name(CRITERIA, 0, UTC, is_indian=False)
    assert tape.view_name(dict(reversed(CRITERIA.items())), 0, UTC, is_indian=False) == name
    others = [
        tape.view_name({}, 0, UTC, is_indian=False),
        tape.view_name({**CRITERIA, "text": "btc"}, 0, UTC, is_indian=False),
        tape.view_name(CRITERIA, 7, UTC, is_indian=False),
        tape.view_name(CRITERIA, 0, ZoneInfo("Asia/Kolkata"), is_indian=False),
        tape.view_name(CRITERIA, 0, UTC, is_indian=True),
    ]
    assert len({name, *others}) == 6


def test_ticket_grants_one_view() -> None:
    """Plain data: what is read with it was reloaded or was not."""
    assert tape.grant(CRITERIA, 3, 9, ZoneInfo("Asia/Kolkata"), is_indian=True) == {
        "criteria": CRITERIA,
        "after": 3,
        "upto": 9,
        "zone": "Asia/Kolkata",
        "is_indian": True,
    }


def test_browser_presents_a_ticket_before_it_is_too_old() -> None:
    """An older one is not tried: it would cost a refusal."""
    assert 0 < tape.SPARE_S < tape.LIFETIME_S <= 30


def test_component_respects_readers() -> None:
    """A log that is not read aloud card by card, and motion only for those who did not ask for stillness."""
    assert 'setAttribute("role", "log")' in asset("tape.js")
    style = asset("tape.css")
    assert "animation" in style.partition("prefers-reduced-motion: no-preference")[2]
    assert "animation" not in style.partition("@media (prefers-reduced-motion")[0]
