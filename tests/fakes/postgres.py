"""A real PostgreSQL as a child process on a free port, for the tests that need one."""

import contextlib
import gc
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from fakes.waiting import eventually_sync

USER: Final = "feed"
_PLACES: Final = "/usr/lib/postgresql/*/bin"
_SYSTEM_USER: Final = "postgres"
_SETTINGS: Final = (
    "listen_addresses=127.0.0.1",
    "max_connections=40",
    "shared_buffers=64MB",
    "max_wal_size=256MB",
    "log_min_messages=warning",
    "fsync=off",
)
"""Tests kill servers, never the machine: what a server handed to the system is there, flushed to the disk or not."""


class Postgres:
    """One server with its own data folder.

    Attributes:
        folder: Holds its data; its own user may read what is in it.
        port: Where it listens on 127.0.0.1; the same after a restart.
    """

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self._programs = folder, programs
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._databases = 0
        self._frozen: list[int] = []

    def initialise(self) -> None:
        """Make the data folder; as root, for the system's own user: the server refuses to run as root."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, _SYSTEM_USER)
        arguments = ["-D", str(self.folder / "data"), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        subprocess.run(
            [self._program("initdb"), *arguments], check=True, capture_output=True, timeout=60, **_as_owner()
        )

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        where = ["-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._program("postgres"), *where, *settings],
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_as_owner(),
            )
        eventually_sync(self._is_ready)

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop it: SIGQUIT is an immediate stop, as a crash; SIGINT ends sessions cleanly."""
        if self._process is None:
            return
        self.thaw()
        # An attempt to connect that was given up lives in its exception; the server would wait for it for a minute.
        gc.collect()
        self._signal(how)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            for pid in _children(self._process.pid):
                os.kill(pid, signal.SIGKILL)
            self._process.wait(timeout=30)
        self._process = None

    def freeze(self) -> None:
        """Stop all its processes where they stand: sessions stay open and nobody answers."""
        server = self._server_pid()
        os.kill(server, signal.SIGSTOP)  # first, or it would start others
        self._frozen = [server, *_children(server)]
        for pid in self._frozen[1:]:
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        for pid in reversed(self._frozen):
            os.kill(pid, signal.SIGCONT)
        self._frozen = []

    def url(self, database: str | None = None, disk: Path | None = None) -> str:
        """Return the address of a database; without a name, of a new one, which may be on a disk of its own."""
        if database is None:
            self._databases += 1
            database = f"log_{self._databases}"
            where = "" if disk is None else f" TABLESPACE {self._tablespace(database, disk)}"
            self.run(f"CREATE DATABASE {database}{where}", "postgres")
        return f"postgresql://{USER}:unused-secret@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str) -> str:
        """Run a statement in a session of its own and return its rows, tab-separated."""
        command = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-d", database, "-XAtqc", statement]
        command[0] = self._program("psql")
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text(errors="replace")[-2_000:]
        command = [self._program("pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        return subprocess.run(command, check=False).returncode == 0

    def _tablespace(self, database: str, disk: Path) -> str:
        place = disk / "tables"
        place.mkdir()
        if os.geteuid() == 0:
            shutil.chown(place, _SYSTEM_USER)
        self.run(f"CREATE TABLESPACE on_{database} LOCATION '{place}'", "postgres")
        return f"on_{database}"

    def _server_pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().split()[0])

    def _signal(self, how: signal.Signals) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.kill(self._server_pid(), how)

    def _program(self, name: str) -> str:
        return str(self._programs / name)


def _as_owner() -> dict[str, Any]:
    """As root, change the user in the child itself: a program between, like runuser, has its own mind about signals."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(_SYSTEM_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": [], "cwd": "/"}


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # After the name, which may hold anything: state, parent.
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.name))
    return found


def programs() -> Path | None:
    """Return the folder of the newest installed server, or ``None``."""
    found = [path.parent for path in Path("/").glob(f"{_PLACES[1:]}/initdb")]
    return max(found, key=lambda path: float(path.parent.name)) if found else None


@contextlib.contextmanager
def running() -> Iterator[Postgres]:
    """Start a server; without one installed the test is skipped, or fails where services are required."""
    found = programs()
    if found is None:
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("expected an installed PostgreSQL, was none: apt-get install postgresql")
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    server = Postgres(folder, found)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
