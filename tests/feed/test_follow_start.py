"""Where a follower begins, against a server that answers as a sidecar documents it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from fakes.frames import balance, order, position
from yarl import URL

from coindcx_feed.feed.follow_start import beside, read_start, read_status

EPOCH = "20260101T000000-0badcafe"
TOKEN = "canary-9f3c1b7a5e2d4860"
STATUS = {"epoch": EPOCH, "seq": 50_000, "oldest_seq": 20_000, "state": "live"}


def page(name: str, *rows: tuple[int, dict[str, Any]], **changes: Any) -> dict[str, Any]:
    found = [{"seq": seq, "received": "2026-11-22T14:02:53.418Z", "data": record} for seq, record in rows]
    return {"epoch": EPOCH, "seq": 50_000, "total": len(rows), name: found, **changes}


PAGES = {
    "orders": page("orders", (49_000, order("new")), (700, order("old", price=2900.5))),
    "positions": page("positions", (30, position())),
    "balances": page("balances", (31, balance(free="1650841.59606695345873"))),
}


@asynccontextmanager
async def sidecar(pages: dict[str, Any], status: dict[str, Any] | None = None) -> AsyncIterator[URL]:
    """Serve a status and what state pages there are, to whoever has the token."""

    async def serve(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        name = request.path.rpartition("/")[2]
        found = {**pages, "status": status or STATUS}.get(name)
        return web.Response(status=404) if found is None else web.Response(text=json.dumps(found), headers=JSON)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield URL(f"ws://127.0.0.1:{runner.addresses[0][1]}/api/v1/ws/coindcx")
    await runner.cleanup()


JSON = {"Content-Type": "application/json"}


async def test_account_behind_the_place_is_taken_and_the_newest_events_are_left_to_be_read() -> None:
    """What changed after the place comes as events, in their order."""
    async with sidecar(PAGES) as address:
        start = await read_start(address, TOKEN)
    assert start is not None
    assert (start.seq, start.epoch) == (40_000, EPOCH)
    assert [(known.seq, known.item.record.id) for known in start.known] == [(30, "p-1"), (31, "w-1"), (700, "old")]
    assert str(start.known[1].item.record.balance) == "1650841.59606695345873"  # type: ignore[union-attr]
    assert start.known[0].received_ns == 1_795_356_173_418_000_000


async def test_place_is_never_before_what_is_in_memory_there() -> None:
    """A gap at the very start would be none."""
    async with sidecar(PAGES, {**STATUS, "oldest_seq": 45_001}) as address:
        start = await read_start(address, TOKEN)
    assert start is not None
    assert start.seq == 45_000


@pytest.mark.parametrize(
    ("pages", "status"),
    [
        ({}, None),
        (PAGES, {**STATUS, "seq": 9_000, "oldest_seq": 1}),
        (PAGES, {"state": "live"}),
        ({**PAGES, "orders": page("orders", (1, order()), total=5_000)}, None),
        ({**PAGES, "orders": page("orders", (1, order()), epoch="other")}, None),
        ({**PAGES, "positions": page("positions", (1, {"novel": 1}))}, None),
        ({**PAGES, "positions": ["nonsense"]}, None),
    ],
    ids=["no pages", "few events", "no numbers", "too many orders", "another series", "another shape", "nonsense"],
)
async def test_without_the_whole_account_everything_is_read(pages: dict[str, Any], status: dict[str, Any]) -> None:
    """An older sidecar, a short log, an account that one page does not hold: the events tell it all."""
    async with sidecar(pages, status) as address:
        assert await read_start(address, TOKEN) is None


async def test_sidecar_that_is_not_there_is_an_error_and_a_refusal_is_left_to_the_socket() -> None:
    """The first is tried again; the second is named by the socket's own answer."""
    with pytest.raises(aiohttp.ClientError):
        await read_start(URL("ws://127.0.0.1:9/api/v1/ws/coindcx"), None)
    async with sidecar(PAGES) as address:
        assert await read_start(address, "wrong") is None
        assert (await read_status(address, TOKEN))["state"] == "live"


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("ws://h:1/api/v1/ws/coindcx?x=1", "http://h:1/api/v1/ws/status"),
        ("wss://h/desk/api/v1/ws/coindcx", "https://h/desk/api/v1/ws/status"),
        ("ws://h:1/socket", "http://h:1/api/v1/ws/status"),
    ],
)
def test_routes_beside_the_socket(address: str, found: str) -> None:
    """Also behind a proxy that adds a path."""
    assert str(beside(URL(address), "ws/status")) == found
