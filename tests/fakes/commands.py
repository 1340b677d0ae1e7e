"""Commands of the console script, in processes of their own or, where they end at once, in this one."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coindcx_feed import cli
from fakes.runtimes import free_port

SCRIPT = [sys.executable, "-m", "coindcx_feed.cli"]
START_S = 60.0
"""Of an interpreter with everything it loads, on a machine that has other work."""
Done = subprocess.CompletedProcess[str]
Here = Callable[..., Done]


def environment(folder: Path, **settings: object) -> dict[str, str]:
    """Build the environment of a child: settings of this test only, its own data folder and free ports."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("COINDCX_")}
    given = {"DATA_DIR": folder / "data", "SIDECAR_PORT": free_port(), "SIMULATOR_PORT": free_port(), **settings}
    return own | {f"COINDCX_{name}": str(value) for name, value in given.items()}


def run(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Done:
    """Run a command to its end."""
    return subprocess.run(
        [*SCRIPT, *arguments],
        cwd=folder,
        env=env or environment(folder),
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


def fetched(port: str, path: str) -> str:
    """Return what a child answers on a port of this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Run a command in this process: what ends at once needs no interpreter of its own, which costs a second."""

    def call(folder: Path, env: dict[str, str], *arguments: str) -> Done:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["coindcx-feed", *arguments])
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), *capsys.readouterr())

    return call


class Child:
    """A command that goes on: its output goes to files, so that no pipe can fill up."""

    def __init__(self, folder: Path, env: dict[str, str], *arguments: str) -> None:
        name = f"{arguments[0]}-{time.monotonic_ns()}"
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [*SCRIPT, *arguments], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=out, stderr=err
            )

    def lines(self) -> list[str]:
        """Return the whole lines so far; the last one may be on its way."""
        return self.out.read_text(encoding="utf-8").split("\n")[:-1]

    def said(self, text: str) -> bool:
        """Say whether a text stands on standard error; a process that ended without it is a failure."""
        has_ended = self.process.poll() is not None
        told = self.err.read_text(encoding="utf-8")
        assert text in told or not has_ended, told
        return text in told

    def type(self, line: str) -> None:
        """Enter a line on standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal and return the exit code and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(20), time.monotonic() - started

    def kill(self) -> None:
        """Leave nothing of it."""
        self.process.kill()
        self.process.wait(10)
        if self.process.stdin is not None:
            self.process.stdin.close()


@pytest.fixture
def children() -> Iterator[list[Child]]:
    """Whatever is put in here does not outlive the test."""
    started: list[Child] = []
    yield started
    for child in started:
        child.kill()
