"""The README's examples, run as they stand there against a real sidecar; only the address is another."""

import asyncio
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
from client.published import publish_orders
from fakes.signals import heeds_ctrl_c
from sidecar.helpers import DEADLINE_S, World, eventually

ROOT = Path(__file__).parents[2]
SCRIPTS = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Scripts")[2].partition("\n## ")[0]


def example(language: str) -> str:
    """Return the first example in a language."""
    return re.findall(rf"```{language}\n(.*?)```", SCRIPTS, re.DOTALL)[0]


class Script:
    """A running example and the lines it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def lines(self, count: int) -> list[str]:
        assert self.process.stdout is not None
        read = self.process.stdout.readline
        return [(await asyncio.wait_for(read(), DEADLINE_S)).decode().rstrip() for _ in range(count)]

    async def end(self) -> str:
        self.process.send_signal(signal.SIGINT)
        _, complaint = await asyncio.wait_for(self.process.communicate(), DEADLINE_S)
        return complaint.decode()


async def _run(*command: str) -> Script:
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=pipe, stderr=pipe, preexec_fn=heeds_ctrl_c
    )
    return Script(process)


def _addressed(text: str, world: World) -> str:
    assert text.count("127.0.0.1:8000") == 1
    return text.replace("127.0.0.1:8000", f"127.0.0.1:{world.sidecar.port}")


async def _listens(world: World) -> None:
    await eventually(lambda: world.sidecar.clients == 1)


async def test_python_example_prints_events_and_survives_a_restart(world: World) -> None:
    """Five lines; after the sidecar came back they go on behind the last event."""
    text = example("python")
    assert len([line for line in text.splitlines() if line]) <= 5
    script = await _run(sys.executable, "-c", _addressed(text, world))
    await _listens(world)
    publish_orders(world, 2)
    assert [line.split()[2:4] for line in await script.lines(2)] == [["order", "1"], ["order", "2"]]
    port = world.sidecar.port
    await world.sidecar.stop()
    publish_orders(world, 1)
    async with World(port=port, ring=world.ring) as again:
        await _listens(again)
        publish_orders(again, 1)
        assert [line.split()[3] for line in await script.lines(2)] == ["3", "4"]
        assert (await script.end()).rstrip().endswith("KeyboardInterrupt")


async def test_javascript_example_prints_events_and_survives_a_restart(world: World) -> None:
    """Twenty lines, with the WebSocket that Node shares with browsers."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    text = example("js")
    assert len([line for line in text.splitlines() if line]) <= 20
    script = await _run(node, "--experimental-websocket", "--no-warnings", "-e", _addressed(text, world))
    await _listens(world)
    port = world.sidecar.port
    await world.sidecar.stop()  # before anything came: the place is the greeting's
    publish_orders(world, 2)
    async with World(port=port, ring=world.ring) as again:
        await _listens(again)
        publish_orders(again, 1)
        assert await script.lines(3) == ["order 1 o-0", "order 2 o-1", "order 3 o-0"]
        await script.end()
