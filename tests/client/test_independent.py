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
from websockets.asyncio.client import ClientConnection, connect
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


async def test_F16_websockets_resumes_with_either_proof() -> None:
    """Header and first message; what came between two connections follows, another epoch is told as a gap."""
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    async with World(token=TOKEN) as world:
        publish_orders(world, 2)
        async with connect(world.url("since=earliest"), additional_headers=bearer) as client:
            epoch, *seen = await _told(client, 3)
        assert seen == [1, 2]
        publish_orders(world, 2)
        async with connect(world.url(f"since=2&epoch={epoch}")) as client:
            await client.send(json.dumps({"action": "auth", "token": TOKEN}))
            assert await _told(client, 3) == [EPOCH, 3, 4]
            publish_orders(world, 1)
            assert await _told(client, 1) == [5]
        async with connect(world.url("since=2&epoch=another"), additional_headers=bearer) as client:
            assert await _told(client, 3) == [EPOCH, "resume_gap", 1]


async def _told(client: ClientConnection, count: int) -> list[object]:
    """Return the number of each event, of a greeting its epoch, of other messages their word."""
    found: list[object] = []
    for _ in range(count):
        told = json.loads(await asyncio.wait_for(client.recv(), DEADLINE_S))
        found.append(told.get("seq") or told["data"].get("epoch") or told["data"]["message"])
    return found


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


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_F16_curl_pages_on_with_a_token_from_where_it_stood() -> None:
    """Without the token it gets nothing; ``position`` of one answer is the next question's ``since`` and ``epoch``."""
    async with World(token=TOKEN) as world:
        publish_orders(world, 3)
        address, seen, position = world.url("limit=2", "/api/v1/events", "http"), [], ""
        assert "error" in json.loads(await _curl(address))
        for _ in range(3):
            page = json.loads(await _curl("--oauth2-bearer", TOKEN, address + position))
            seen.append([event["seq"] for event in page["events"]])
            position = "&since={since}&epoch={epoch}".format(**page["position"])
            if not page["next"]:
                publish_orders(world, 1)
        assert seen == [[1, 2], [3], [4]]


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


WS_RESUMES = """
const WebSocket = require("ws");
const [address, token] = process.argv.slice(1);
const read = (query, options, hello, count, then) => {
  const socket = new WebSocket(address + query, options), seen = [];
  let epoch;
  socket.on("open", () => hello && socket.send(JSON.stringify({ action: "auth", token: hello })));
  socket.on("message", (text) => {
    const { seq, data } = JSON.parse(text);
    epoch ??= data.epoch;
    if (seq !== undefined && seen.length < count) seen.push(seq);
    if (seen.length === count) socket.terminate();
  });
  socket.on("close", (code) => then(seen, epoch, code));
};
read("?since=earliest", { headers: { Authorization: `Bearer ${token}` } }, null, 2, (first, epoch) =>
  read(`?since=2&epoch=${epoch}`, {}, token, 3, (rest) =>
    read("", {}, "wrong", 1, (none, _, code) => console.log(JSON.stringify([first, rest, none, code])))));
"""


async def test_F16_npm_ws_resumes_with_either_proof(npm_ws: Path) -> None:
    """Torn off after two of five events, it reads the other three; with a wrong token none."""
    async with World(token=TOKEN) as world:
        publish_orders(world, 5)
        process = await asyncio.create_subprocess_exec(
            "node", "-e", WS_RESUMES, world.url(), TOKEN, cwd=npm_ws, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert json.loads(said) == [[1, 2], [3, 4, 5], [], 4500]


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
