"""A page that stays open for a simulated day of eight hours, at a hundred times its pace: how server and page grow."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.sessions import resident_mib
from benchmarks.test_dashboard import ARGUMENTS, Dashboard
from fakes.frames import order
from playwright.async_api import CDPSession, async_playwright

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import ExchangeServer

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(900)]

DAY_S = 8 * 3600 / 100
SHORT_S = 40.0
EVENTS_OF_A_DAY = 20_000
"""An account that trades the whole day; each is an update of one of 2,000 orders."""
CAPACITY = 10_000
WARM_S = 15.0
GROWTH_MIB = 50.0


def _records(first: int, count: int) -> list[dict[str, Any]]:
    return [
        order(f"o-{n % 2_000}", updated_at=1_790_000_000_000 + n, display_message=f"update {n}")
        for n in range(first, first + count)
    ]


async def _emit(exchange: ExchangeServer, first: int, lasting_s: float) -> int:
    """Emit at the day's pace and return the number after the last one."""
    began, sent = time.monotonic(), first
    while (passed := time.monotonic() - began) < lasting_s:
        due = first + int(passed * EVENTS_OF_A_DAY / DAY_S)
        if due > sent:
            await exchange.emit(wire.ORDER_EVENT, _records(sent, due - sent))
            sent = due
        await asyncio.sleep(0.05)
    return sent


async def _heap_mib(tab: CDPSession) -> float:
    """Return what the page's scripts hold after a collection."""
    await tab.send("HeapProfiler.collectGarbage")
    found = await tab.send("Runtime.getHeapUsage")
    return float(found["usedSize"]) / 2**20


async def test_page_open_all_day_grows_by_less_than_50_mib(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], is_long: bool
) -> None:
    """Server and page each; memory for events is full from the beginning, so that what grows is the page's doing."""
    lasting_s = DAY_S if is_long else SHORT_S
    async with ExchangeServer(port=0, behaviour=instant()) as exchange, async_playwright() as playwright:
        running = Dashboard(exchange, tmp_path, RING_CAPACITY=str(CAPACITY))
        try:
            await running.until(coindcx_connected=True)
            for first in range(0, CAPACITY, 500):
                await exchange.emit(wire.ORDER_EVENT, _records(first, 500))
            await running.until(records=CAPACITY)
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            page = await browser.new_page()
            tab = await page.context.new_cdp_session(page)
            await page.goto(running.address())
            await page.locator("[data-testid=stDataFrame]").wait_for(timeout=30_000)
            sent = await _emit(exchange, CAPACITY, WARM_S)
            before = resident_mib(running.process.pid), await _heap_mib(tab)
            sent = await _emit(exchange, sent, lasting_s)
            after = resident_mib(running.process.pid), await _heap_mib(tab)
            await running.until(records=sent)
            await browser.close()
        finally:
            running.process.terminate()
            await asyncio.to_thread(running.process.wait, 15)
    grown = {name: round(late - early, 1) for name, early, late in zip(("server", "page"), before, after, strict=True)}
    found = {
        "hours": round(lasting_s * 100 / 3600, 1),
        "events": sent,
        "server_mib": round(after[0]),
        "grown_mib": grown,
    }
    with capsys.disabled():
        print(f"\n{json.dumps(found)}")
    assert max(grown.values()) <= GROWTH_MIB
