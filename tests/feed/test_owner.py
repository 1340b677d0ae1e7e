"""One owner per account, between real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coindcx_feed.errors import ConfigError, OwnerLocked
from coindcx_feed.feed.owner import OwnerLock

HOLD = """
import sys, time
from pathlib import Path
from coindcx_feed.feed.owner import OwnerLock
lock = OwnerLock(Path(sys.argv[1]), sys.argv[2])
lock.acquire("serve", "ws://127.0.0.1:8000/api/v1/ws/coindcx")
print("held", flush=True)
time.sleep(600)
"""
ACCOUNT = "canary-api-key"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path), ACCOUNT], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait(10)
    process.stdout.close()


def test_F23_second_process_is_refused_with_the_name_of_the_first(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    """One line: role, process, host, since when, where its events are, and what to do."""
    lock = OwnerLock(tmp_path, ACCOUNT)
    with pytest.raises(OwnerLocked) as caught:
        lock.acquire("dashboard", "ws://127.0.0.1:9/")
    message = str(caught.value)
    assert f"serve (process {other.pid} on " in message
    assert "its events are at ws://127.0.0.1:8000/api/v1/ws/coindcx" in message
    assert "follow it with COINDCX_FOLLOW=ws://127.0.0.1:8000 and another COINDCX_SIDECAR_PORT" in message
    assert message.endswith("or stop it first")
    assert "\n" not in message
    assert lock.owner() == message


def test_F23_killed_owner_frees_the_lock(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    """kill -9 leaves the note behind, but the system frees the lock."""
    lock = OwnerLock(tmp_path, ACCOUNT)
    assert lock.owner() is not None
    other.send_signal(signal.SIGKILL)
    other.wait(10)
    assert lock.owner() is None
    lock.acquire("serve", "ws://here/")
    assert f"process {os.getpid()} on" in (OwnerLock(tmp_path, ACCOUNT).owner() or "")
    lock.release()


def test_other_account_is_not_locked(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    """Two keys, two feeds, one folder."""
    lock = OwnerLock(tmp_path, "another account")
    assert lock.owner() is None
    lock.acquire("serve", "ws://here/")
    lock.release()


def test_lock_is_free_again_after_release_and_release_may_be_repeated(tmp_path: Path) -> None:
    """Within one process too: two locks do not share."""
    first, second = OwnerLock(tmp_path, ACCOUNT), OwnerLock(tmp_path, ACCOUNT)
    first.acquire("serve", "ws://here/")
    with pytest.raises(OwnerLocked):
        second.acquire("serve", "ws://here/")
    first.release()
    first.release()
    second.acquire("serve", "ws://here/")
    second.release()
    assert second.owner() is None


@pytest.mark.parametrize("note", ["", "{", "[]", '{"role": "serve"}', '"text"'])
def test_owner_with_an_unreadable_note_is_another_process(tmp_path: Path, note: str) -> None:
    """A half-written note does not break the message."""
    held, lock = OwnerLock(tmp_path, ACCOUNT), OwnerLock(tmp_path, ACCOUNT)
    held.acquire("serve", "ws://here/")
    try:
        (path,) = tmp_path.glob("owner-*.json")
        path.write_text(note, encoding="utf-8")
        assert lock.owner() == "this account's feed is owned by another process: use that one, or stop it first"
    finally:
        held.release()


def test_address_is_told_when_it_is_known(tmp_path: Path) -> None:
    """Before that the owner is named without one; a follower reads it from the note."""
    held, lock = OwnerLock(tmp_path, ACCOUNT), OwnerLock(tmp_path, ACCOUNT)
    held.tell("ws://early/")
    held.acquire("serve")
    try:
        assert (lock.owner() or "").endswith(": use that one, or stop it first")
        held.tell("ws://127.0.0.1:4711/api/v1/ws/coindcx")
        note = lock.note()
        assert note is not None
        assert (note.pid, note.sidecar) == (os.getpid(), "ws://127.0.0.1:4711/api/v1/ws/coindcx")
    finally:
        held.release()
    assert lock.note() is None


def test_T16_account_name_is_in_no_file_name_and_in_no_file(tmp_path: Path) -> None:
    """It holds the key: only a digest is written."""
    lock = OwnerLock(tmp_path, ACCOUNT)
    lock.acquire("serve", "ws://here/")
    try:
        for path in tmp_path.iterdir():
            assert ACCOUNT not in path.name
            assert ACCOUNT not in path.read_text(encoding="utf-8")
    finally:
        lock.release()


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_T17_lock_and_note_are_the_owners_only(tmp_path: Path) -> None:
    """Folder 0700, files 0600."""
    folder = tmp_path / "data"
    lock = OwnerLock(folder, ACCOUNT)
    lock.acquire("serve", "ws://here/")
    try:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    finally:
        lock.release()


def test_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    """The message names the folder and the setting."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"cannot be written .*: set COINDCX_DATA_DIR"):
        OwnerLock(tmp_path / "file" / "data", ACCOUNT).acquire("serve", "ws://here/")
