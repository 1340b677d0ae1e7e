"""The past as pages ask for it: counts, rows, details, gaps, figures and exports, as plain data."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.past import EPOCHS, EVENTS, PAIR, at_ms, past_log, runtime_of
from fakes.plain import is_plain

from coindcx_feed.errors import BadRequest, StoreGone
from coindcx_feed.feed.past import FIGURES, PastService

DAY_TWO = at_ms("2026-11-22T00:00")


@pytest.fixture
def past(tmp_path: Path) -> Iterator[PastService]:
    """The service over two stored days."""
    with past_log(tmp_path) as log:
        yield PastService(runtime_of(log, tmp_path))


def test_span_tells_first_and_newest(past: PastService) -> None:
    """Ends of the log, in ms."""
    span = past.span()
    assert (span["is_kept"], span["newest_seq"]) == (True, 12)
    assert span["lacking_until_ms"] is None
    assert (span["first_ms"], span["newest_ms"]) == (at_ms("2026-11-21T10:00"), at_ms("2026-11-22T10:02"))


def test_count_follows_filter_and_range(past: PastService) -> None:
    """The end of a range is not part of it."""
    assert past.count({}, None, None) == {"matching": 12, "newest": 12}
    assert past.count({"types": ["order"]}, None, DAY_TWO)["matching"] == 3
    assert past.count({"text": "FILLED"}, DAY_TWO, None)["matching"] == 1
    assert past.count({}, None, None, upto=5)["matching"] == 5
    assert past.count({}, None, at_ms("2026-11-21T10:00"))["matching"] == 0


def test_rows_are_those_of_the_events_page(past: PastService) -> None:
    """Newest first, with what changed since the event before, though memory holds neither."""
    found = past.select({"types": ["order"]}, None, DAY_TWO)
    assert is_plain(found)
    assert [row["seq"] for row in found["rows"]] == [5, 3, 1]
    assert found["rows"][1]["what_changed"].startswith("status open → filled")
    assert (found["rows"][0]["pair"], found["has_more"]) == (PAIR, False)


def test_pages_follow_each_other_without_a_hole(past: PastService) -> None:
    """Each one begins before the last number of the one before it."""
    seqs: list[int] = []
    before = None
    for _ in range(10):
        found = past.select({}, None, None, limit=5, before=before)
        seqs += [row["seq"] for row in found["rows"]]
        before = seqs[-1]
        if not found["has_more"]:
            break
    assert seqs == list(range(12, 0, -1))


def test_details_of_an_event_that_memory_has_forgotten(past: PastService) -> None:
    """Record, changes, life and neighbours come from the log."""
    event = past.event(3)
    assert event is not None
    assert is_plain(event)
    assert event["record"].encode() == EVENTS[2].record
    assert [row["seq"] for row in event["timeline"]] == [1, 3]
    assert event["changes"]["since_seq"] == 1
    assert {"field": "status", "before": "open", "after": "filled"} in event["changes"]["rows"]
    assert past.event(99) is None


def test_gaps_of_a_range(past: PastService) -> None:
    """A gap belongs to the range it lies in, though it is told when it is over."""
    (gap,) = past.gaps(at_ms("2026-11-21T11:30"), at_ms("2026-11-21T12:30"))
    assert (gap["from_ms"], gap["to_ms"]) == (at_ms("2026-11-21T12:00"), at_ms("2026-11-21T13:00"))
    assert past.gaps(DAY_TWO, None) == []


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_plain(past: PastService, name: str) -> None:
    """Numbers, texts, lists and arrays only."""
    assert is_plain(past.figures(name, None, None, "Asia/Kolkata", "both"))


def test_figures_of_some_pairs_are_remembered_apart(past: PastService) -> None:
    """All first, then one: the second answer is not the first."""
    (everything,) = past.figures("orders", None, None, by="all")
    (one,) = past.figures("orders", None, None, by="all", pairs=[PAIR])
    assert (everything["ended"], one["ended"]) == (3, 2)


def test_days_are_those_of_the_reader(past: PastService) -> None:
    """19:00 UTC is the next day in India."""
    utc = {(row["day"], row["currency"]): row["pnl"] for row in past.figures("money", None, None)}
    assert utc["2026-11-21", "USDT"] == "12.5"
    ist = {(row["day"], row["currency"]): row["pnl"] for row in past.figures("money", None, None, "Asia/Kolkata")}
    assert ist["2026-11-22", "USDT"] == "12.5"


def test_range_that_ends_before_it_starts_is_one_line(past: PastService) -> None:
    """Nothing is asked of the log."""
    for ask in (past.gaps, lambda *ends: past.count({}, *ends), lambda *ends: past.figures("activity", *ends)):
        with pytest.raises(BadRequest, match="range: expected an end after its start"):
            ask(2_000.0, 1_000.0)


def test_unknown_figures_and_zones_are_refused(past: PastService) -> None:
    """One line each."""
    with pytest.raises(BadRequest, match="figures: expected one of activity"):
        past.figures("profit", None, None)
    with pytest.raises(BadRequest, match="zone: expected a name such as Asia/Kolkata"):
        past.figures("orders", None, None, "Nowhere/At_All")


def test_export_is_every_match_of_the_range(past: PastService, tmp_path: Path) -> None:
    """The file names each event's own series; the description has the gaps."""
    made = past.export({}, "csv", None, None)
    lines = Path(made["path"]).read_text(encoding="utf-8").splitlines()
    assert (made["rows"], len(lines)) == (12, 13)
    assert [line.split(",")[1] for line in lines[1:]] == [EPOCHS[0]] * 7 + [EPOCHS[1]] * 5
    meta = json.loads(Path(made["meta_path"]).read_text(encoding="utf-8"))
    assert [gap["cause"] for gap in meta["gaps"]] == ["socket closed"]
    assert Path(made["path"]).parent == tmp_path / "exports"


def test_choices_of_a_filter(past: PastService) -> None:
    """Pairs whose orders ended, also long ago."""
    assert past.seen()["pairs"] == ["B-BTC_USDT", PAIR]


def test_without_a_log_everything_but_the_span_is_refused(tmp_path: Path) -> None:
    """The page asks for the span first and says why there is nothing."""
    past = PastService(runtime_of(None, tmp_path))
    assert past.span()["is_kept"] is False
    for ask in (past.seen, lambda: past.count({}, None, None), lambda: past.event(1), lambda: past.gaps(None, None)):
        with pytest.raises(StoreGone, match="expected a durable log, was none"):
            ask()
