"""Rows F18 and F27: the process is frozen and goes on, or is asked to end in the middle of a burst."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from fakes.numbered import NumberedExchange, numbered_exchange
from fakes.rest_api import KEY, SECRET
from fakes.runtimes import free_port, is_free
from fakes.trader import Trader
from fakes.waiting import eventually
from faults.checker import Span, Taken, Verdict, check_client, check_feed
from faults.trials import figure

SCRIPT = Path(__file__).with_name("child_feed.py")
EXIT_S = 5.0


class Child:
    """A feed in its own process and a client of it."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port
        self.received: list[dict[str, Any]] = []
        self.raws: list[bytes] = []
        self.arrived_ns: list[int] = []
        self.close_code: int | None = None

    async def listen(self) -> None:
        url = f"ws://127.0.0.1:{self.port}/api/v1/ws/coindcx?since=earliest"
        async with aiohttp.ClientSession() as http, await _connected(http, url) as socket:
            await socket.receive()  # the greeting
            async for message in socket:
                envelope = msgspec.json.decode(message.data)
                if envelope["type"] not in ("ping", "pong"):
                    self.received.append(envelope)
                    self.raws.append(message.data.encode())
                    self.arrived_ns.append(time.time_ns())
            self.close_code = socket.close_code

    def system(self, text: str) -> list[dict[str, Any]]:
        """Return the data of the system events that carry this message."""
        found = (message["data"] for message in self.received if message["type"] == "system")
        return [data for data in found if data["message"].startswith(text)]

    @property
    def is_listening(self) -> bool:
        """Whether the client is still connected."""
        return self.close_code is None

    @property
    def is_watching(self) -> bool:
        return bool(self._upstream.get("coindcx_connected"))

    @property
    def is_compared(self) -> bool:
        """Whether the reads after the join have ended: what comes before that may come by one of them."""
        return self._upstream.get("state") == "live"

    @property
    def _upstream(self) -> dict[str, Any]:
        states = [data for data in self.system("upstream ") if "state" in data and data["message"] != "upstream_gap"]
        return states[-1] if states else {}


async def _connected(http: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    while True:
        with contextlib.suppress(aiohttp.ClientError):
            return await http.ws_connect(url, max_msg_size=1 << 24)
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def child(
    exchange: NumberedExchange,
    folder: Path,
    proof_s: float,
    ring_capacity: int = 100_000,
    stream_url: str | None = None,
    *arguments: str,
    store_url: str | None = None,
) -> AsyncIterator[Child]:
    """Run a feed on an exchange, from when it is watched and compared; it does not outlive the test.

    Args:
        stream_url: Of a proxy before the exchange's socket.
        arguments: More for ``child_feed.py``.
        store_url: Of another log than the usual file.
    """
    port, url = free_port(), exchange.server.url
    own = {name: value for name, value in os.environ.items() if not name.startswith("COINDCX_")}
    given = {
        "MODE": "live", "API_KEY": KEY, "API_SECRET": SECRET, "STREAM_URL": (stream_url or url).replace("http", "ws"),
        "API_URL": url, "PUBLIC_URL": url, "SIDECAR_PORT": str(port), "DATA_DIR": str(folder),
        "REST_PER_MINUTE": "900", "RING_CAPACITY": str(ring_capacity),
        **({} if store_url is None else {"STORE_URL": store_url}),
    }  # fmt: skip
    env = own | {f"COINDCX_{name}": value for name, value in given.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(proof_s), *arguments, env=env, cwd=folder
    )
    made = Child(process, port)
    listening = asyncio.create_task(made.listen())
    try:
        await eventually(lambda: made.is_compared, 30)
        yield made
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.timed
@pytest.mark.timeout(180)
async def test_F18_frozen_process_notices_records_the_gap_and_joins_anew(tmp_path: Path, is_long: bool) -> None:
    """SIGSTOP for longer than the limit: nobody was watching, whatever waits in the socket's buffers."""
    frozen_s, proof_s = (30.0, 10.0) if is_long else (5.0, 2.0)
    async with numbered_exchange() as exchange, child(exchange, tmp_path, proof_s) as feed:
        trader = Trader(exchange, 18, repeats=0.0)  # a child does not show what it kept apart
        await trader.steps(10)
        await eventually(lambda: len(feed.received) > 10)
        joins, stopped_ns = len(exchange.server.joins), time.time_ns()
        feed.process.send_signal(signal.SIGSTOP)
        end = time.monotonic() + frozen_s
        while time.monotonic() < end:
            await trader.step()
            await asyncio.sleep(0.25)  # the account goes on meanwhile
        feed.process.send_signal(signal.SIGCONT)
        went_on_ns = time.time_ns()
        await eventually(lambda: feed.system("upstream_gap"), 30)
        await trader.steps(10)
        await trader.settle()
        await eventually(lambda: knows_all(exchange, feed), 30)
        gap = feed.system("upstream_gap")[0]
        assert len(exchange.server.joins) > joins
        assert feed.system("upstream stale")
    error_s = abs(_ns(gap["start"]) - stopped_ns) / 1e9
    verdict = checked(exchange, feed)
    figure("F18", frozen_s=frozen_s, gap_start_error_s=error_s, unknown=gap["unknown"], checker=verdict)
    assert _ns(gap["end"]) >= went_on_ns
    assert error_s <= 1.0
    assert verdict.findings == {}


def knows_all(exchange: NumberedExchange, feed: Child) -> bool:
    shown = {
        (message["type"], message["data"]["id"]): message["data"]["x_number"]
        for message in feed.received
        if "x_number" in message["data"] and "late" not in message
    }
    return all(
        shown.get((kind, key)) == record["x_number"]
        for kind in ("order", "position", "balance")
        for key, record in exchange.present(kind).items()
    )


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1e9)


def checked(exchange: NumberedExchange, feed: Child) -> Verdict:
    """Compare what the exchange sent with what a client of the child got: the ring itself is out of reach."""
    verdict = Verdict()
    # A record's number stands for its text; one that a read brought needs no frame.
    sent = [one._replace(text=b"%d" % one.number) for one in exchange.sent]
    records = [message for message in feed.received if "x_number" in message["data"]]
    taken = [Taken(m["seq"], b"%d" % m["data"]["x_number"], m["source"]) for m in records]
    read = [event.text for event in taken if event.source == "rest"]
    listed = {b"%d" % number for text in exchange.listed if (number := msgspec.json.decode(text).get("x_number"))}
    check_feed(verdict, sent, taken, read, listed, _away(feed))
    check_client(verdict, {}, feed.received, feed.raws)
    return verdict


def _away(feed: Child) -> list[Span]:
    gaps = [Span(_ns(gap["start"]), _ns(gap["end"])) for gap in feed.system("upstream_gap") if gap["end"]]
    watched = (message for message in feed.received if message["data"].get("coindcx_connected"))
    return [Span(0, _ns(next(watched)["timestamp"])), *gaps]


@pytest.mark.timed
async def test_F27_asked_to_end_during_a_burst_it_drains_and_says_goodbye(tmp_path: Path) -> None:
    """SIGTERM between 4,000 records: exit in time, close frame 1001, and what clients got is dense and in order."""
    async with numbered_exchange() as exchange, child(exchange, tmp_path, 10.0) as feed:
        trader = Trader(exchange, 27)
        for part in range(20):
            await trader.steps(100)
            await asyncio.sleep(0)
            if part == 10:
                feed.process.send_signal(signal.SIGTERM)
                started = time.monotonic()
        code = await asyncio.wait_for(feed.process.wait(), EXIT_S + 5)
        exit_s = time.monotonic() - started
        await eventually(lambda: feed.close_code is not None)
        assert is_free(feed.port)
    numbers = [message["data"]["x_number"] for message in feed.received if "x_number" in message["data"]]
    sent = [one.number for one in exchange.sent if not one.is_repeat][: len(numbers)]
    verdict = Verdict()
    check_client(verdict, {}, feed.received, feed.raws)
    figure("F27", exit_s=exit_s, close_code=feed.close_code, events=len(numbers), lost=len(verdict.lost))
    assert (code, feed.close_code) == (0, 1001)
    assert exit_s < EXIT_S
    assert verdict.findings == {}
    assert numbers == sent
