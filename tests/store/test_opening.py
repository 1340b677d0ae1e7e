"""Opening a log: what is not ours, not this account's or not of this version is refused in one line and left alone."""

import os
import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from fakes.postgres import Postgres
from fakes.waiting import eventually_sync
from store.made import ACCOUNT, EPOCH, fill, made, opened, url_of

from coindcx_feed.analysis.filters import EventFilter
from coindcx_feed.errors import ConfigError, StoreError
from coindcx_feed.store.tables import SCHEMA_VERSIONS

FIXTURES = Path(__file__).parent / "fixtures"


def refusal(url: str, **how: object) -> str:
    """Open a log that must be refused and return the line that says why."""
    with pytest.raises(ConfigError) as caught:
        opened(url, **how)
    (line,) = str(caught.value).splitlines()
    assert "expected" in line
    assert "was" in line
    return line


@pytest.mark.parametrize(
    "url", ["mysql://root:hunter2@db/x", "nonsense", "redis://:hunter2@h", "sqlite://", "sqlite:///:memory:", ""]
)
def test_an_unknown_address_is_refused(url: str) -> None:
    """The line names what would do and no password."""
    assert "hunter2" not in refusal(url)


def test_an_unreachable_server_is_refused_without_its_password(postgres: Postgres) -> None:
    """Nobody listens there."""
    line = refusal("postgresql://feed:hunter2@127.0.0.1:1/nothing?password=hunter3")
    assert "hunter" not in line
    assert "127.0.0.1" in line
    assert "hunter" not in refusal(f"postgresql://feed:hunter2@127.0.0.1:{postgres.port}/no_such_database")


def test_a_log_belongs_to_one_mode(url: str) -> None:
    """A live log is never continued, or emptied, by a demo."""
    store = opened(url)
    fill(store, made(3))
    store.close()
    assert "mode" in refusal(url, mode="demo")
    assert "mode" in refusal(url, mode="demo", fresh=True)
    again = opened(url)
    assert again.last_seq == 3
    again.close()


def test_a_log_belongs_to_one_account(url: str) -> None:
    """Another key is refused, and neither key is shown or stored."""
    store = opened(url)
    store.close()
    line = refusal(url, account="another-key")
    assert "account" in line
    assert ACCOUNT not in line
    assert "another-key" not in line


def test_a_fresh_log_is_empty(url: str) -> None:
    """The demo begins anew at each start; numbers too."""
    store = opened(url, mode="demo")
    fill(store, made(11_000), group=1_000)
    store.append_marks([(1, "A", "1")])
    store.close()
    again = opened(url, mode="demo", fresh=True)
    assert (again.last_seq, again.oldest_seq, again.note) == (0, 0, None)
    assert again.marks("A", 0, 9) == []
    assert again.figures("events") == []
    again.append(made(5), EPOCH)
    assert again.read(0, 10) == made(5)
    again.close()


def test_F23_a_second_writer_is_refused(url: str) -> None:
    """Two processes would give the same numbers twice; reading beside a writer is fine."""
    store = opened(url)
    fill(store, made(5))
    assert "only writer" in refusal(url)
    reader = opened(url, read_only=True)
    store.append(made(5, first=6), EPOCH)
    assert len(reader.read(0, 100)) == 10
    assert reader.count(EventFilter()) == 10
    with pytest.raises(StoreError):
        reader.append(made(1, first=11), EPOCH)
    reader.close()
    store.close()
    opened(url).close()


def test_a_log_that_is_only_read_must_be_there(url: str, tmp_path: Path) -> None:
    """Reading never makes anything."""
    assert "was nothing" in refusal(url, read_only=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"some notes of mine\n" * 50, b"SQLite format 3\0", b"{}"])
def test_a_foreign_file_is_refused_and_untouched(tmp_path: Path, content: bytes) -> None:
    """Whatever stands at the path and is not ours stays as it is, byte for byte."""
    path = tmp_path / "events.sqlite"
    path.write_bytes(content)
    assert "another" in refusal(url_of(tmp_path))
    assert "another" in refusal(url_of(tmp_path), mode="demo", fresh=True)
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_refused(tmp_path: Path, postgres: Postgres) -> None:
    """Also when it is a database of the same kind with a table of the same name."""
    with closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
        connection.execute("CREATE TABLE events (mine TEXT)")
    before = (tmp_path / "events.sqlite").read_bytes()
    assert "another" in refusal(url_of(tmp_path))
    assert (tmp_path / "events.sqlite").read_bytes() == before
    url = postgres.url()
    postgres.run("CREATE TABLE events (mine TEXT)", url.rpartition("/")[2])
    assert "foreign table events" in refusal(url)


def test_F31_a_newer_schema_is_refused(url: str, postgres: Postgres) -> None:
    """An older program leaves the log of a newer one as it is."""
    store = opened(url)
    fill(store, made(3))
    with store._writer.transaction("age") as connection:
        connection.exec_driver_sql("UPDATE store_version SET version_num = '9999'")
    store.close()
    assert "update this program" in refusal(url)
    assert "update this program" in refusal(url, read_only=True)


@pytest.mark.parametrize("version", SCHEMA_VERSIONS)
def test_F31_every_older_schema_is_migrated(tmp_path: Path, version: str) -> None:
    """A stored file of each version opens, has its events, and takes more."""
    source = FIXTURES / f"schema-{version}.sqlite"
    shutil.copy(source, tmp_path / "events.sqlite")
    store = opened(url_of(tmp_path))
    assert store.note is None
    assert [event.seq for event in store.read(0, 100)] == list(range(1, 41))
    assert store.last_epoch == EPOCH
    assert store.count(EventFilter(types=("order",))) == 20
    assert store.marks("B-ETH_USDT", 0, 10) == [(1, "2900.5")]
    assert store.lacking_until_ns() is None
    store.append(made(5, first=41), EPOCH)
    assert store.last_seq == 45
    store.close()


@pytest.mark.parametrize("version", SCHEMA_VERSIONS)
def test_F31_a_fresh_log_in_an_older_file_is_migrated(tmp_path: Path, version: str) -> None:
    """The demo empties the file that an older version left: segments and sums are kept in it as in a new one."""
    shutil.copy(FIXTURES / f"schema-{version}.sqlite", tmp_path / "events.sqlite")
    store = opened(url_of(tmp_path), fresh=True)
    fill(store, made(11_000), group=1_000)
    eventually_sync(lambda: store.figures("events"))
    assert store.lacking_until_ns() is None
    store.close()
    with closing(sqlite3.connect(tmp_path / "events.sqlite")) as connection:
        assert connection.execute("SELECT version_num FROM store_version").fetchone() == (SCHEMA_VERSIONS[-1],)
        assert connection.execute("SELECT count(*) FROM segments").fetchone() > (0,)


def test_T17_only_the_owner_may_read_a_log(tmp_path: Path) -> None:
    """The file and its companions are 0600 in a folder that is 0700, whatever the mask; no key is in them."""
    folder = tmp_path / "made" / "here"
    before = os.umask(0)
    try:
        store = opened(url_of(folder))
        fill(store, made(200))
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = sorted(folder.iterdir())
    assert {path.suffix for path in files} >= {".sqlite", ".sqlite-wal", ".sqlite-shm"}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert ACCOUNT.encode() not in path.read_bytes()
    store.close()


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null"])
def test_a_place_that_cannot_be_written_is_refused(place: str) -> None:
    """One line, no traceback."""
    refusal(url_of(Path(place)))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_read_only_disk_is_refused(tmp_path: Path) -> None:
    """The log is there but cannot be written."""
    opened(url_of(tmp_path)).close()
    mount = ["mount", "--bind", "-o", "ro", str(tmp_path), str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow mounting")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(tmp_path)], check=False, capture_output=True)
        refusal(url_of(tmp_path))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_read_only_server_is_refused(postgres: Postgres) -> None:
    """A standby or a role that may not write."""
    url = postgres.url()
    postgres.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET default_transaction_read_only = on", "postgres")
    postgres.run("CREATE ROLE looker LOGIN", "postgres")
    refusal(url.replace("feed:", "looker:"))


@pytest.mark.parametrize("keep", [150, 5_000, 40_000])
def test_F21_a_cut_file_is_kept_and_another_begun(tmp_path: Path, keep: int) -> None:
    """What is left of it may still be read by somebody; the note says where it is."""
    store = opened(url_of(tmp_path))
    fill(store, made(300))
    store.close()
    path = tmp_path / "events.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    again = opened(url_of(tmp_path))
    (kept,) = [each for each in tmp_path.iterdir() if ".corrupt-" in each.name]
    assert kept.read_bytes()[:keep][:90] == whole[:keep][:90]
    assert again.note is not None
    assert kept.name in again.note
    assert again.last_seq == 0
    fill(again, made(10))
    again.close()
    third = opened(url_of(tmp_path))
    assert (third.note, third.last_seq) == (None, 10)
    third.close()


def test_F21_damage_inside_is_found_after_the_first_error(tmp_path: Path) -> None:
    """A page that turns out damaged asks the next start for a full check; then the file is set aside."""
    store = opened(url_of(tmp_path))
    fill(store, made(3_000), group=500)
    store.close()
    path = tmp_path / "events.sqlite"
    with path.open("r+b") as file:
        for page in range(8, path.stat().st_size // 4096, 7):
            file.seek(page * 4096)
            file.write(os.urandom(64))
    found = opened(url_of(tmp_path))
    if found.note is None:
        with pytest.raises(StoreError):
            found.read(0, 10_000)
        found.close()
        found = opened(url_of(tmp_path))
    assert found.note is not None
    assert "damaged" in found.note
    assert found.last_seq == 0
    found.close()
