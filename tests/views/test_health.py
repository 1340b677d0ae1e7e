"""The feed's own health: rates, delays, states, gaps, what was kept apart."""

import json

import numpy as np
import pytest
from fakes.frames import BALANCE, ORDER, POSITION, balance, order, position
from fakes.pipelines import START_S, at, filled, replayed, row

from coindcx_feed.exchange.states import Change, State
from coindcx_feed.feed.kept import Kept, KeptApart
from coindcx_feed.feed.normalize import Frame
from coindcx_feed.feed.watch import ON_DEMAND, Watch
from coindcx_feed.views import health

NOW_NS = START_S * 10**9


def _order(second: float, delay_ms: int | None, number: int = 0) -> Frame:
    exchange_ms = None if delay_ms is None else int((START_S + second) * 1_000) - delay_ms
    return at(row(ORDER, order(f"o-{second}-{number}", updated_at=exchange_ms)), second)


def test_delay_is_from_the_exchange_stamp_to_receiving() -> None:
    """Percentiles of the last ten minutes."""
    frames = [_order(-100 + number / 10, number) for number in range(1, 101)]
    found = health.delay(replayed(*frames).ring, NOW_NS, 0)
    assert found is not None
    assert found["count"] == 100
    assert found["p50_ms"] == pytest.approx(50.5, abs=0.01)
    assert found["p99_ms"] == pytest.approx(99.01, abs=0.01)


def test_delay_is_none_without_stamps_or_of_long_ago() -> None:
    """Balances carry no time; what is older than ten minutes says nothing of now."""
    pipeline = replayed(_order(-700, 50), at(row(BALANCE, balance()), -5), _order(-3, None))
    assert health.delay(pipeline.ring, NOW_NS, 0) is None


def test_simulated_history_does_not_count_as_delay() -> None:
    """What was received before the start never travelled."""
    ring = replayed(_order(-50, 0), _order(-40, 0), _order(-5, 30)).ring
    found = health.delay(ring, NOW_NS, NOW_NS - 10 * 10**9)
    assert found is not None
    assert (found["count"], found["p50_ms"]) == (1, pytest.approx(30, abs=0.01))
    rates, delays = health.rates(ring, NOW_NS, NOW_NS - 10 * 10**9)
    assert rates["order"].sum() == 3
    assert np.nanmin(delays["p50"]) == pytest.approx(30, abs=0.01)


def test_late_events_do_not_count_as_delay() -> None:
    """A repeat of the past is not slow, it is late."""
    late = at(row(ORDER, order("x", updated_at=1_000)), -1)
    pipeline = replayed(at(row(ORDER, order("x", updated_at=START_S * 1_000 - 2_040)), -2), late)
    found = health.delay(pipeline.ring, NOW_NS, 0)
    assert found is not None
    assert (found["count"], found["p99_ms"]) == (1, pytest.approx(40, abs=0.01))


def test_rates_count_events_per_bucket_and_type() -> None:
    """An hour in buckets of 30 s; the last bucket is the present one."""
    frames = [_order(-60, 1, number) for number in range(3)]
    frames += [at(row(POSITION, position()), -60), at(row(BALANCE, balance()), 0), _order(-3_590, 1), _order(-4_000, 1)]
    rates, delays = health.rates(replayed(*sorted(frames, key=lambda frame: frame.received_ns)).ring, NOW_NS, 0)
    assert rates["bucket_s"] == 30
    assert len(rates["t_ms"]) == len(rates["order"]) == len(delays["t_ms"]) == 120
    assert rates["t_ms"][-1] == (START_S // 30) * 30_000
    assert [int(rates[kind].sum()) for kind in ("order", "position", "balance")] == [4, 1, 1]
    bucket = int(np.flatnonzero(rates["order"] == 3)[0])
    assert rates["t_ms"][bucket] <= (START_S - 60) * 1e3 < rates["t_ms"][bucket] + 30_000
    assert rates["position"][bucket] == 1


def test_delays_are_percentiles_per_bucket_with_holes() -> None:
    """Buckets without an event are NaN, not 0."""
    frames = [_order(-90 + number / 10, number) for number in range(10, 31)]
    _, delays = health.rates(replayed(*frames).ring, NOW_NS, 0)
    known = np.flatnonzero(~np.isnan(delays["p50"]))
    assert len(known) == 1
    assert delays["p50"][known[0]] == pytest.approx(20, abs=0.01)
    assert delays["p50"][known[0]] <= delays["p95"][known[0]] <= delays["p99"][known[0]]


def test_rates_of_an_empty_ring_are_zeros() -> None:
    """The first second of a feed."""
    rates, delays = health.rates(replayed().ring, NOW_NS, 0)
    assert rates["order"].sum() == 0
    assert np.isnan(delays["p50"]).all()


def test_clock_that_was_set_back_breaks_nothing() -> None:
    """Events from the future of the wall clock are left out of the last bucket's future."""
    rates, _ = health.rates(replayed(_order(500, 1), _order(-10, 1)).ring, NOW_NS, 0)
    assert rates["order"].sum() == 1


def test_states_of_the_last_hour_with_the_present_one_open() -> None:
    """From, to and reason; what ended more than an hour ago is left out."""
    watch = Watch()
    for second, state in ((-9_000, State.LIVE), (-8_000, State.STALE), (-100, State.RECONNECTING), (-90, State.QUIET)):
        watch.add(Change(state, (START_S + second) * 10**9, "why" if state is State.STALE else None))
    found = health.states(watch, START_S * 1e3)
    assert [(item["state"], item["reason"]) for item in found] == [
        ("stale", "why"), ("reconnecting", None), ("quiet", None),
    ]  # fmt: skip
    assert (found[0]["from_ms"], found[0]["to_ms"]) == ((START_S - 8_000) * 1e3, (START_S - 100) * 1e3)
    assert found[-1]["to_ms"] is None


def test_C7_gaps_come_newest_first_with_the_open_one() -> None:
    """Start, end and cause."""
    watch = Watch()
    for second, state in ((0, State.LIVE), (10, State.RECONNECTING), (12, State.LIVE), (20, State.STALE)):
        watch.add(Change(state, second * 10**9, f"at {second}"))
    outcome = {"is_on_demand": False, "recovered": None, "unknown": None, "is_read_on": False}
    assert health.gaps(watch) == [
        {"from_ms": 20_000.0, "to_ms": None, "cause": "at 20", **outcome},
        {"from_ms": 10_000.0, "to_ms": 12_000.0, "cause": "at 10", **outcome},
    ]


def test_time_that_nobody_wanted_to_watch_is_marked() -> None:
    """Pages and exports can tell it from a failure."""
    watch = Watch()
    for second, state in ((0, State.LIVE), (10, State.STOPPED)):
        watch.add(Change(state, second * 10**9, ON_DEMAND))
    (gap,) = health.gaps(watch)
    assert (gap["is_on_demand"], gap["cause"]) == (True, "on_demand")


def test_kept_entries_show_reason_frame_and_text() -> None:
    """Newest first, as plain data."""
    pipeline = filled(row(ORDER, order()), row(ORDER, order()), {"event": ORDER, "data": "[{"})
    (duplicate,) = health.kept_apart(pipeline.duplicates)
    assert json.loads(duplicate["raw"]) == order()
    assert (duplicate["arrival"], duplicate["event"]) == (2, ORDER)
    (rejected,) = health.kept_apart(pipeline.quarantine)
    assert (rejected["arrival"], rejected["raw"], rejected["raw_bytes"]) == (3, "[{", 2)
    assert rejected["reason"].startswith("expected a list of order records")
    assert json.loads(json.dumps([duplicate, rejected])) == [duplicate, rejected]


def test_long_and_broken_raw_text_is_cut_and_readable() -> None:
    """A page is not handed megabytes; bytes that are no UTF-8 do not break it."""
    kept = KeptApart()
    kept.add(Kept(1, 5_000_000, "e" * 1_000, "reason", b"\xed\xa0\x80" + b"x" * 1_000_000))
    (found,) = health.kept_apart(kept)
    assert (len(found["raw"]), len(found["event"]), found["raw_bytes"]) == (health.SHOWN_RAW, 200, 1_000_003)
    assert found["at_ms"] == 5.0


def test_number_of_entries_shown_is_bounded() -> None:
    """The newest hundred."""
    kept = KeptApart()
    for arrival in range(150):
        kept.add(Kept(arrival, 0, "e", "r", b""))
    assert [entry["arrival"] for entry in health.kept_apart(kept)] == list(range(149, 49, -1))
