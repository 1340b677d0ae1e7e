"""``serve`` with its log: events stored and published at a steady rate and in a burst, seen by a client."""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from benchmarks.blaster import record

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(400)]

RATE_PER_S = 2_000
STEADY_S = 20
PER_FRAME = 10
BURST = 50_000
BURST_FRAME = 100
GOAL_MS = 20.0


class Listener:
    """A client that notes when each event arrived."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.delays_ms: list[float] = []
        self.undurable = 0

    async def listen(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            now = time.time()
            head = message.data[:220]
            if '"seq":' not in head:
                continue
            received = datetime.fromisoformat(head.split('"timestamp":"', 1)[1][:24].replace("Z", "+00:00"))
            # The stamp is cut to whole milliseconds: half of one is the best guess.
            self.delays_ms.append((now - received.astimezone(UTC).timestamp()) * 1000 - 0.5)
            self.seqs.append(int(head.split('"seq":', 1)[1].split(",", 1)[0]))
            self.undurable += '"durable":false' in head


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(port=0, behaviour=instant()) as server:
        yield server


async def _status(http: aiohttp.ClientSession, port: int) -> dict[str, Any]:
    async with http.get(f"http://127.0.0.1:{port}/api/v1/ws/status") as answer:
        return dict(await answer.json())


async def _watched(http: aiohttp.ClientSession, port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if (await _status(http, port))["coindcx_connected"]:
                return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError("serve did not connect in time")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("store", ["none", "sqlite"])
async def test_F12_steady_rate_and_burst_are_stored_and_seen(
    store: str, exchange: ExchangeServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """2,000 events/s: receive to client p99 at most 20 ms; 50,000 at once: none lost. Without a log beside it."""
    port, url = _free_port(), exchange.url
    given = {
        "MODE": "live", "API_KEY": DEMO_KEY, "API_SECRET": DEMO_SECRET, "STREAM_URL": url.replace("http", "ws"),
        "API_URL": url, "PUBLIC_URL": url, "SIDECAR_PORT": str(port), "DATA_DIR": str(tmp_path / "data"),
        **({"STORE_URL": "none"} if store == "none" else {}),
    }  # fmt: skip
    environment = {**os.environ, **{f"COINDCX_{name}": value for name, value in given.items()}}
    command = [sys.executable, "-c", "from coindcx_feed.cli import main; main()", "serve"]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    listener = Listener()
    try:
        async with aiohttp.ClientSession() as http:
            await _watched(http, port)
            address = f"http://127.0.0.1:{port}/api/v1/ws/coindcx?types=order"
            async with http.ws_connect(address, max_msg_size=0) as ws:
                listening = asyncio.create_task(listener.listen(ws))
                sent = await _steadily(exchange)
                await _until(listener, sent)
                steady = np.percentile(listener.delays_ms, (50, 99, 100)).tolist()
                began = time.monotonic()
                for first in range(sent, sent + BURST, BURST_FRAME):
                    await exchange.emit(
                        wire.ORDER_EVENT, [record(number) for number in range(first, first + BURST_FRAME)]
                    )
                await _until(listener, sent + BURST)
                burst_s = time.monotonic() - began
                status = await _status(http, port)
                listening.cancel()
    finally:
        process.terminate()
        await process.wait()
    with capsys.disabled():
        print(f"\n{store}: {RATE_PER_S}/s, receive to client p50/p99/max {json.dumps(steady)} ms (goal p99 {GOAL_MS})")
        print(f"{BURST} at once: there in {burst_s:.1f} s ({BURST / burst_s:,.0f}/s), {listener.undurable} marked")
        print(f"duplicates {status['duplicates']}, lag {json.dumps(status['loop_lag'])}")
    assert len(listener.seqs) == sent + BURST
    assert listener.seqs == sorted(set(listener.seqs))
    if store == "sqlite":
        assert listener.undurable == 0
        assert steady[1] <= GOAL_MS


async def _steadily(exchange: ExchangeServer) -> int:
    began, sent = time.monotonic(), 0
    while sent < RATE_PER_S * STEADY_S:
        await exchange.emit(wire.ORDER_EVENT, [record(number) for number in range(sent, sent + PER_FRAME)])
        sent += PER_FRAME
        await asyncio.sleep(max(0.0, began + sent / RATE_PER_S - time.monotonic()))
    return sent


async def _until(listener: Listener, count: int) -> None:
    end = time.monotonic() + 120
    while len(listener.seqs) < count:
        assert time.monotonic() < end, f"{len(listener.seqs)} of {count} seen"
        await asyncio.sleep(0.02)
