"""One process per account holds the exchange session: a lock in the data folder, and a note that says who."""

import contextlib
import hashlib
import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from coindcx_feed.errors import ConfigError, OwnerLocked


class OwnerNote(NamedTuple):
    """What an owner says of itself: a line, its process, and where its events are."""

    who: str
    pid: int
    sidecar: str | None


class OwnerLock:
    """Held from before the first connection to after the last. Freed by the system when the process dies.

    Args:
        data_dir: Folder of the lock.
        account: Name of the account: a mode, or anything that tells keys apart. Only a digest of it is written.
    """

    def __init__(self, data_dir: Path, account: str) -> None:
        name = hashlib.sha256(account.encode()).hexdigest()[:16]
        self._folder = data_dir
        self.path = data_dir / f"owner-{name}.lock"
        self._note = data_dir / f"owner-{name}.json"
        self._lock = FileLock(self.path, mode=0o600, thread_local=False)
        self._role: str | None = None

    def acquire(self, role: str, sidecar: str | None = None) -> None:
        """Take the lock.

        Args:
            role: What this process is, for the other one's message: ``dashboard`` or ``serve``.
            sidecar: Address where this process offers its events; told later where it is not known yet.
        Raises:
            OwnerLocked: If another process has it; the message names that process.
            ConfigError: If the folder cannot be written.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._write_note(role, sidecar)
        except Timeout:
            raise OwnerLocked(self._describe()) from None
        except OSError as error:
            self.release()
            raise ConfigError(
                f"the data folder {self._folder} cannot be written ({error.strerror}): set COINDCX_DATA_DIR"
            ) from None

    def tell(self, sidecar: str) -> None:
        """Note where this process offers its events; harmless when the lock is not held."""
        if self._lock.is_locked and self._role is not None:
            with contextlib.suppress(OSError):
                self._write_note(self._role, sidecar)

    def _write_note(self, role: str, sidecar: str | None) -> None:
        self._role = role
        note = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "role": role,
            "sidecar": sidecar,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        descriptor = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(note, file)

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._note.unlink()
            self._lock.release()

    def owner(self) -> str | None:
        """Say in one line who holds the lock, or ``None`` when nobody does."""
        if self._lock.is_locked:
            return self._describe()
        try:
            with self._lock.acquire(timeout=0):
                return None
        except Timeout:
            return self._describe()

    def note(self) -> OwnerNote | None:
        """Return what the owner says of itself, ``None`` when it says nothing that can be read."""
        try:
            note: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
            who = f"{note['role']} (process {note['pid']} on {note['host']}, since {note['since']})"
            sidecar = note["sidecar"]
            return OwnerNote(who, int(note["pid"]), str(sidecar) if sidecar else None)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _describe(self) -> str:
        note = self.note()
        owned = f"this account's feed is owned by {note.who if note else 'another process'}"
        if note is None or note.sidecar is None:
            return f"{owned}: use that one, or stop it first"
        address = note.sidecar.partition("/api/")[0]
        how = f"COINDCX_FOLLOW={address} and another COINDCX_SIDECAR_PORT"
        return f"{owned}; its events are at {note.sidecar}: follow it with {how}, or stop it first"
