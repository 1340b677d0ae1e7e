"""What open pages cost the server: CPU, bytes and time per refresh, with sessions that draw nothing."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from benchmarks.sessions import Session
from benchmarks.stored import build
from benchmarks.test_dashboard import ROOT, Dashboard, free_port
from fakes.frames import order

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import DEMO_KEY, ExchangeServer

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(400)]

EVENTS = 100_000
STORED = 1_000_000
PER_FRAME = 500
PER_S = 5
SETTLED_S, MEASURED_S = 6.0, 15.0
OPENING_S = 1.5
"""A page's first run; many that open at once wait for each other."""
MANY = 20
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


class Bare:
    """A page that does nothing but refresh, as a child process under our configuration."""

    def __init__(self) -> None:
        self.page_port = free_port()
        script = str(Path(__file__).with_name("bare_page.py"))
        command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless", "true"]
        self.process = subprocess.Popen([*command, "--server.port", str(self.page_port)], cwd=ROOT)

    async def up(self) -> None:
        """Wait until it answers."""
        end = time.monotonic() + 60
        async with aiohttp.ClientSession() as http:
            while time.monotonic() < end:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"http://localhost:{self.page_port}/_stcore/health"):
                        return
                await asyncio.sleep(0.1)
        raise AssertionError("expected the bare page to answer within 60 s")


async def _bare_ms() -> float:
    """Return the CPU time of one run of a part that draws a line of text."""
    bare = Bare()
    try:
        await bare.up()
        found = await _cost(bare, "", 1)
        return float(found["cpu_percent"] * 10 / found["runs_per_s"])
    finally:
        bare.process.terminate()
        await asyncio.to_thread(bare.process.wait, 15)


async def _events(exchange: ExchangeServer) -> None:
    """Five order updates a second, as a busy account has them."""
    number = EVENTS
    while True:
        await exchange.emit(wire.ORDER_EVENT, [order(f"o-{number}", updated_at=1_790_000_000_000 + number)])
        number += 1
        await asyncio.sleep(1 / PER_S)


async def _cost(dashboard: Dashboard | Bare, page: str, count: int) -> dict[str, Any]:
    sessions = [Session(dashboard.page_port, page) for _ in range(count)]
    settled_s = SETTLED_S + count * OPENING_S
    running = [asyncio.create_task(session.run(settled_s + MEASURED_S + 1)) for session in sessions]
    await asyncio.sleep(settled_s)
    for session in sessions:
        session.took_ms.clear()
        session.received = 0
        session.kinds.clear()
    cpu_s, began = _cpu_s(dashboard.process.pid), time.monotonic()
    await asyncio.sleep(MEASURED_S)
    lasted, cpu_s = time.monotonic() - began, _cpu_s(dashboard.process.pid) - cpu_s
    took = sorted(ms for session in sessions for ms in session.took_ms)
    received = sum(session.received for session in sessions)
    await asyncio.gather(*running)
    assert [error for session in sessions for error in session.errors] == []
    assert took, f"expected refreshes of {page or 'events'}, was none in {MEASURED_S:g} s"
    rounds = lasted * 2 * count  # a page refreshes twice a second
    kinds = sum((session.kinds for session in sessions), Counter())
    return {
        "page": page or "events", "sessions": count, "cpu_percent": round(100 * cpu_s / lasted, 1),
        "runs_per_s": round(len(took) / lasted / count, 2), "p50_ms": round(took[len(took) // 2]),
        "p95_ms": round(took[len(took) * 95 // 100]), "kb_per_refresh": round(received / rounds / 1000, 1),
        "parts": len(sessions[0].parts), "kb_of": {n: round(b / rounds / 1000, 1) for n, b in kinds.most_common(4)},
    }  # fmt: skip


async def _fill(exchange: ExchangeServer, dashboard: Dashboard) -> None:
    await dashboard.until(coindcx_connected=True)
    for first in range(0, EVENTS, PER_FRAME):
        records = [order(f"o-{number % 400}", updated_at=number) for number in range(first, first + PER_FRAME)]
        await exchange.emit(wire.ORDER_EVENT, records)
    await dashboard.until(records=EVENTS)


async def test_pages_cost_little_and_many_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Per session at most 4 % of a core and 60 kB per refresh; twenty sessions keep one refresh a second.

    Of a table that did not change only its name is sent.
    """
    async with ExchangeServer(port=0, behaviour=instant()) as exchange:
        dashboard = Dashboard(exchange, tmp_path)
        try:
            await _fill(exchange, dashboard)
            busy = asyncio.create_task(_events(exchange))
            await asyncio.sleep(SETTLED_S)
            cpu_s = _cpu_s(dashboard.process.pid)
            await asyncio.sleep(MEASURED_S)
            alone = 100 * (_cpu_s(dashboard.process.pid) - cpu_s) / MEASURED_S
            pages = ("", "orders", "positions", "balances", "market", "feed")
            found = [await _cost(dashboard, page, 1) for page in pages]
            many = await _cost(dashboard, "", MANY)
            busy.cancel()
            await asyncio.sleep(1)
            still = await _cost(dashboard, "", 1)
            bare_ms = await _bare_ms()
        finally:
            dashboard.process.terminate()
            await asyncio.to_thread(dashboard.process.wait, 15)
    with capsys.disabled():
        print(f"\nwithout a page: {alone:.1f} % of a core; a bare run of a part: {bare_ms:.1f} ms")
        for figures in (*found, many):
            cost = (figures["cpu_percent"] - alone) / figures["sessions"]
            figures["each_percent"] = round(cost, 1)
            figures["own_percent"] = round(cost - figures["runs_per_s"] * bare_ms / 10, 1)
        print(*map(json.dumps, [*found, many, still]), sep="\n")
    assert many["runs_per_s"] / many["parts"] >= 1
    assert still["kb_of"].get("arrow_data_frame", 0) + still["kb_of"].get("dataframe", 0) == 0
    assert all(figures["kb_per_refresh"] <= 60 for figures in found)
    assert many["each_percent"] <= 4
    assert all(figures["each_percent"] <= 4 for figures in found)


async def _refresh_ms(exchange: ExchangeServer, folder: Path, **settings: str) -> dict[str, Any]:
    dashboard = Dashboard(exchange, folder, **settings)
    try:
        await _fill(exchange, dashboard)
        busy = asyncio.create_task(_events(exchange))
        found = await _cost(dashboard, "", 1)
        busy.cancel()
        return found
    finally:
        dashboard.process.terminate()
        await asyncio.to_thread(dashboard.process.wait, 15)


async def test_refresh_does_not_grow_with_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At most 30 ms from asking for a part to its end with 100,000 events in memory, also with 1,000,000 stored."""
    log = tmp_path / "week.sqlite"
    await asyncio.to_thread(build, log, STORED, time.time_ns(), mode="custom", account=DEMO_KEY)
    found = []
    for name, settings in (("memory", {}), ("stored", {"STORE_URL": f"sqlite:///{log}"})):
        folder = tmp_path / name
        folder.mkdir()
        async with ExchangeServer(port=0, behaviour=instant()) as exchange:
            found.append(await _refresh_ms(exchange, folder, **settings))
    with capsys.disabled():
        print("", *map(json.dumps, found), sep="\n")
    assert all(figures["p50_ms"] <= 30 for figures in found)
