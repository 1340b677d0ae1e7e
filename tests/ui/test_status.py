"""The status line: never better than what is proven, and always with its age."""

from datetime import UTC
from typing import Any

import pytest
from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import status


def _line(state: str = "live", **changes: Any) -> tuple[dict[str, Any], list[Any]]:
    service = FakeService(state=state, text=changes.pop("text", "no frame for 42 s"), **changes)
    current = service.status()
    return current, status.status_nodes(current, service.gaps(), UTC)


def test_live_line_shows_every_promised_fact() -> None:
    """State and since when, both proofs, last event, delay, what is kept, gaps of today."""
    _, line = _line()
    text = text_of(line)
    for part in (
        "DEMO",
        "Live",
        "state live <age>",
        "proof of life <age>",
        "account proven",
        "last event",
        "p95 118 ms",
        "of 100,000",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("state", "word", "alarm"),
    [
        ("live", "Live", ""),
        ("quiet", "Live", ""),
        ("stale", "Reconnecting", "alarm-yellow"),
        ("rejected", "Disconnected", "alarm-red"),
    ],
)
def test_word_and_exact_state_stand_side_by_side(state: str, word: str, alarm: str) -> None:
    """Three words for a glance, the exact state for whoever needs it."""
    _, line = _line(state)
    assert f"{word} state {state}" in text_of(line)
    assert line[0]["class"] == f"status {alarm}".strip()


def test_proof_is_marked_when_it_is_older_than_its_limit() -> None:
    """The browser marks the age itself, so it does so even when this server has stopped."""
    _, line = _line()
    proof = next(node for node in walk(line) if node.get("warn_s") == 10.0)
    assert "since" in proof


def test_stale_says_until_when_the_picture_is_true() -> None:
    """What you see is old, since when, and what will be done."""
    _, line = _line("stale")
    text = text_of(with_class(line, "notice"))
    assert "What you see is the last state known at" in text
    assert "No frame for 42 s." in text
    assert "Next try in <age>" in text
    assert "gap will be listed" in text


def test_rejected_names_cause_and_next_try() -> None:
    """Whoever has a wrong key sees what to do."""
    _, line = _line("rejected", text="expected the join to be kept, was closed after 0.1 s: check COINDCX_API_SECRET")
    text = text_of(with_class(line, "notice"))
    assert "refused the credentials" in text
    assert "check COINDCX_API_SECRET" in text


def test_live_without_a_key_says_what_it_watches() -> None:
    """Market data alone must not look like a watched account."""
    _, line = _line(mode="live", has_credentials=False)
    assert "no key: market data only" in text_of(line)


def test_mode_is_a_watermark_unless_live() -> None:
    """A simulated or foreign exchange is named on every page."""
    assert "DEMO" in text_of(_line()[1])
    _, custom = _line(mode="custom")
    assert "CUSTOM" in text_of(custom)
    assert "Custom upstream" in text_of(custom)
    assert not with_class(_line(mode="live")[1], "hatch")


def test_busy_sidecar_port_is_said_without_alarm() -> None:
    """The dashboard works on; only scripts are affected."""
    sidecar = {"url": None, "clients": 0, "error": "port 8000 is in use: set COINDCX_SIDECAR_PORT"}
    _, line = _line(sidecar=sidecar)
    assert "Scripts cannot connect" in text_of(line)
    assert "set COINDCX_SIDECAR_PORT" in text_of(line)
    assert line[0]["class"] == "status"


def test_F21_events_that_are_not_stored_are_said_on_every_page() -> None:
    """Since when, why, how many wait, and how many found no room."""
    outage = {"since_ns": 1_790_000_000_000_000_000, "reason": "disk full", "waiting": 1_234, "lost": 0}
    shown = text_of(_line(store={"engine": "sqlite", "url": "", "outage": outage})[1])
    assert "New events are not stored." in shown
    assert "disk full" in shown
    assert "1,234 wait in memory" in shown
    assert "found no room" not in shown
    shown = text_of(_line(store={"engine": "sqlite", "url": "", "outage": {**outage, "lost": 56}})[1])
    assert "56 found no room" in shown


def test_F30_a_replay_is_said_instead_of_a_stopped_feed() -> None:
    """What is played, how fast, and how far."""
    replay = {"phase": "playing", "speed": "10", "shown": 1_234, "position_ms": 1_790_000_000_000, "reason": None}
    shown = text_of(_line("stopped", replay=replay)[1])
    assert "A replay of the log" in shown
    assert "1,234 events, playing at 10×" in shown
    assert "The feed has stopped" not in shown


def test_F23_other_owner_is_named() -> None:
    """A second process does not connect, and says who does."""
    _, line = _line("stopped", owner="process 4711 on this machine holds the session")
    assert "Process 4711" in text_of(line)
    assert "does not connect" in text_of(line)


def test_window_title_begins_with_the_state() -> None:
    """Tabs show little more than the first words."""
    current, _ = _line("reconnecting")
    assert status.window_title(current, "Orders") == "◌ Reconnecting · Orders · DEMO"
    assert status.window_title(current, "Orders", 1_200) == "(1,200) ◌ Reconnecting · Orders · DEMO"


def test_gaps_of_today_are_counted_and_added() -> None:
    """Yesterday's gap does not count; an open one lasts until now."""
    now_ms = 1_795_345_373_000.0
    gaps = [
        {"from_ms": now_ms - 60_000, "to_ms": now_ms - 50_000},
        {"from_ms": now_ms - 5_000, "to_ms": None},
        {"from_ms": now_ms - 86_400_000, "to_ms": now_ms - 86_000_000},
    ]
    assert status.gaps_today(gaps, now_ms, UTC) == (2, 15.0)


def test_time_that_nobody_wanted_to_watch_is_no_gap_and_no_failure() -> None:
    """On demand: left out of the count, and the notice raises no alarm."""
    now_ms = 1_795_345_373_000.0
    gap = {"from_ms": now_ms - 60_000, "to_ms": None, "is_on_demand": True}
    assert status.gaps_today([gap], now_ms, UTC) == (0, 0.0)
    _, line = _line("stopped", reason="not watching: COINDCX_UPSTREAM is on-demand and nobody looked for 30 s")
    assert "Not watching the exchange now" in text_of(line)
    assert "has stopped" not in text_of(line)


def test_F19_wrong_clock_is_said_on_every_page() -> None:
    """An hour off makes every delay nonsense; a few milliseconds are no news."""
    skew = {"offset_ms": 3_600_000.0, "uncertainty_ms": 30.0, "samples": 9}
    assert "clock is wrong. It is +1 h 00 m, ahead of the exchange" in text_of(_line(clock_skew=skew)[1])
    assert "clock is wrong" not in text_of(_line(clock_skew={**skew, "offset_ms": 80.0})[1])


FOLLOWING = {"address": "ws://127.0.0.1:8000", "owner": "process 4711", "is_up": True, "serves": False}


def test_follower_says_whom_it_follows() -> None:
    """On every page, beside the other one's mode; with the owner where it is known."""
    text = text_of(_line(following=FOLLOWING)[1])
    assert "DEMO following ws://127.0.0.1:8000 (owned by process 4711)" in text
    assert "exchange → there" in text
    assert "owned by" not in text_of(_line(following={**FOLLOWING, "owner": None})[1])
    assert "following" not in text_of(_line()[1])


def test_follower_without_its_link_says_which_one_is_down() -> None:
    """The picture is old, and why; a refusal is not the exchange's."""
    reason = "follow: the link to ws://127.0.0.1:8000 is down: connection lost"
    down = {**FOLLOWING, "is_up": False}
    text = text_of(_line("reconnecting", following=down, reason=reason)[1])
    assert "What you see is the last state known at" in text
    assert "Follow: the link to ws://127.0.0.1:8000 is down: connection lost." in text
    refused = text_of(_line("rejected", following=down, reason="follow: ws://127.0.0.1:8000 refused")[1])
    assert "The feed to be followed refused." in refused
    assert "The exchange refused" not in refused


def test_mode_of_a_feed_that_has_not_answered_is_unknown() -> None:
    """Never shown as the exchange's own."""
    assert "UNKNOWN following" in text_of(_line("connecting", following=FOLLOWING, mode="unknown")[1])


def test_nothing_received_yet_has_no_age() -> None:
    """No proof is not a fresh proof."""
    transport = {"proof": None, "age_s": None, "limit_s": 10.0}
    _, line = _line("connecting", transport=transport, last_event_ms=None)
    assert text_of(line).count("none yet") == 2


def test_T13_hostile_reason_is_text() -> None:
    """A reason of the exchange stands in a text node, cut and without turning characters."""
    _, line = _line("stale", text=HOSTILE)
    texts = [node["text"] for node in walk(line) if "evil" in node.get("text", "")]
    assert texts
    assert all("\u202e" not in text for text in texts)
