"""``serve`` with a store that it must not take: one clear line, exit code 2, and what is there stays as it is."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import postgres
from fakes.rest_api import KEY, SECRET
from store.made import fill, made, opened

from coindcx_feed import cli
from coindcx_feed.store.log import EventStore

CLOSED = "127.0.0.1:1"
MODE = "custom"
Make = Callable[[Path], None]


def _log(path: Path, **how: str) -> EventStore:
    store = opened(f"sqlite:///{path}", **{"mode": MODE, "account": KEY} | how)
    fill(store, made(3))
    return store


def _of_another_mode(path: Path) -> None:
    _log(path, mode="live").close()


def _of_another_account(path: Path) -> None:
    _log(path, account="another-key").close()


def _of_a_newer_schema(path: Path) -> None:
    store = _log(path)
    with store._writer.transaction("age") as connection:
        connection.exec_driver_sql("UPDATE store_version SET version_num = '9999'")
    store.close()


def _foreign(path: Path) -> None:
    path.write_bytes(b"some notes of mine\n" * 50)


def _cut_at_the_head(path: Path) -> None:
    _log(path).close()
    path.write_bytes(path.read_bytes()[:60])


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Run the command with an address of a log in this process and return the one line that it says."""

    def call(url: str) -> str:
        given = {
            "MODE": "live", "API_KEY": KEY, "API_SECRET": SECRET, "STREAM_URL": f"ws://{CLOSED}",
            "API_URL": f"http://{CLOSED}", "PUBLIC_URL": f"http://{CLOSED}", "SIDECAR_PORT": "0",
            "DATA_DIR": str(tmp_path / "data"), "STORE_URL": url,
        }  # fmt: skip
        for name, value in given.items():
            monkeypatch.setenv(f"COINDCX_{name}", value)
        monkeypatch.setattr(sys, "argv", ["coindcx-feed", "serve"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        assert (ended.value.code, out) == (2, "")
        assert "Traceback" not in err
        (line,) = [each for each in err.splitlines() if each.startswith("coindcx-feed: ")]
        assert "expected" in line
        assert "hunter" not in err
        return line

    return call


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_of_another_mode, "was a log of mode live"),
        (_of_another_account, "was another account's log"),
        (_of_a_newer_schema, "was 9999"),
        (_foreign, "was another file"),
        (_cut_at_the_head, "was another file"),
        (_folder, "was the folder"),
    ],
)
def test_file_that_is_not_its_log_is_one_line(
    serve: Callable[[str], str], tmp_path: Path, make: Make, said: str
) -> None:
    """Nothing is written to it, and nothing is set aside."""
    place = tmp_path / "there"
    place.mkdir()
    make(place / "events.sqlite")
    before = _digests(place)
    assert said in serve(f"sqlite:///{place / 'events.sqlite'}")
    assert {name: digest for name, digest in _digests(place).items() if not name.endswith(".lock")} == {
        name: digest for name, digest in before.items() if not name.endswith(".lock")
    }


def test_file_that_another_process_writes_is_one_line(serve: Callable[[str], str], tmp_path: Path) -> None:
    """Its numbers would be given twice."""
    store = _log(tmp_path / "events.sqlite")
    assert "only writer" in serve(f"sqlite:///{tmp_path / 'events.sqlite'}")
    assert store.last_seq == 3
    store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:hunter2@db/x", "COINDCX_STORE_URL: expected none, sqlite:///PATH or postgresql://"),
        ("nonsense", "COINDCX_STORE_URL: expected none, sqlite:///PATH or postgresql://"),
        ("sqlite:////proc/nowhere/events.sqlite", "store: expected to write"),
        (f"postgresql://me:hunter2@{CLOSED}/x", "store: expected to open postgresql://me:***@127.0.0.1"),
    ],
)
def test_place_that_cannot_be_used_is_one_line(serve: Callable[[str], str], url: str, said: str) -> None:
    """Unknown, unreachable or not writable; no password."""
    assert said in serve(url)


def test_database_that_only_lets_read_is_one_line(serve: Callable[[str], str]) -> None:
    """A role without rights in it: nothing is made there."""
    with postgres.running() as server:
        url = server.url()
        server.run("CREATE ROLE looker LOGIN", "postgres")
        line = serve(url.replace("feed:", "looker:"))
        assert "check that it is there and that this user may write to it" in line
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert server.run(tables, url.rpartition("/")[2]) == "0"
