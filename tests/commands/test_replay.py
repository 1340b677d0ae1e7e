"""``coindcx-feed replay`` in child processes: the same account each time, bad input, steps, an exchange for bots."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from fakes import postgres
from fakes.commands import Child, Here, environment, run
from fakes.runtimes import is_free
from fakes.stored import stored_account
from fakes.waiting import eventually, eventually_sync
from simulator.helpers import Recorder

from coindcx_feed.feed.stage import state_digest
from coindcx_feed.store.log import EventStore

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
    return environment(tmp_path, STORE_URL=f"sqlite:///{tmp_path / 'events.sqlite'}")


def test_F30_same_window_gives_the_same_account_each_time(tmp_path: Path, env: dict[str, str]) -> None:
    """The last line says so: events and digest, which is the live account's."""
    for _ in range(2):
        done = run(tmp_path, "replay", "--speed", "max", "--once", env=env)
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        expected = f"replay ended: {len(STORE.events)} events, state {state_digest(PIPELINE.state)}"
        assert done.stderr.splitlines()[-1] == expected
    assert is_free(int(env["COINDCX_SIDECAR_PORT"]))


def test_F30_log_in_postgresql_gives_the_same_account(tmp_path: Path, env: dict[str, str]) -> None:
    """Named by the setting or by the option; the log is as long afterwards, and its password is not shown."""
    with postgres.running() as server:
        url = server.url()
        keep_scenarios(url)
        for more, arguments in (({"COINDCX_STORE_URL": url}, []), ({}, ["--store", url])):
            done = run(tmp_path, "replay", "--speed", "max", "--once", *arguments, env=env | more)
            assert done.returncode == 0, done.stderr
            expected = f"replay ended: {len(STORE.events)} events, state {state_digest(PIPELINE.state)}"
            assert done.stderr.splitlines()[-1] == expected
            assert "unused-secret" not in done.stderr
        assert server.run("SELECT count(*) FROM events", url.rpartition("/")[2]) == str(len(STORE.events))


def test_F30_pace_and_its_error_are_told(tmp_path: Path, env: dict[str, str]) -> None:
    """A minute at 60-fold is a second."""
    done = run(tmp_path, "replay", "--speed", "60", "--once", env=env)
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
def test_bad_input_is_one_line(
    here: Here, tmp_path: Path, env: dict[str, str], arguments: list[str], expected: str
) -> None:
    """What was expected, what came, what to do; no password."""
    done = here(tmp_path, env, "replay", *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("coindcx-feed: ")
    assert expected in line
    assert "canary" not in line


def test_T22_log_that_is_cut_or_no_log_is_one_line(here: Here, tmp_path: Path, env: dict[str, str]) -> None:
    """Half a database, and a pickle: nothing is played and nothing is changed."""
    path = tmp_path / "events.sqlite"
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"\x80\x04\x95" + bytes(100), b"SQLite format 3\x00"):
        path.write_bytes(content)
        done = here(tmp_path, env, "replay", "--speed", "max", "--once")
        assert done.returncode in (1, 2), done.stderr
        assert done.stderr.splitlines()[-1].startswith("coindcx-feed: ")
        assert "Traceback" not in done.stderr
        assert path.read_bytes() == content


def test_step_shows_the_next_event_at_enter(tmp_path: Path, env: dict[str, str], children: list[Child]) -> None:
    """A number shows so many; then a signal ends it."""
    children.append(child := Child(tmp_path, env, "replay", "--speed", "step", "--once"))
    eventually_sync(lambda: child.said("mode replay"), 30)
    for line in ("", "3", str(len(STORE.events))):
        child.type(line)
    eventually_sync(lambda: child.said(f"replay ended: {len(STORE.events)} events"))
    assert child.process.wait(10) == 0


async def test_bot_of_the_exchange_gets_what_was_received_then(
    tmp_path: Path, env: dict[str, str], children: list[Child]
) -> None:
    """A python-socketio client joins as on the exchange; the replay waits for it."""
    children.append(child := Child(tmp_path, env, "replay", "--speed", "max", "--as-exchange"))
    await eventually(lambda: child.said("the replay begins with the first private join"), 30)
    sent = [event for event in STORE.events if event.type != "system"]
    async with Recorder() as bot:
        url = f"http://127.0.0.1:{env['COINDCX_SIMULATOR_PORT']}"
        await bot.client.connect(url, transports=["websocket"])
        await bot.client.emit("join", {"channelName": "coindcx", "authSignature": "any", "apiKey": "any"})
        await eventually(lambda: len(bot.frames) == len(sent))
    records = [json.loads(frame["data"])[0] for _, frame in bot.frames]
    assert records == [json.loads(event.record) for event in sent]
    code, _ = await asyncio.to_thread(child.end)
    assert code == 0


def test_help_says_what_an_exchange_of_stored_records_lacks(here: Here, tmp_path: Path, env: dict[str, str]) -> None:
    """Only account rows are in the log."""
    text = " ".join(here(tmp_path, env, "replay", "--help").stdout.split())
    assert "df-order-update, df-position-update and balance-update rows only" in text
    assert "no market channels and no REST" in text
