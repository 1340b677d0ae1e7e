"""``coindcx-feed replay`` in child processes: the same account each time, bad input, steps, an exchange for bots."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import postgres
from fakes.runtimes import free_port, is_free
from fakes.stored import stored_account
from fakes.waiting import eventually, eventually_sync
from simulator.helpers import Recorder

from coindcx_feed import cli
from coindcx_feed.feed.stage import state_digest
from coindcx_feed.store.log import EventStore

SCRIPT = [sys.executable, "-m", "coindcx_feed.cli", "replay"]
Here = Callable[..., "subprocess.CompletedProcess[str]"]
STORE, PIPELINE = stored_account()


def keep_scenarios(url: str) -> None:
    """Write a demo's log that holds the scenarios."""
    log = EventStore.open(url, mode="demo", account="demo")
    log.begin_epoch("epoch-1", 1)
    log.append(STORE.events, "epoch-1")
    log.close()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A demo's environment whose log holds the scenarios."""
    keep_scenarios(f"sqlite:///{tmp_path / 'events.sqlite'}")
    own = {name: value for name, value in os.environ.items() if not name.startswith("COINDCX_")}
    given = {
        "DATA_DIR": tmp_path / "data",
        "STORE_URL": f"sqlite:///{tmp_path / 'events.sqlite'}",
        "SIDECAR_PORT": free_port(),
        "SIMULATOR_PORT": free_port(),
    }
    return own | {f"COINDCX_{name}": str(value) for name, value in given.items()}


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], env: dict[str, str]) -> Here:
    """Run the command in this process: what ends at once needs no interpreter of its own."""

    def call(*arguments: str) -> "subprocess.CompletedProcess[str]":
        monkeypatch.setattr(sys, "argv", ["coindcx-feed", "replay", *arguments])
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), *capsys.readouterr())

    return call


def run(env: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*SCRIPT, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def child(env: dict[str, str], tmp_path: Path) -> Iterator["Child"]:
    made = Child(env, tmp_path)
    yield made
    made.end()


class Child:
    """A replay that goes on until it is ended."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        self.env, self._err = env, folder / "stderr"
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        with self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*SCRIPT, *arguments], env=self.env, stdin=subprocess.PIPE, stderr=err, text=True
            )
        return self.process

    def said(self, text: str) -> bool:
        assert self.process is not None
        found = self._err.read_text(encoding="utf-8")
        assert text in found or self.process.poll() is None, found
        return text in found

    def end(self) -> int | None:
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        if self.process.stdin is not None:
            self.process.stdin.close()
        return code


def test_F30_same_window_gives_the_same_account_each_time(env: dict[str, str]) -> None:
    """The last line says so: events and digest, which is the live account's."""
    for _ in range(2):
        done = run(env, "--speed", "max", "--once")
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        expected = f"replay ended: {len(STORE.events)} events, state {state_digest(PIPELINE.state)}"
        assert done.stderr.splitlines()[-1] == expected
    assert is_free(int(env["COINDCX_SIDECAR_PORT"]))


def test_F30_log_in_postgresql_gives_the_same_account(env: dict[str, str]) -> None:
    """Named by the setting or by the option; the log is as long afterwards, and its password is not shown."""
    with postgres.running() as server:
        url = server.url()
        keep_scenarios(url)
        for more, arguments in (({"COINDCX_STORE_URL": url}, []), ({}, ["--store", url])):
            done = run(env | more, "--speed", "max", "--once", *arguments)
            assert done.returncode == 0, done.stderr
            expected = f"replay ended: {len(STORE.events)} events, state {state_digest(PIPELINE.state)}"
            assert done.stderr.splitlines()[-1] == expected
            assert "unused-secret" not in done.stderr
        assert server.run("SELECT count(*) FROM events", url.rpartition("/")[2]) == str(len(STORE.events))


def test_F30_pace_and_its_error_are_told(env: dict[str, str]) -> None:
    """A minute at 60-fold is a second."""
    done = run(env, "--speed", "60", "--once")
    found = re.search(r"at most (\d+) ms late, pace error (\d+\.\d\d) %", done.stderr)
    assert found is not None, done.stderr
    assert int(found[1]) < 500
    assert float(found[2]) < 25


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--from", "2026-11-23", "--to", "2026-11-22"], "--to: expected a time after --from 2026-11-23"),
        (["--from", "soon"], "--from: expected a time such as 2026-11-22"),
        (["--speed", "fast"], "--speed: expected a factor such as 1 or 10"),
        (["--from", "2200-01-01"], "expected a window with events, which are from 20"),
        (["--store", "mysql://user:canary@host/x"], "expected sqlite:///PATH or postgresql://"),
        (["--store", "sqlite:////etc/passwd"], "was another program's file"),
        (["--store", "sqlite:////nowhere/none.sqlite"], "expected a log, was nothing"),
        (["--store", "none"], "expected a durable log"),
        (["--speed"], "--speed"),
    ],
)
def test_bad_input_is_one_line(here: Here, arguments: list[str], expected: str) -> None:
    """What was expected, what came, what to do; no password."""
    done = here(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("coindcx-feed: ")
    assert expected in line
    assert "canary" not in line


def test_T22_log_that_is_cut_or_no_log_is_one_line(here: Here, tmp_path: Path) -> None:
    """Half a database, and a pickle: nothing is played and nothing is changed."""
    path = tmp_path / "events.sqlite"
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"\x80\x04\x95" + bytes(100), b"SQLite format 3\x00"):
        path.write_bytes(content)
        done = here("--speed", "max", "--once")
        assert done.returncode in (1, 2), done.stderr
        assert done.stderr.splitlines()[-1].startswith("coindcx-feed: ")
        assert "Traceback" not in done.stderr
        assert path.read_bytes() == content


def test_step_shows_the_next_event_at_enter(child: Child) -> None:
    """A number shows so many; then a signal ends it."""
    process = child.start("--speed", "step", "--once")
    assert process.stdin is not None
    eventually_sync(lambda: child.said("mode replay"), 30)
    for line in ("\n", "3\n", f"{len(STORE.events)}\n"):
        process.stdin.write(line)
        process.stdin.flush()
    eventually_sync(lambda: child.said(f"replay ended: {len(STORE.events)} events"))
    assert process.wait(10) == 0


async def test_bot_of_the_exchange_gets_what_was_received_then(child: Child) -> None:
    """A python-socketio client joins as on the exchange; the replay waits for it."""
    child.start("--speed", "max", "--as-exchange")
    await eventually(lambda: child.said("the replay begins with the first private join"), 30)
    sent = [event for event in STORE.events if event.type != "system"]
    async with Recorder() as bot:
        url = f"http://127.0.0.1:{child.env['COINDCX_SIMULATOR_PORT']}"
        await bot.client.connect(url, transports=["websocket"])
        await bot.client.emit("join", {"channelName": "coindcx", "authSignature": "any", "apiKey": "any"})
        await eventually(lambda: len(bot.frames) == len(sent))
    records = [json.loads(frame["data"])[0] for _, frame in bot.frames]
    assert records == [json.loads(event.record) for event in sent]
    assert await asyncio.to_thread(child.end) == 0


def test_help_says_what_an_exchange_of_stored_records_lacks(here: Here) -> None:
    """Only account rows are in the log."""
    text = " ".join(here("--help").stdout.split())
    assert "df-order-update, df-position-update and balance-update rows only" in text
    assert "no market channels and no REST" in text
