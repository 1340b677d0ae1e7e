"""Since you last looked: marks of a browser and the five lines, without a browser."""

from zoneinfo import ZoneInfo

import pytest
from ui.fake_service import HOSTILE, FakeService

from coindcx_feed.ui import since
from coindcx_feed.ui.scripts import asset

IST = ZoneInfo("Asia/Kolkata")
EPOCH = "20261122T140212-0a1b2c3d"


@pytest.mark.parametrize(
    "text", [None, "none", "", 7, "a:b", ":5", "a:-1", "a b:5", f"{'x' * 65}:5", "a:5:6", "a:٣", "a:5\n", HOSTILE]
)
def test_marks_that_are_none(text: object) -> None:
    """Whatever stands in the browser's store, also what another program put there."""
    assert since.parse_mark(text) is None


def test_a_mark_is_an_epoch_and_a_number() -> None:
    """Nothing of the account."""
    assert since.parse_mark(f"{EPOCH}:41900") == (EPOCH, 41_900)


def test_five_lines_say_what_happened() -> None:
    """Each one short; what did not happen is said in a word."""
    told = FakeService(events=50).since.told(EPOCH, 20, 50)
    assert since.lines_of(told) == [
        ("Events", "◆ order 30"),
        ("Orders", "● 4 filled · ⊘ 2 cancelled"),
        ("Positions", "1 opened · 2 closed · ⚠ 3 liquidation rows"),
        ("Balances", "USDT −12.50 · ETH limit buy order… now 9.50, new"),
        ("Gaps", "2, 4 m 10 s not watched"),
    ]
    quiet = told | {"opened": 0, "closed": 0, "liquidations": 0, "wallets": [], "gaps": {"count": 0, "away_s": 0.0}}
    quiet["ended"] = dict.fromkeys(told["ended"], 0)
    said = [text for _, text in since.lines_of(quiet)[1:]]
    assert said == ["none ended", "none opened or closed", "unchanged", "none"]


def test_what_cannot_be_known_is_said() -> None:
    """A position whose past is gone, events that memory has forgotten, a series that is not known here."""
    told = FakeService(events=50).since.told(EPOCH, 20, 50) | {"unknown": 2, "is_whole": False, "is_known": False}
    lines = dict(since.lines_of(told))
    assert "2 not known before" in lines["Positions"]
    assert "older ones are no longer in memory" in lines["Events"]
    assert since.title_of(told, IST).startswith("another series, from its beginning: ")


def test_own_events_are_no_news_but_a_gap_is() -> None:
    """What this program says of itself does not bring the box up."""
    told = FakeService(events=50).since.told(EPOCH, 50, 50)
    assert told["events"] == {"system": 2}
    assert not since.is_news(told)
    assert since.is_news(told | {"gaps": {"count": 1, "away_s": 3.0}})


def test_T13_names_of_wallets_are_text() -> None:
    """The browser's side writes text and parses nothing."""
    told = FakeService(events=50, text=HOSTILE).since.told(EPOCH, 20, 50)
    assert "\u202e" not in dict(since.lines_of(told))["Balances"]
    script = asset("since.js")
    assert "innerHTML" not in script
    assert "textContent" in script


def test_the_browser_keeps_epoch_and_number_only() -> None:
    """One entry, written with what the server named as newest."""
    script = asset("since.js")
    assert script.count("localStorage.setItem") == 1
    assert "write(data.newest)" in script
