"""What open pages cost the server: CPU, bytes and time per refresh, with sessions that draw nothing."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.sessions import Session
from benchmarks.test_dashboard import Dashboard
from fakes.frames import order

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import ExchangeServer

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(400)]

EVENTS = 100_000
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


async def _events(exchange: ExchangeServer) -> None:
    """Five order updates a second, as a busy account has them."""
    number = EVENTS
    while True:
        await exchange.emit(wire.ORDER_EVENT, [order(f"o-{number}", updated_at=1_790_000_000_000 + number)])
        number += 1
        await asyncio.sleep(1 / PER_S)


async def _cost(dashboard: Dashboard, page: str, count: int) -> dict[str, Any]:
    sessions = [Session(dashboard.page_port, page) for _ in range(count)]
    settled_s = SETTLED_S + count * OPENING_S
    running = [asyncio.create_task(session.run(settled_s + MEASURED_S + 1)) for session in sessions]
    await asyncio.sleep(settled_s)
    for session in sessions:
        session.took_ms.clear()
        session.received = 0
    cpu_s, began = _cpu_s(dashboard.process.pid), time.monotonic()
    await asyncio.sleep(MEASURED_S)
    lasted, cpu_s = time.monotonic() - began, _cpu_s(dashboard.process.pid) - cpu_s
    took = sorted(ms for session in sessions for ms in session.took_ms)
    received = sum(session.received for session in sessions)
    await asyncio.gather(*running)
    assert [error for session in sessions for error in session.errors] == []
    rounds = lasted * 2 * count  # a page refreshes twice a second
    return {
        "page": page or "events", "sessions": count, "cpu_percent": round(100 * cpu_s / lasted, 1),
        "runs_per_s": round(len(took) / lasted / count, 2), "p50_ms": round(took[len(took) // 2]),
        "p95_ms": round(took[len(took) * 95 // 100]), "kb_per_refresh": round(received / rounds / 1000, 1),
        "parts": len(sessions[0].parts),
    }  # fmt: skip


async def test_pages_cost_little_and_many_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Per session at most 4 % of a core and 60 kB per refresh; twenty sessions keep one refresh a second."""
    async with ExchangeServer(port=0, behaviour=instant()) as exchange:
        dashboard = Dashboard(exchange, tmp_path)
        try:
            await dashboard.until(coindcx_connected=True)
            for first in range(0, EVENTS, PER_FRAME):
                records = [order(f"o-{number % 400}", updated_at=number) for number in range(first, first + PER_FRAME)]
                await exchange.emit(wire.ORDER_EVENT, records)
            busy = asyncio.create_task(_events(exchange))
            await asyncio.sleep(SETTLED_S)
            cpu_s = _cpu_s(dashboard.process.pid)
            await asyncio.sleep(MEASURED_S)
            alone = 100 * (_cpu_s(dashboard.process.pid) - cpu_s) / MEASURED_S
            pages = ("", "orders", "positions", "balances", "market", "feed")
            found = [await _cost(dashboard, page, 1) for page in pages]
            many = await _cost(dashboard, "", MANY)
            busy.cancel()
        finally:
            dashboard.process.terminate()
            await asyncio.to_thread(dashboard.process.wait, 15)
    with capsys.disabled():
        print(f"\nwithout a page: {alone:.1f} % of a core", *map(json.dumps, [*found, many]), sep="\n")
    assert many["runs_per_s"] / many["parts"] >= 1
    assert all(figures["kb_per_refresh"] <= 60 for figures in found)
    assert all(figures["cpu_percent"] - alone <= 4 for figures in found)
