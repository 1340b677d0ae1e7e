"""Figures of a range: exact sums of what is stored, grouped by the reader's days."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from fakes.past import PAIR, at_ms, past_log

from coindcx_feed.store.log import EventStore
from coindcx_feed.views import past_figures
from coindcx_feed.views.past_groups import MOST_BUCKETS, Span

SPAN = Span(at_ms("2026-11-21T10:00") * 10**6, at_ms("2026-11-22T10:03") * 10**6)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EventStore]:
    with past_log(tmp_path) as opened:
        yield opened


def test_activity_adds_up_to_every_event(log: EventStore) -> None:
    """The mean of a bucket times its length is its number of events."""
    found = past_figures.activity(log, SPAN)
    minutes = found["bucket_s"] / 60
    assert found["events"] == 12
    assert sum(float(counts.sum()) * minutes for counts in found["types"].values()) == pytest.approx(12)
    assert found["types"]["order"].sum() * minutes == pytest.approx(4)
    assert all(len(counts) == len(found["t_ms"]) for counts in found["types"].values())
    assert found["busiest"][0] == {"pair": PAIR, "events": 7, "order": 3, "fill": 1, "ledger": 3}


def test_orders_by_day_pair_and_both(log: EventStore) -> None:
    """Fill rate is filled of all that ended; time to fill is a mean of those with both stamps."""
    rows = past_figures.orders(log, SPAN, UTC)
    days = past_figures.orders_by(rows, "day")
    assert [(row["day"], row["pair"], row["ended"], row["filled"]) for row in days] == [
        ("2026-11-22", None, 1, 1),
        ("2026-11-21", None, 2, 1),
    ]
    assert (days[1]["fill_rate"], days[1]["mean_fill_ms"]) == (0.5, 120_000.0)
    assert [row["pair"] for row in past_figures.orders_by(rows, "pair")] == ["B-BTC_USDT", PAIR]
    assert len(past_figures.orders_by(rows, "both")) == 2


def test_orders_of_some_pairs_and_altogether(log: EventStore) -> None:
    """Shares are of all that ended; the median is that of the times themselves."""
    (row,) = past_figures.orders_by(past_figures.orders(log, SPAN, UTC), "all")
    assert (row["day"], row["pair"], row["ended"]) == (None, None, 3)
    assert (row["cancelled_share"], row["rejected_share"]) == (1 / 3, 0.0)
    day_ms = 86_400_000
    assert row["median_fill_ms"] == row["mean_fill_ms"] == pytest.approx((120_000 + day_ms + 180_000) / 2)
    (only,) = past_figures.orders_by(past_figures.orders(log, SPAN, UTC, [PAIR]), "all")
    assert (only["ended"], only["median_fill_ms"]) == (2, 120_000.0)


def test_activity_of_some_pairs(log: EventStore) -> None:
    """What has no pair, such as a wallet, is left out."""
    found = past_figures.activity(log, SPAN, [PAIR])
    assert found["events"] == 7
    assert set(found["types"]) == {"order", "fill", "ledger"}


def test_balances_keep_the_last_value_of_each_bucket(log: EventStore) -> None:
    """The line has a point where a wallet changed; the exact texts of the last one stand beside it."""
    found = past_figures.balances(log, SPAN)
    line = found["series"]["USDT"]
    assert line["total"].tolist() == pytest.approx([1_650_852.096066953, 5.25])
    assert found["last"]["USDT"] == {"total": "5.25", "available": "5.25", "locked": "0"}


@pytest.mark.parametrize("days", [0, 1, 7, 90, 400])
def test_charts_have_a_bounded_number_of_points(days: int) -> None:
    """Buckets grow with the range, to a day at most."""
    lasts_s = int(timedelta(days=days).total_seconds()) or 60
    bucket_s = Span(0, lasts_s * 10**9).bucket_s
    assert bucket_s % 60 == 0
    assert lasts_s / bucket_s <= MOST_BUCKETS


@pytest.mark.parametrize("name", ["Asia/Kolkata", "Asia/Kathmandu", "America/New_York"])
def test_days_of_any_zone_have_all_events(log: EventStore, name: str) -> None:
    """Zones that are not whole hours from UTC cut days where they begin."""
    rows = past_figures.orders_by(past_figures.orders(log, SPAN, ZoneInfo(name)), "day")
    assert sum(row["ended"] for row in rows) == 3
