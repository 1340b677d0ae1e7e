"""What a table costs: time to filter and read, bytes beside the raw text, and what the collector pays."""

import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from benchmarks.events import events

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.feed.ring import Ring

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

ROUNDS = 41
BYTES_GOAL = 400
COLLECTION_GOAL_MS = 10.0
WANTED = EventFilter(types=("order",), pairs=("B-BTC_USDT", "B-ETH_USDT"), statuses=("filled",))


def _filled(count: int) -> Ring:
    ring = Ring(count, "epoch-1")
    for event in events(count):
        ring.append(event)
    return ring


@pytest.mark.parametrize(("count", "goal_ms"), [(100_000, 3.0), (1_000_000, 9.0)])
def test_filter_and_read_newest_500(count: int, goal_ms: float, capsys: pytest.CaptureFixture[str]) -> None:
    """Three columns are filtered, all matches counted and the newest 500 rows read."""
    ring = _filled(count)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        found = ring.select(WANTED.column_test(), WANTED.text_test(), 500)
        times.append((time.perf_counter() - began) * 1_000)
    assert len(found.events) == 500
    typical = statistics.median(times)
    with capsys.disabled():
        print(
            f"\nfilter 3 columns of {count:,} and read 500 of {found.matching:,} matches: "
            f"median {typical:.2f} ms, worst {max(times):.2f} ms (goal {goal_ms})"
        )
    assert typical <= goal_ms


def test_bytes_per_event_beside_the_raw_text(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that the ring allocates, less the envelopes themselves, spread over its events."""
    count = 100_000
    source = events(count)
    next(source)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        ring = Ring(count, "epoch-1", first_seq=2)
        for event in source:
            ring.append(event)
        del event
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    bodies = sum(map(sys.getsizeof, ring.bodies_since(0, count)))
    each = (after - before - bodies) / (count - 1)
    with capsys.disabled():
        print(f"\nring: {each:.0f} bytes per event beside {bodies / count:.0f} of raw text (goal {BYTES_GOAL})")
    assert each <= BYTES_GOAL


COLLECT = """
import gc, sys, time
sys.path.insert(0, {tests!r})
from benchmarks.events import events
from coindcx_feed.feed.ring import Ring

def collect_ms():
    times = []
    for _ in range(15):
        began = time.perf_counter()
        gc.collect()
        times.append((time.perf_counter() - began) * 1000)
    return min(times)

ring = Ring(100_000, "epoch-1")
source = events(100_000)
ring.append(next(source))
before_ms = collect_ms()
for event in source:
    ring.append(event)
del event, source
print(before_ms, collect_ms(), len(ring))
"""


def test_full_collection_with_100_000_events(capsys: pytest.CaptureFixture[str]) -> None:
    """A process of its own holds the ring and the modules that fill it; the collection is a full one."""
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", COLLECT.format(tests=tests)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=True)
    before_ms, after_ms, kept = map(float, done.stdout.split())
    assert kept == 100_000
    with capsys.disabled():
        print(
            f"\nfull collection: {after_ms:.1f} ms with 100,000 events, {before_ms:.1f} ms with one "
            f"(goal for the events: {COLLECTION_GOAL_MS})"
        )
    assert after_ms - before_ms <= COLLECTION_GOAL_MS
