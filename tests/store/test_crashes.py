"""A process that is killed, a server that goes away, a disk that is full: nothing acknowledged is lost or doubled."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes.postgres import Postgres
from fakes.waiting import eventually_sync
from store.made import EPOCH, event, fill, made, opened, url_of

from coindcx_feed.errors import StoreBusy, StoreError, StoreFull, StoreGone
from coindcx_feed.events import EventType
from coindcx_feed.store import EventStore

TESTS = Path(__file__).parents[1]
ROUNDS, LONG_ROUNDS = 10, 200
MOST_S = 0.4


class Nursery:
    """Starts writers in a moment: a process that has everything loaded forks one for each line that it is told."""

    def __init__(self) -> None:
        command = [sys.executable, str(TESTS / "store" / "child_writer.py")]
        environment = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def killed(self, url: str, chance: random.Random) -> int:
        """Let a writer append until a random instant, kill it, and return the last number it acknowledged."""
        told, said = self._process.stdin, self._process.stdout
        assert told is not None
        assert said is not None
        told.write(f"{chance.choice((1, 7, 100))} {url}\n")
        told.flush()
        assert said.readline() == "ready\n"
        pid = int(said.readline())
        killer = threading.Timer(chance.random() * MOST_S, os.kill, (pid, signal.SIGKILL))
        killer.start()
        newest = 0
        while not (line := said.readline()).startswith("ended"):
            newest = int(line)
        killer.join()
        assert line == f"ended {-signal.SIGKILL}\n"
        return newest

    def close(self) -> None:
        """No more writers."""
        self._process.communicate(timeout=30)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """A source of processes to kill."""
    made_nursery = Nursery()
    yield made_nursery
    made_nursery.close()


@pytest.mark.timeout(1_800)
def test_F17_nothing_acknowledged_is_lost_when_the_process_is_killed(
    url: str, nursery: Nursery, is_long: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """After each kill the log has every acknowledged number, dense, and goes on with the next one."""
    seed = random.SystemRandom().getrandbits(32)
    chance = random.Random(seed)
    acknowledged, slowest_s = 0, 0.0
    rounds = LONG_ROUNDS if is_long else ROUNDS
    for _ in range(rounds):
        acknowledged = max(acknowledged, nursery.killed(url, chance))
        began = time.monotonic()
        store = opened(url)
        slowest_s = max(slowest_s, time.monotonic() - began)
        assert store.last_seq >= acknowledged, f"seed {seed}"
        assert store.note is None
        store.close()
    store = opened(url, read_only=True)
    for start in range(0, store.last_seq, 20_000):
        numbers = [seq for seq, *_ in store.bodies(start, 20_000)]
        assert numbers == list(range(start + 1, start + 1 + len(numbers))), f"seed {seed}"
    with capsys.disabled():
        figures = f"{acknowledged:,} acknowledged, 0 lost, open {slowest_s:.2f} s, seed {seed}"
        print(f"\n{rounds} times kill -9, {store.engine_name}: {figures}")
    store.close()


@pytest.mark.timed
def test_F21_a_locked_file_is_busy_and_nothing_is_half_written(tmp_path: Path) -> None:
    """Another program holds the file: the append gives up in time, and succeeds once it is free."""
    store = opened(url_of(tmp_path))
    source = made(30)
    store.append(source[:10], EPOCH)
    with closing(sqlite3.connect(tmp_path / "events.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(StoreBusy, match="locked"):
            store.append(source[10:20], EPOCH)
        assert time.monotonic() - began < 5
        assert len(store.read(0, 100)) == 10
        other.execute("ROLLBACK")
    store.append(source[10:], EPOCH)
    assert store.read(0, 100) == source
    store.close()


def test_F21_a_removed_file_is_noticed(tmp_path: Path) -> None:
    """Appends to a file that nobody can open again would only look durable."""
    store = opened(url_of(tmp_path))
    store.append(made(10), EPOCH)
    (tmp_path / "events.sqlite").rename(tmp_path / "elsewhere")
    with pytest.raises(StoreGone, match="removed or replaced"):
        store.append(made(10, first=11), EPOCH)
    (tmp_path / "elsewhere").rename(tmp_path / "events.sqlite")
    store.append(made(10, first=11), EPOCH)
    assert store.read(0, 100) == made(20)
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("this machine does not allow mounting")
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_F20_a_full_disk_refuses_and_takes_on_once_there_is_room(small_disk: Path) -> None:
    """Every group is whole or not there; what was refused can be appended again."""
    try:
        (small_disk / "filler").write_bytes(b"x" * 700_000)
        store = opened(url_of(small_disk))
        source = made(1_200)
        with pytest.raises(StoreFull, match="full"):
            fill(store, source, group=10)
        stored = store.last_seq
        assert 0 < stored < 1_200
        assert store.read(0, 10_000) == source[:stored]
        (small_disk / "filler").unlink()
        fill(store, source[stored : stored + 200], group=10)
        assert store.read(0, 10_000) == source[: stored + 200]
        store.close()
    finally:
        subprocess.run(["umount", "-l", str(small_disk)], check=True)


def _until_it_takes(store: EventStore, seqs: range) -> None:
    def takes() -> bool:
        try:
            store.append([event(seq) for seq in seqs], EPOCH)
        except StoreError:
            return False
        return True

    eventually_sync(takes, 30)


def test_F22_a_server_that_crashes_loses_nothing(own_server: Postgres) -> None:
    """An immediate stop and a restart: the same group again, no row lost or doubled."""
    store = opened(own_server.url())
    for number in range(3):
        first = store.last_seq + 1
        store.append([event(seq) for seq in range(first, first + 50)], EPOCH)
        own_server.stop(signal.SIGQUIT if number else signal.SIGINT)
        with pytest.raises(StoreError):
            store.append([event(seq) for seq in range(first + 50, first + 60)], EPOCH)
        with pytest.raises(StoreError):
            store.read(0, 10)
        own_server.start()
        _until_it_takes(store, range(first + 50, first + 60))
    assert [each.seq for each in store.read(0, 1_000)] == list(range(1, 181))
    store.close()


def test_F22_a_killed_session_is_replaced(postgres: Postgres) -> None:
    """The next append has a new session, and the lock of the only writer again."""
    store = opened(postgres.url())
    name = store.url_shown.rpartition("/")[2]
    store.append([event(1)], EPOCH)
    postgres.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'", "postgres")
    _until_it_takes(store, range(2, 4))
    assert [each.seq for each in store.read(0, 10)] == [1, 2, 3]
    locks = postgres.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", name)
    assert int(locks) >= 1
    store.close()


def test_F22_a_lock_held_by_another_session_is_busy(postgres: Postgres) -> None:
    """The append gives up in time and succeeds afterwards."""
    url = postgres.url()
    store = opened(url)
    store.append([event(1)], EPOCH)
    name = url.rpartition("/")[2]
    statement = "BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(4); COMMIT"
    holder = threading.Thread(target=postgres.run, args=(statement, name))
    holder.start()
    held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
    eventually_sync(lambda: int(postgres.run(held, name)) > 0)
    with pytest.raises(StoreBusy):
        store.append([event(2)], EPOCH)
    holder.join(30)
    _until_it_takes(store, range(2, 3))
    assert [each.seq for each in store.read(0, 10)] == [1, 2]
    store.close()


def test_a_failed_append_leaves_segments_right(tmp_path: Path) -> None:
    """After an error the sums go on where the log really is."""
    store = opened(url_of(tmp_path))
    source = made(21_000)
    fill(store, source[:9_900], group=900)
    with closing(sqlite3.connect(tmp_path / "events.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            store.append(source[9_900:10_300], EPOCH)
        other.execute("ROLLBACK")
    fill(store, source[9_900:], group=700)
    kinds = {each.label: each.number for each in store.figures("events", bucket_s=None) if each.label}
    assert sum(each.number for each in store.figures("events")) == 21_000, kinds
    assert EventType.ORDER in kinds
    store.close()
