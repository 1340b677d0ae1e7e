"""Rows and details of stored events equal those of the same events in memory."""

from pathlib import Path

from fakes.past import EVENTS, past_log

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.feed.ring import Ring
from coindcx_feed.views import history, rows


def _ring() -> Ring:
    ring = Ring(100, "epoch")
    for event in EVENTS:
        ring.append(event)
    return ring


def test_rows_equal_those_of_the_ring(tmp_path: Path) -> None:
    """One look for every event, wherever it is kept."""
    ring = _ring()
    with past_log(tmp_path) as log:
        found = history.rows_of(log, log.select(EventFilter(), limit=100))
    assert found == [rows.row(ring, stored) for stored in ring.latest(100)]


def test_details_equal_those_of_the_ring(tmp_path: Path) -> None:
    """Also the life of the id and what happened beside it."""
    ring = _ring()
    with past_log(tmp_path) as log:
        for event in EVENTS:
            theirs = rows.details(ring, event.seq)
            ours = history.details(log, event.seq)
            assert ours is not None
            assert theirs is not None
            if event.type.value not in ("fill", "ledger"):  # the ring knows no id of those
                assert ours == theirs


def test_gap_that_still_lasts_is_known_from_the_process(tmp_path: Path) -> None:
    """It is in no event yet."""
    open_gap = {"from_ms": 1_000.0, "to_ms": None, "cause": "gone"}
    with past_log(tmp_path) as log:
        found = history.gaps(log, 0, 1 << 62, [open_gap])
    assert found[-1] == open_gap
