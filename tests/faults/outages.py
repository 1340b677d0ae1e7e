"""An outage of the log from end to end: what clients are told meanwhile, and what is stored afterwards."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import pytest
from fakes.waiting import eventually
from faults.worlds import World

from coindcx_feed.feed.keeping import store_url
from coindcx_feed.feed.runtime import account_name
from coindcx_feed.store.log import EventStore

PAIR: Final = "B-ETH_USDT"
FILLER: Final = "filler"


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
    """Return the file of a log."""
    return next(folder.glob("events-*.sqlite"))


def stored(there: World, first: int = 1) -> tuple[list[bytes], list[tuple[int, str]]]:
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


def plain(body: bytes) -> bytes:
    """Return a body as it is stored."""
    return body.replace(b',"durable":false', b"")


async def through_an_outage(
    there: World,
    messages: list[dict[str, Any]],
    begin: Callable[[], object],
    end: Callable[[], object],
    *,
    is_over: bool = False,
    orders: int = 1,
) -> float:
    """Trade before, during and after an outage of the log, and see that the feed says so.

    Args:
        is_over: The outage ends by itself, maybe before anyone has looked at the status.
        orders: How many are placed at its beginning: a full disk may have room for the first ones.
    Returns:
        Seconds from its beginning to the first event that is marked as not stored.
    """
    await there.place("buy", PAIR, "0.1")
    await eventually(lambda: any(message["type"] == "position" for message in messages))
    await asyncio.to_thread(begin)
    began_s = time.monotonic()
    for _ in range(orders):
        await there.place("buy", PAIR, "0.2", "1500")
    if not is_over:
        await eventually(lambda: there.service.status()["store"]["outage"] is not None)
    await eventually(lambda: any(message.get("durable") is False for message in messages))
    waited_s = time.monotonic() - began_s
    await there.place("sell", PAIR, "0.1", "9000")
    await eventually(lambda: sum(message.get("durable") is False for message in messages) >= 2 - is_over)
    await asyncio.to_thread(end)
    await eventually(lambda: there.service.status()["store"]["outage"] is None, 30)
    count = len(messages)
    await there.place("buy", PAIR, "0.1")
    await eventually(lambda: any(m["type"] == "position" and "durable" not in m for m in messages[count:]))
    return waited_s


def shown_by(there: World) -> list[bytes]:
    """Return the bodies of all events, as clients got them."""
    return [event.body for event in there.runtime.ring.since(0, 1_000_000)]


def assert_told(there: World, messages: list[dict[str, Any]], epochs: list[tuple[int, str]]) -> None:
    """See that the client knows every epoch of the log, and that what came before the outage bears no mark."""
    said = [message["data"] for message in messages if message["data"].get("message") == "epoch_changed"]
    assert [(data["first_seq"], data["epoch"]) for data in said] == list(there.runtime.ring.epochs[1:])
    assert list(there.runtime.ring.epochs) == epochs
    first = said[0]["first_seq"]
    assert all("durable" not in message for message in messages if message.get("seq", first) < first)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of a size such as ``2m``; where that is not allowed the test is skipped."""
    place, mount = folder / "disk", shutil.which("mount")
    place.mkdir()
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small disk can be mounted by root only")
    if subprocess.run([mount, "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("this system does not let a test mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill_up(disk: Path) -> None:
    """Leave no room on a disk; removing ``FILLER`` makes room again."""
    with contextlib.suppress(OSError), (disk / FILLER).open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
