"""The past at 1,000,000 stored events: every figure of the page, and exports against what they cannot do without."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from benchmarks.stored import ACCOUNT, MODE, build
from fakes.past import runtime_of
from pyarrow.csv import write_csv

from coindcx_feed.analysis.cells import COLUMNS, row_texts
from coindcx_feed.analysis.export import export_log
from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.feed.past import PastService
from coindcx_feed.store.log import EventStore

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1_800)]

EVENTS = 1_000_000
FIGURE_MS = 300.0
EXPORT_RATIO = 2.0
GROWTH_MIB = 64.0
SLICE = 50_000
MEASURES = ("events", "orders", "fill_ms", "fill_times", "volume", "fees", "pnl", "wins", "losses", "funding")
MEASURES += ("unrealized", "balance", "locked")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """A week of 1,000,000 events, opened as a second process would."""
    path = tmp_path_factory.mktemp("history") / "week.sqlite"
    build(path, EVENTS, time.time_ns())
    opened = EventStore.open(f"sqlite:///{path}", mode=MODE, account=ACCOUNT, read_only=True)
    yield opened
    opened.close()


def _ms(action: Callable[[], object], rounds: int = 5) -> tuple[float, float]:
    """Return the median wall and CPU time."""
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        walls.append((time.perf_counter() - wall) * 1_000)
        cpus.append((time.process_time() - cpu) * 1_000)
    return statistics.median(walls), statistics.median(cpus)


def test_figures(log: EventStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each measure of the whole week in buckets of half an hour, and the parts of the page."""
    found = {name: _ms(lambda name=name: log.figures(name, bucket_s=1_800)) for name in MEASURES}  # type: ignore[misc]
    runtime = runtime_of(log, tmp_path)

    def ask(name: str) -> Any:
        return PastService(runtime).figures(name, None, None, "Asia/Kolkata")

    parts = {name: _ms(lambda name=name: ask(name), 3) for name in ("activity", "orders", "money", "balances")}  # type: ignore[misc]
    with capsys.disabled():
        for title, figures in (("measure", found), ("part of the page", parts)):
            shown = ", ".join(f"{name} {wall:.0f} ({cpu:.0f})" for name, (wall, cpu) in figures.items())
            print(f"\n{title}, ms by wall (CPU), {EVENTS:,} stored: {shown}")
    assert {name: cpu for name, (_, cpu) in found.items() if cpu > FIGURE_MS} == {}


def test_reads(log: EventStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, a page of rows and details; figures only, the log has its own goals."""
    past = PastService(runtime_of(log, tmp_path))
    asked: dict[str, Callable[[], object]] = {
        "count of a type": lambda: past.count({"types": ["order"]}, None, None),
        "count of a word": lambda: past.count({"text": "filled"}, None, None),
        "500 rows": lambda: past.select({"types": ["order"]}, None, None),
        "500 rows in the middle": lambda: past.select({}, None, None, before=EVENTS // 2),
        "details": lambda: past.event(EVENTS // 3),
    }
    with capsys.disabled():
        print("\n" + ", ".join(f"{name} {_ms(action)[0]:.0f} ms" for name, action in asked.items()))


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def test_csv_costs_at_most_twice_reading_and_arrow(
    log: EventStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole export against reading the same rows, plus Arrow's writer for the same texts, in the same run."""
    export_log(log, EventFilter(types=("system",)), "csv", tmp_path, mode=MODE)  # loads what an export loads once
    before, seen = _resident_mib(), [0.0]
    began, cpu = time.perf_counter(), time.process_time()
    made = export_log(
        log, EventFilter(), "csv", tmp_path, mode=MODE, progress=lambda _rows: seen.append(_resident_mib())
    )
    ours = time.perf_counter() - began, time.process_time() - cpu
    growth = max(seen) - before
    assert made["rows"] == EVENTS
    reading, writing = [0.0, 0.0], [0.0, 0.0]
    rows = log.stream(EventFilter(), slice_size=2_500)
    while part := _timed(lambda: _some(rows), reading):
        table = pa.table(list(zip(*(row_texts(event.body, "e", MODE) for event in part), strict=True)), names=COLUMNS)
        _timed(lambda table=table: write_csv(table, tmp_path / "theirs.csv"), writing)
    theirs = reading[0] + writing[0], reading[1] + writing[1]
    with capsys.disabled():
        print(
            f"\nCSV of {EVENTS:,} stored events: {ours[0]:.1f} s; reading {reading[0]:.1f} s + Arrow's writer "
            f"{writing[0]:.1f} s; ratio {ours[0] / theirs[0]:.2f} by wall, {ours[1] / theirs[1]:.2f} by CPU "
            f"(goal {EXPORT_RATIO}); memory grew by {growth:.0f} MiB (goal {GROWTH_MIB:.0f})"
        )
    assert ours[1] / theirs[1] <= EXPORT_RATIO
    assert growth <= GROWTH_MIB


def _some(rows: Iterator[list[Any]]) -> list[Any]:
    found: list[Any] = []
    while len(found) < SLICE and (part := next(rows, None)):
        found.extend(part)
    return found


def _timed(action: Callable[[], Any], spent: list[float]) -> Any:
    began, cpu = time.perf_counter(), time.process_time()
    made = action()
    spent[0] += time.perf_counter() - began
    spent[1] += time.process_time() - cpu
    return made
