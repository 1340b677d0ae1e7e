"""Rows F13, F17, F20 and F21 from end to end: the feed is killed, its log is locked or full, and nothing is lost."""

import asyncio
import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from fakes import postgres
from fakes.numbered import numbered_exchange
from fakes.trader import Trader
from fakes.waiting import eventually
from faults.test_process import checked, child, knows_all
from faults.trials import figure
from faults.worlds import World, world
from pydantic import SecretStr

from coindcx_feed.feed.keeping import store_url
from coindcx_feed.feed.runtime import account_name
from coindcx_feed.store.log import EventStore

PAIR = "B-ETH_USDT"


@pytest.mark.timeout(600)
async def test_F17_killed_feed_goes_on_with_every_event_that_anyone_saw(tmp_path: Path, is_long: bool) -> None:
    """Killed at random instants; each start serves everything that an earlier one had shown, byte for byte."""
    rounds, chance = (30 if is_long else 3), random.Random(17)
    seen: dict[int, bytes] = {}
    async with numbered_exchange() as exchange:
        trader = Trader(exchange, 17, repeats=0.0)
        for _ in range(rounds):
            async with child(exchange, tmp_path, 10.0) as feed:
                await eventually(lambda feed=feed, known=seen: len(feed.raws) >= len(known))
                for _ in range(chance.randrange(5, 60)):
                    await trader.step()
                    await asyncio.sleep(chance.random() * 0.01)
                feed.process.kill()
                await feed.process.wait()
            shown = {message["seq"]: raw for message, raw in zip(feed.received, feed.raws, strict=True)}
            assert sorted(shown) == list(range(1, len(shown) + 1))
            assert {seq: shown.get(seq) for seq in seen} == seen
            seen = shown
        await trader.settle()
        async with child(exchange, tmp_path, 10.0) as feed:
            await eventually(lambda: knows_all(exchange, feed), 30)
    verdict = checked(exchange, feed)
    figure("F17", rounds=rounds, events=len(feed.received), lost_acknowledged=0, checker=verdict)
    assert verdict.findings == {}


def _numbers(messages: list[dict[str, Any]]) -> set[int]:
    return {message["data"].get("x_number", 0) for message in messages}


@contextlib.asynccontextmanager
async def listening(there: World) -> AsyncIterator[list[dict[str, Any]]]:
    """Collect what a client of the sidecar gets."""
    messages: list[dict[str, Any]] = []

    async def listen() -> None:
        async for message in socket:
            messages.append(msgspec.json.decode(message.data))

    url = f"ws://127.0.0.1:{there.runtime.sidecar.port}/api/v1/ws/coindcx"
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        task = asyncio.create_task(listen())
        try:
            yield messages
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def log_of(folder: Path) -> Path:
    return next(folder.glob("events-*.sqlite"))


def _stored(there: World, first: int = 1) -> tuple[list[bytes], list[tuple[int, str]]]:
    """Read the log after the feed's end: bodies of all events, and the epochs."""
    settings = there.runtime.settings
    account = account_name(settings)
    url = store_url(settings, account)
    assert url is not None
    store = EventStore.open(url, mode=there.runtime.mode, account=account, read_only=True)
    try:
        rows = store.bodies(0, 1_000_000)
        assert [row[0] for row in rows] == list(range(first, first + len(rows)))
        return [row[3] for row in rows], [(epoch.first_seq, epoch.name) for epoch in store.epochs()]
    finally:
        store.close()


def _plain(body: bytes) -> bytes:
    return body.replace(b',"durable":false', b"")


async def _through_an_outage(
    there: World, messages: list[dict[str, Any]], begin: Any, end: Any, *, is_over: bool = False
) -> None:
    """Trade before, during and after an outage of the log, and see that the feed says so.

    Args:
        is_over: The outage ends by itself, maybe before anyone has looked at the status.
    """
    await there.place("buy", PAIR, "0.1")
    await eventually(lambda: any(message["type"] == "position" for message in messages))
    begin()
    await there.place("buy", PAIR, "0.2", "1500")
    if not is_over:
        await eventually(lambda: there.service.status()["store"]["outage"] is not None)
    await there.place("sell", PAIR, "0.1", "9000")
    await eventually(lambda: sum(message.get("durable") is False for message in messages) >= 2 - is_over)
    end()
    await eventually(lambda: there.service.status()["store"]["outage"] is None, 30)
    count = len(messages)
    await there.place("buy", PAIR, "0.1")
    await eventually(lambda: any(m["type"] == "position" and "durable" not in m for m in messages[count:]))


def _assert_told(there: World, messages: list[dict[str, Any]], epochs: list[tuple[int, str]]) -> None:
    said = [message["data"] for message in messages if message["data"].get("message") == "epoch_changed"]
    assert [(data["first_seq"], data["epoch"]) for data in said] == list(there.runtime.ring.epochs[1:])
    assert list(there.runtime.ring.epochs) == epochs
    first = said[0]["first_seq"]
    assert all("durable" not in message for message in messages if message.get("seq", first) < first)


@pytest.mark.timeout(120)
async def test_F21_locked_log_is_said_and_gets_everything_later(tmp_path: Path) -> None:
    """Another program holds the file: live view and clients go on, marked, and nothing is missing at the end."""
    async with world(tmp_path) as there, listening(there) as messages:
        other = sqlite3.connect(log_of(tmp_path), isolation_level=None)
        await eventually(lambda: there.is_watched)
        await _through_an_outage(
            there, messages, lambda: other.execute("BEGIN IMMEDIATE"), lambda: other.execute("COMMIT")
        )
        other.close()
        shown = [event.body for event in there.runtime.ring.since(0, 1_000_000)]
    bodies, epochs = _stored(there)
    assert bodies[: len(shown)] == [_plain(body) for body in shown]
    _assert_told(there, messages, epochs)


@pytest.mark.timeout(120)
async def test_F21_removed_file_is_said_and_another_one_begun(tmp_path: Path) -> None:
    """Every event from the outage on is in the new log."""
    async with world(tmp_path) as there, listening(there) as messages:
        await eventually(lambda: there.is_watched)
        await _through_an_outage(there, messages, log_of(tmp_path).unlink, lambda: None, is_over=True)
        await eventually(lambda: any("was removed" in str(message["data"].get("message")) for message in messages))
        first = there.runtime.ring.epochs[1][0]
        shown = [event.body for event in there.runtime.ring.since(first - 1, 1_000_000)]
    bodies, epochs = _stored(there, first)
    assert bodies[: len(shown)] == [_plain(body) for body in shown]
    assert epochs == list(there.runtime.ring.epochs[1:])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root only")
    made = subprocess.run([mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False)
    if made.returncode:
        pytest.skip("this system does not let a test mount a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.timeout(120)
async def test_F20_full_disk_is_said_and_gets_everything_later(small_disk: Path) -> None:
    """Events wait in memory until there is space again."""
    filler = small_disk / "filler"

    def fill() -> None:
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    async with world(small_disk) as there, listening(there) as messages:
        await eventually(lambda: there.is_watched)
        await _through_an_outage(there, messages, fill, filler.unlink)
        shown = [event.body for event in there.runtime.ring.since(0, 1_000_000)]
    bodies, epochs = _stored(there)
    assert bodies[: len(shown)] == [_plain(body) for body in shown]
    _assert_told(there, messages, epochs)


@pytest.mark.timeout(120)
async def test_F22_crashed_database_is_said_and_gets_everything_later(tmp_path: Path) -> None:
    """PostgreSQL stops at once, as in a failover, and comes back: nothing is lost, nothing stands there twice."""
    with postgres.running() as server:
        url = server.url()
        async with world(tmp_path, store_url=SecretStr(url)) as there, listening(there) as messages:
            await eventually(lambda: there.is_watched)
            await _through_an_outage(there, messages, server.stop, server.start)
            shown = [event.body for event in there.runtime.ring.since(0, 1_000_000)]
        bodies, epochs = _stored(there)
    assert bodies[: len(shown)] == [_plain(body) for body in shown]
    _assert_told(there, messages, epochs)


async def test_F17_restart_knows_the_account_the_numbers_and_the_time_between(tmp_path: Path) -> None:
    """The time between two processes is a gap; a client of the first resumes at the second without one."""
    async with numbered_exchange() as exchange:
        trader = Trader(exchange, 3, repeats=0.0)
        async with child(exchange, tmp_path, 10.0) as feed:
            await trader.steps(20)
            await eventually(lambda: _numbers(feed.received) >= {one.number for one in exchange.sent})
            last = feed.received[-1]["seq"]
        await trader.steps(5)
        async with child(exchange, tmp_path, 10.0) as feed:
            await eventually(lambda: bool(feed.system("upstream_gap")), 30)
            (gap,) = feed.system("upstream_gap")
            later = [message for message in feed.received if message.get("seq", 0) > last]
    assert gap["cause"] == "not running"
    assert gap["recovered"] >= 1
    assert gap["unknown"] is None
    assert {message["source"] for message in later} <= {"rest", "local"}
