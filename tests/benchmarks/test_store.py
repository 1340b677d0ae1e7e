"""What the durable log costs: appends beside a bare insert, and questions with 1,000,000 events stored."""

import gc
import itertools
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from benchmarks.events import events
from store.made import EPOCH, event, fill, groups, made, opened, url_of

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.store import MEASURES, EventStore
from coindcx_feed.store.rows import COLUMNS, row_of

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

MILLION = 1_000_000
ROUNDS = 5
SHARE_GOAL = 0.6
SELECT_MS, TEXT_MS, FIGURE_MS, MOMENT_MS, OPEN_S = 50.0, 1_000.0, 300.0, 200.0, 2.0

Report = Callable[[str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="")

    return say


def _bare(path: Path, rows: list[tuple[object, ...]], group: int) -> float:
    """Insert rows in groups as SQLite does it best, and return the rows per second."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"CREATE TABLE e ({COLUMNS[0]} INTEGER PRIMARY KEY, {', '.join(COLUMNS[1:])})")
        statement = f"INSERT INTO e VALUES ({', '.join('?' * len(COLUMNS))})"
        began = time.perf_counter()
        for start in range(0, len(rows), group):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, rows[start : start + group])
            connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - began)


def _ours(folder: Path, name: str, group: int, count: int) -> float:
    store = opened(url_of(folder, name))
    parts = list(groups(made(count), group))
    began = time.perf_counter()
    for part in parts:
        store.append(part, EPOCH)
    taken = time.perf_counter() - began
    store.close()
    return count / taken


@pytest.mark.parametrize("group", [50, 100, 500])
def test_append_beside_a_bare_insert(tmp_path: Path, group: int, report: Report) -> None:
    """The same rows in the same groups, in turns, so that both meet the same disk; the median share counts."""
    count = 60_000
    rows = [row_of(each, 1) for each in made(count)]
    gc.collect()
    gc.freeze()
    pairs = [
        (_bare(tmp_path / f"bare-{n}", rows, group), _ours(tmp_path, f"ours-{n}", group, count)) for n in range(ROUNDS)
    ]
    gc.unfreeze()
    share = statistics.median(ours / bare for bare, ours in pairs)
    bare, ours = (statistics.median(each) for each in zip(*pairs, strict=True))
    report(f"append in groups of {group}: {ours:,.0f} rows/s, bare {bare:,.0f}, share {share:.0%} (goal 60 %)")
    assert share >= SHARE_GOAL


def test_append_of_one_event(tmp_path: Path, report: Report) -> None:
    """Without the disk's share: NORMAL does not wait for it."""
    store = opened(url_of(tmp_path), synchronous="normal")
    source = made(3_000)
    times = []
    for each in source:
        began = time.perf_counter()
        store.append([each], EPOCH)
        times.append((time.perf_counter() - began) * 1_000)
    store.close()
    report(f"append of one event without waiting for the disk: median {statistics.median(times):.3f} ms (goal 0.3)")
    assert statistics.median(times) <= 0.3


def _rare(source: Iterator[object]) -> Iterator[object]:
    # Every 5,000th event is of a kind that no filter finds by chance.
    for each in source:
        seq = each.seq  # type: ignore[attr-defined]
        yield event(seq, key=f"needle-{seq}", status="rare", received_ns=each.received_ns) if seq % 5_000 == 0 else each  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def million(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """A log of 1,000,000 events: 99 segments and the most events that can be in none."""
    url = url_of(tmp_path_factory.mktemp("million"))
    store = opened(url, synchronous="normal")
    fill(store, itertools.islice(_rare(events(MILLION)), MILLION - 1), group=2_000)  # type: ignore[arg-type]
    yield store
    store.close()


def _median_ms(question: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        question()
        times.append((time.perf_counter() - began) * 1_000)
    return statistics.median(times)


FILTERS = {
    "nothing": EventFilter(),
    "type and pair": EventFilter(types=("order",), pairs=("B-BTC_USDT",)),
    "three lists": EventFilter(types=("order",), pairs=("B-BTC_USDT", "B-ETH_USDT"), statuses=("filled",)),
    "rare status": EventFilter(statuses=("rare",)),
    "no match": EventFilter(statuses=("none such",)),
    "price range": EventFilter(price_min=Decimal(100), price_max=Decimal(101)),
}
TEXTS = {"rare": "needle-5", "common": "limit buy", "none": "nothing has this"}


@pytest.mark.parametrize("name", FILTERS)
def test_newest_500_of_a_filter(million: EventStore, name: str, report: Report) -> None:
    """Events that are in no segment are looked at too, ten thousand at most."""
    found = _median_ms(lambda: million.select(FILTERS[name], limit=500))
    counted = _median_ms(lambda: million.count(FILTERS[name]))
    report(f"newest 500, {name}: {found:.1f} ms (goal {SELECT_MS:.0f}); all counted: {counted:.1f} ms")
    assert found <= SELECT_MS


@pytest.mark.parametrize("name", TEXTS)
def test_text_search(million: EventStore, name: str, report: Report) -> None:
    """Ids and messages of all events."""
    wanted = EventFilter(text=TEXTS[name])
    found = _median_ms(lambda: million.select(wanted, limit=500))
    counted = _median_ms(lambda: million.count(wanted))
    report(f"text search, {name}: {found:.0f} ms (goal {TEXT_MS:.0f}); all counted: {counted:.0f} ms")
    assert found <= TEXT_MS


@pytest.mark.parametrize("measure", MEASURES)
def test_figures(million: EventStore, measure: str, report: Report) -> None:
    """Per minute, over everything."""
    taken = _median_ms(lambda: million.figures(measure, bucket_s=60))
    report(f"figure {measure}: {taken:.1f} ms (goal {FIGURE_MS:.0f})")
    assert taken <= FIGURE_MS


@pytest.mark.parametrize("seq", [9_999, 505_000, 989_999, MILLION - 1])
def test_moments(million: EventStore, seq: int, report: Report) -> None:
    """The worst number is the last before a snapshot."""
    taken = _median_ms(lambda: million.state_at(seq))
    report(f"state at {seq:,}: {taken:.1f} ms, {len(million.state_at(seq)):,} events (goal {MOMENT_MS:.0f})")
    assert taken <= MOMENT_MS


def test_history_and_time(million: EventStore, report: Report) -> None:
    """One id's history, a time's number, a page of a cursor, and reading everything."""
    newest = million.select(EventFilter(types=("order",)), limit=1)[0]
    history = _median_ms(lambda: million.of_key(newest.type, newest.facts.key))
    at_time = _median_ms(lambda: million.seq_at(newest.received_ns))
    page = _median_ms(lambda: million.read(MILLION // 2, 500))
    began = time.perf_counter()
    read = sum(map(len, million.stream(EventFilter())))
    taken = time.perf_counter() - began
    report(f"history of an id {history:.0f} ms, number of a time {at_time:.1f} ms, page of 500 {page:.1f} ms")
    report(f"stream of {read:,} events: {read / taken:,.0f} events/s")
    assert read == MILLION - 1


def test_opening_after_a_crash_and_pruning(million: EventStore, report: Report, tmp_path: Path) -> None:
    """Runs last: open as after a kill, take an event, and forget half of it."""
    million._folding = None  # as if killed: the events of no segment are not summed up
    million.close()
    url = million.url_shown
    began = time.perf_counter()
    store = opened(url)
    store.append([event(MILLION)], EPOCH)
    taken = time.perf_counter() - began
    report(f"open after a crash and take an event: {taken:.2f} s (goal {OPEN_S:.0f})")
    began = time.perf_counter()
    forgotten = store.prune(older_than_ns=None, max_bytes=store.reader.used_bytes() * 9 // 10)
    report(f"prune {forgotten:,} events: {time.perf_counter() - began:.1f} s; {store.size_bytes() >> 20:,} MiB left")
    store.close()
    assert taken <= OPEN_S
