"""How soon an event is on the tape: from the exchange's emit to the first frame after the card is there."""

import asyncio
import json
import math
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.test_dashboard import ARGUMENTS, Dashboard
from fakes.frames import order
from playwright.async_api import Page, async_playwright

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import ExchangeServer

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(300)]

GOALS = {20: (15.0, 100.0), 500: (10.0, 200.0)}
"""Events per second: seconds measured, and the goal for p95 in ms."""
MOST = 100

WATCH = """
() => {
  const list = [...document.querySelectorAll('*')].map((e) => e.shadowRoot?.querySelector('.tape-list')).find(Boolean)
    || document.querySelector('.tape-list');
  const seen = (window.seen = {});
  const counts = (window.counts = { most: 0, frames: 0 });
  new MutationObserver((changes) => {
    const added = changes.flatMap((change) => [...change.addedNodes]).filter((node) => node.matches?.('.tape-card'));
    counts.most = Math.max(counts.most, list.querySelectorAll('.tape-card').length);
    // The frame after the one that painted: until then nobody has seen it for certain.
    requestAnimationFrame(() => {
      const now = Date.now();
      counts.frames += 1;
      for (const card of added) {
        const pair = card.querySelector('.strong').textContent;
        // The tooltip says when the feed received it.
        if (!(pair in seen)) seen[pair] = [now, Date.parse(card.title.replace(' UTC', 'Z').replace(' ', 'T'))];
      }
    });
  }).observe(list, { childList: true });
}
"""


async def _emit(exchange: ExchangeServer, rate: int, lasting_s: float) -> dict[str, float]:
    """Emit at an even pace and return when each one was handed over, Unix ms."""
    sent: dict[str, float] = {}
    began = time.monotonic()
    for number in range(int(rate * lasting_s)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        pair = f"B-R{rate}N{number}_USDT"
        sent[pair] = time.time() * 1000
        await exchange.emit(wire.ORDER_EVENT, [order(f"r{rate}-{number}", pair=pair)])
    return sent


def _share(delays: list[float], percent: int) -> float:
    delay = delays[min(len(delays) - 1, len(delays) * percent // 100)]
    return delay if math.isinf(delay) else round(delay)


async def _measured(exchange: ExchangeServer, page: Page, rate: int) -> dict[str, Any]:
    await page.evaluate(WATCH)
    sent = await _emit(exchange, rate, GOALS[rate][0])
    last = next(reversed(sent))
    await page.wait_for_function("last => last in window.seen", arg=last, timeout=20_000)
    seen: dict[str, tuple[float, float]] = await page.evaluate("window.seen")
    counts = await page.evaluate("window.counts")
    # What was left out was never seen: it counts as the worst.
    delays = sorted(seen[pair][0] - at if pair in seen else math.inf for pair, at in sent.items())
    received = sorted(received_ms - sent[pair] for pair, (_, received_ms) in seen.items() if pair in sent)
    return {
        "rate": rate, "events": len(sent), "painted": len(seen.keys() & sent.keys()), "p50": _share(delays, 50),
        "p95": _share(delays, 95), "p99": _share(delays, 99), "most_cards": counts["most"],
        "paints_per_s": round(counts["frames"] / GOALS[rate][0], 1), "of_it_until_received_p95": _share(received, 95),
    }  # fmt: skip


async def test_event_is_on_the_tape_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """p95 at most 100 ms at 20 events/s and 200 ms at 500, in one run, with never more than 100 cards."""
    async with ExchangeServer(port=0, behaviour=instant()) as exchange, async_playwright() as playwright:
        running = Dashboard(exchange, tmp_path)
        try:
            await running.until(coindcx_connected=True)
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            page = await browser.new_page()
            await page.goto(running.address("?look=tape"))
            await page.locator(".tape-head").get_by_text("Live").wait_for(timeout=30_000)
            found = [await _measured(exchange, page, rate) for rate in GOALS]
            await browser.close()
        finally:
            running.process.terminate()
            await asyncio.to_thread(running.process.wait, 15)
    with capsys.disabled():
        print("\nemit to the frame after the card, ms:", *map(json.dumps, found), sep="\n")
    for figures in found:
        assert figures["most_cards"] <= MOST
        assert figures["p95"] <= GOALS[figures["rate"]][1]
