"""CSV of 100,000 events against Arrow's own writer for the same texts, in the same run."""

import csv
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from benchmarks.events import events
from pyarrow.csv import write_csv

from coindcx_feed.analysis.export import export_events
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.feed.ring import Ring

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

EVENTS = 100_000
ROUNDS = 15
GOAL = 4.0


@pytest.fixture(scope="module")
def ring() -> Ring:
    filled = Ring(EVENTS, "20260923T050640-abcdef12")
    for event in events(EVENTS):
        filled.append(event)
    return filled


def _timed(action: Callable[[], object]) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    action()
    return (time.perf_counter() - began) * 1_000, (time.process_time() - cpu) * 1_000


def _table(path: str) -> pa.Table:
    with open(path, newline="", encoding="utf-8") as file:
        header, *found = csv.reader(file)
    return pa.table({name: pa.array(texts) for name, texts in zip(header, zip(*found, strict=True), strict=True)})


def test_csv_costs_at_most_four_times_arrow(ring: Ring, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole export, from the filter to both files in place, against writing a finished table of its cells."""
    everything = EventFilter()

    def export() -> dict[str, object]:
        return export_events(ring, everything, "csv", tmp_path, mode="demo")

    table = _table(str(export()["path"]))
    assert table.num_rows == EVENTS
    ours, theirs = [], []
    for number in range(ROUNDS):
        reference = tmp_path / f"{number}.csv"
        theirs.append(_timed(lambda path=reference: write_csv(table, path)))  # type: ignore[misc]
        ours.append(_timed(export))
        for path in tmp_path.iterdir():
            path.unlink()
    wall = statistics.median(our[0] / their[0] for our, their in zip(ours, theirs, strict=True))
    cpu = statistics.median(our[1] / their[1] for our, their in zip(ours, theirs, strict=True))
    with capsys.disabled():
        print(
            f"\nCSV of {EVENTS:,} events: median {statistics.median(our[0] for our in ours):.0f} ms, "
            f"Arrow's writer {statistics.median(their[0] for their in theirs):.0f} ms, "
            f"ratio {wall:.2f} by wall, {cpu:.2f} by CPU (goal {GOAL})"
        )
    assert cpu <= GOAL


@pytest.mark.parametrize(("kind", "types"), [("json", ()), ("csv", ("order",))])
def test_other_exports(
    ring: Ring, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, types: tuple[str, ...]
) -> None:
    """Figures only: all envelopes as JSON, and every field of the orders."""
    rows = 0

    def export() -> None:
        nonlocal rows
        rows = export_events(ring, EventFilter(types=types), kind, tmp_path, mode="demo")["rows"]

    times = [_timed(export)[0] for _ in range(3)]
    with capsys.disabled():
        print(f"\n{kind} of {rows:,} {'full orders' if types else 'events'}: {statistics.median(times):.0f} ms")
    assert rows > 0
