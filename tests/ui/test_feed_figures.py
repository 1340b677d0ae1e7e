"""Strip, proofs and figures of the Feed page."""

from datetime import UTC

from ui.fake_service import HOSTILE, FakeService
from ui.helpers import text_of, walk, with_class

from coindcx_feed.ui import feed_figures


def test_strip_covers_the_hour_without_overlap() -> None:
    """Parts lie side by side; time before the start stays empty."""
    service = FakeService()
    strip = feed_figures.strip(service.feed()["states"], service.now_ms, service.now_ms - 3_600_000, UTC)
    parts = with_class(strip, "part")
    ends = [part["left"] + part["width"] for part in parts]
    assert all(abs(end - part["left"]) < 0.01 for end, part in zip(ends, parts[1:], strict=False))
    assert 99.9 < ends[-1] <= 100.01


def test_strip_of_a_young_process_is_not_mostly_empty() -> None:
    """Five minutes at least, an hour at most."""
    service = FakeService()
    state = {"state": "live", "from_ms": service.now_ms - 60_000, "to_ms": None, "reason": None}
    strip = feed_figures.strip([state], service.now_ms, service.now_ms - 60_000, UTC)
    assert "last 5 minutes" in text_of(strip)
    assert "live or quiet 100.0 % of 1 m 00 s running" in text_of(strip)


def test_time_that_nobody_wanted_to_watch_is_left_out_of_the_share() -> None:
    """On demand: half of ten minutes was not wanted, the rest was watched, and each part says what it rests on."""
    now_ms = FakeService().now_ms
    asleep = {"state": "stopped", "reason": "on_demand", "is_on_demand": True}
    states = [
        {"state": "live", "from_ms": now_ms - 600_000, "to_ms": now_ms - 300_000, "reason": None, "proof": "a frame"},
        {**asleep, "from_ms": now_ms - 300_000, "to_ms": None},
    ]
    strip = feed_figures.strip(states, now_ms, now_ms - 600_000, UTC)
    assert "live or quiet 100.0 % of 5 m 00 s running" in text_of(strip)
    titles = [part["title"] for part in with_class(strip, "part")]
    assert titles[0].endswith("proven by a frame")
    assert titles[1].startswith("not watching from")


def test_states_differ_by_pattern_not_by_colour_alone() -> None:
    """Solid, paler, hatched and barred, each with its word in the legend."""
    assert len(set(feed_figures.PATTERNS.values())) == 5
    service = FakeService()
    strip = feed_figures.strip(service.feed()["states"], service.now_ms, 0.0, UTC)
    legend = text_of(with_class(strip, "legend"))
    assert "quiet, proven by heartbeat" in legend
    assert "connecting or reconnecting" in legend


def test_both_proofs_are_shown_apart() -> None:
    """The wire may be alive while the account is not proven."""
    service = FakeService(state="reconnecting")
    text = text_of(feed_figures.proofs(service.status(), UTC))
    assert "Transport frame <age>" in text
    assert "Account unproven" in text


def test_F19_clock_skew_is_shown_with_sign_unit_and_uncertainty() -> None:
    """Ahead is plus; before the first signed read nothing is claimed."""
    skew = {"offset_ms": 340.0, "uncertainty_ms": 25.0, "samples": 12}
    text = text_of(feed_figures.proofs(FakeService(clock_skew=skew).status(), UTC))
    assert "Clock +340 ms, ahead of the exchange ± 25 ms 12 replies" in text
    assert "not known" in text_of(feed_figures.proofs(FakeService(clock_skew=None).status(), UTC))
    wrong = feed_figures.proofs(FakeService(clock_skew={**skew, "offset_ms": -3_600_000.0}).status(), UTC)
    (marked,) = with_class(wrong, "yellow")
    assert "−1 h 00 m, behind the exchange" in text_of([marked])


def test_figures_count_what_was_kept_apart() -> None:
    """Duplicates, late, quarantine with its newest reason, clients, ring."""
    service = FakeService(text="price: expected a number")
    text = text_of([feed_figures.figures(service.status(), service.feed(), UTC)])
    for part in ("17 · 1", "Quarantine 1 price: expected a number", "Sidecar clients 2", "62 / 118 ms"):
        assert part in text


def test_busy_sidecar_is_said_in_its_figure() -> None:
    """Clients cannot come: why stands where their number would."""
    service = FakeService(sidecar={"url": None, "clients": 0, "error": "port 8000 is in use"})
    assert "port 8000 is in use" in text_of([feed_figures.figures(service.status(), service.feed(), UTC)])


def test_T15_log_lines_are_single_text_nodes() -> None:
    """A forged line break stays inside its line."""
    lines = feed_figures.log(["a\nb", HOSTILE])
    texts = [node["text"] for node in walk(lines) if node["tag"] == "li"]
    assert len(texts) == 2
    assert "\n" not in "".join(texts)


def test_keyboard_reaches_the_log_and_scrolls_it() -> None:
    """It is longer than its box as soon as the feed has come and gone a few times."""
    (listed,) = [node for node in walk(feed_figures.log(["a"])) if node["tag"] == "ul"]
    assert (listed["scrolls"], listed["label"]) == (True, "Log")
