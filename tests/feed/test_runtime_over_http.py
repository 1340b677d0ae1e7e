"""The routes of a whole feed with its log, against a real exchange server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from fakes.frames import BALANCE, ORDER, balance, order
from fakes.rest import wallets_route
from fakes.runtimes import running, settings_for
from fakes.waiting import eventually
from sidecar.test_schema import validator

from coindcx_feed.feed.runtime import FeedRuntime
from coindcx_feed.simulator.behaviour import instant
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

ORDERS = 1_100


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with ExchangeServer(port=0, behaviour=instant(), routes=[wallets_route(DEMO_KEY, DEMO_SECRET)]) as server:
        yield server


async def get(http: aiohttp.ClientSession, runtime: FeedRuntime, path: str) -> tuple[int, Any]:
    async with http.get(f"http://127.0.0.1:{runtime.sidecar.port}{path}") as answer:
        return answer.status, msgspec.json.decode(await answer.read())


async def test_state_and_pages_reach_behind_memory_into_the_log(exchange: ExchangeServer, tmp_path: Path) -> None:
    """A ring of the smallest size, more events than it holds: verbatim records, every number once."""
    settings = settings_for(exchange.url, tmp_path, ring_capacity=1_000)
    async with running(settings) as runtime, aiohttp.ClientSession() as http:
        await eventually(lambda: runtime.change.state.is_connected)
        wallet = balance("w-9", free="1650841.59606695345873", currency="INR")
        await exchange.emit(BALANCE, [wallet])
        for start in range(0, ORDERS, 100):
            await exchange.emit(ORDER, [order(f"o-{n}") for n in range(start, start + 100)])
        await eventually(lambda: len(runtime.state.orders()) == ORDERS)
        _, body = await get(http, runtime, "/api/v1/state/balances")
        validator("BalancesState").validate(body)
        (row,) = [row for row in body["balances"] if row["data"]["id"] == "w-9"]
        assert row["seq"] < runtime.ring.oldest
        assert (row["verbatim"], row["data"]) == (True, wallet)
        seqs, query = [], ""
        while query is not None:
            _, page = await get(http, runtime, f"/api/v1/events?limit=300{query}")
            validator("EventsPage").validate(page)
            assert page["gap"] is None
            seqs += [event["seq"] for event in page["events"]]
            place = page["next"]
            query = None if place is None else f"&since={place['since']}&epoch={place['epoch']}"
        assert seqs == list(range(1, seqs[-1] + 1))
        assert seqs[-1] > ORDERS


async def test_requests_over_http_are_no_viewers(exchange: ExchangeServer, tmp_path: Path) -> None:
    """On demand: whoever polls state, readiness or metrics does not make the feed join."""
    async with running(settings_for(exchange.url, tmp_path, upstream="on-demand")) as runtime:
        async with aiohttp.ClientSession() as http:
            for _ in range(5):
                status, body = await get(http, runtime, "/readyz")
                assert (status, body["status"]) == (503, "not ready")
                for path in ("/healthz", "/api/v1/state/orders", "/api/v1/events", "/api/v1/ws/status"):
                    assert (await get(http, runtime, path))[0] == 200
                async with http.get(f"http://127.0.0.1:{runtime.sidecar.port}/metrics") as answer:
                    assert "coindcx_feed_connected 0.0" in await answer.text()
                await asyncio.sleep(0.1)
        assert (runtime.viewers.count, len(exchange.joins)) == (0, 0)
