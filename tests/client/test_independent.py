"""Clients that share no code with this project: Python's websockets, curl, npm's ws."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from client.published import publish, publish_orders
from fakes.frames import balance
from sidecar.helpers import DEADLINE_S, EPOCH, TOKEN, World
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def test_websockets_reads_greeting_events_and_close_code() -> None:
    """Greeting, resumed and live events byte for byte, keep-alive, a large record, the end with its code."""
    async with World() as world:
        first = publish(world, "balance", balance(free="1650841.59606695345873"))
        async with connect(world.url("since=earliest")) as client:
            greeting = json.loads(await client.recv())
            assert (greeting["data"]["mode"], greeting["data"]["epoch"]) == ("demo", EPOCH)
            assert await client.recv(decode=False) == first
            large = publish(world, "system", {"message": "x" * 200_000})
            assert await client.recv(decode=False) == large
            await client.send("ping")
            assert json.loads(await client.recv())["type"] == "pong"
            await asyncio.wait_for(await client.ping(), DEADLINE_S)
            await world.sidecar.stop()
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
        assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1001, "shutdown")


async def test_websockets_is_refused_as_documented() -> None:
    """Before the upgrade with a status, after it with a code; the header opens it."""
    async with World(token=TOKEN) as world:
        with pytest.raises(InvalidStatus) as refused:
            await connect(world.url("types=nonsense"))
        assert refused.value.response.status_code == 400
        async with connect(world.url()) as client:
            await client.send(json.dumps({"action": "auth", "token": "wrong"}))
            with pytest.raises(ConnectionClosed) as ended:
                await client.recv()
            assert ended.value.rcvd.code == 4500
        async with connect(world.url(), additional_headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            assert json.loads(await client.recv())["type"] == "system"


async def _curl(*arguments: str) -> str:
    command = ["curl", "--silent", "--max-time", "10", *arguments]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_reads_the_status_and_is_refused_by_list() -> None:
    """Plain HTTP beside the socket."""
    async with World() as world:
        publish_orders(world, 3)
        status = json.loads(await _curl(world.status_url))
        assert (status["active_connections"], status["coindcx_connected"], status["seq"]) == (0, True, 3)
        refused = await _curl("--write-out", " %{http_code}", "--header", "Origin: http://evil.test", world.status_url)
        assert refused.endswith(" 403")


WS = """
const WebSocket = require("ws");
const socket = new WebSocket(process.argv[1], { perMessageDeflate: true });
socket.on("message", (data, isBinary) => console.log(isBinary ? "binary" : data.toString()));
socket.on("close", (code) => console.log("closed", code));
"""


@pytest.fixture(scope="module")
def npm_ws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install ws beside nothing of ours."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("ws")
    command = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "ws@8"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    if done.returncode and not os.environ.get("REQUIRE_SERVICES"):
        pytest.skip(f"npm cannot install ws: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr
    return folder


async def test_npm_ws_reads_events_and_close_code(npm_ws: Path) -> None:
    """It offers compression, which is declined."""
    async with World() as world:
        body = publish(world, "balance", balance())
        process = await asyncio.create_subprocess_exec(
            "node", "-e", WS, world.url("since=earliest"), cwd=npm_ws, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        lines = [await asyncio.wait_for(process.stdout.readline(), DEADLINE_S) for _ in range(2)]
        assert json.loads(lines[0])["data"]["epoch"] == EPOCH
        assert lines[1].rstrip() == body
        await world.sidecar.stop()
        assert await asyncio.wait_for(process.stdout.readline(), DEADLINE_S) == b"closed 1001\n"
        await asyncio.wait_for(process.wait(), DEADLINE_S)
