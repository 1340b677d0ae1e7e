"""The session against the npm implementation of Socket.IO: a second, independent peer."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.frames import order
from fakes.waiting import eventually
from pydantic import SecretStr

from coindcx_feed.events import new_epoch
from coindcx_feed.exchange import wire
from coindcx_feed.exchange.states import Change, State, Timings
from coindcx_feed.exchange.supervisor import Supervisor
from coindcx_feed.feed.durable import NoStore
from coindcx_feed.feed.market import MarketFeed
from coindcx_feed.feed.marks import Marks
from coindcx_feed.feed.pipeline import Pipeline
from coindcx_feed.feed.ring import Ring
from coindcx_feed.feed.state import AccountState

SERVER = Path(__file__).with_name("exchange.mjs")
FAST = Timings(joined_after_s=0.2, retry_first_s=0.02, retry_most_s=0.1, tick_s=0.02)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the reference server beside nothing of ours."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "socket.io@4"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode and not os.environ.get("REQUIRE_SERVICES"):
        pytest.skip(f"npm cannot install socket.io: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    return folder


class Reference:
    """The Node process: what it said, and commands to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    async def listen(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(json.loads(line))

    @property
    def port(self) -> int:
        return next((int(line["port"]) for line in self.said if "port" in line), 0)

    def tell(self, **command: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")


@pytest.fixture
async def reference(modules: Path) -> AsyncIterator[Reference]:
    process = await asyncio.create_subprocess_exec(
        "node", str(SERVER), str(modules), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    server = Reference(process)
    listening = asyncio.create_task(server.listen())
    try:
        await eventually(lambda: server.port)
        yield server
    finally:
        process.kill()
        await process.wait()
        await listening


async def test_F01_reference_server_is_joined_heard_and_rejoined_after_its_disconnect(reference: Reference) -> None:
    """Records arrive value for value; a server-side disconnect is followed by a new private join."""
    ring, changes = Ring(1_000, new_epoch()), list[Change]()
    marks = Marks()
    pipeline = Pipeline(ring, MarketFeed(), marks, AccountState(), NoStore())
    credentials = (SecretStr("key"), SecretStr("secret"))
    supervisor = Supervisor(
        f"ws://127.0.0.1:{reference.port}", credentials, None, (), pipeline.receive, changes.append, FAST
    )
    tasks = [asyncio.create_task(supervisor.run()), asyncio.create_task(pipeline.run())]
    try:
        await eventually(lambda: supervisor.change.state is State.QUIET and marks.newest("B-ETH_USDT"))
        reference.tell(emit=wire.ORDER_EVENT, data=[order("a"), order("b", price=0.00000123)])
        await eventually(lambda: ring.version == 2)
        assert supervisor.change.state in (State.QUIET, State.LIVE)
        reference.tell(kick=True)
        await eventually(lambda: supervisor.private_joins == 2 and supervisor.change.state.is_connected)
        reference.tell(
            emit=wire.BALANCE_EVENT,
            data=[{"id": "w", "balance": "1.10", "locked_balance": "0", "currency_short_name": "INR"}],
        )
        await eventually(lambda: ring.version == 3)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert [json.loads(event.body)["data"]["id"] for event in ring.since(0, 10)] == ["a", "b", "w"]
    assert b'"balance":"1.10"' in ring.since(2, 1)[0].record
    assert [line["joined"] for line in reference.said if line.get("signed")] == [wire.PRIVATE_CHANNEL] * 2
