"""Failures of the REST hosts, the rate limit and the list of calls, over real HTTP."""

import asyncio
import time
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec
import pytest
from simulator.helpers import START_MS, Clock, Recorder, call, eventually

from coindcx_feed.exchange import wire
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.server import ExchangeServer

F = "/exchange/v1/derivatives/futures"
ORDER: dict[str, Any] = {
    "side": "buy",
    "pair": "B-ETH_USDT",
    "order_type": "market_order",
    "total_quantity": 0.05,
    "leverage": 5,
}


async def get(server: ExchangeServer, path: str = "/market_data/v3/current_prices/futures/rt") -> tuple[int, Any, str]:
    """Return status, headers and text."""
    async with aiohttp.ClientSession() as session, session.get(server.url + path) as reply:
        return reply.status, reply.headers, await reply.text()


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("500", 500, '"message": ""'),
        ("503", 503, "Service Unavailable"),
        ("429", 429, "Too many requests"),
        ("html", 403, "Just a moment..."),
        ("empty", 200, "[]"),
    ],
)
async def test_F28_call_fails_as_ordered(live_server: ExchangeServer, kind: Any, status: int, text: str) -> None:
    """Once, then the exchange answers again."""
    live_server.fail_rest(kind)
    got, headers, body = await get(live_server)
    assert (got, text in body) == (status, True)
    assert headers["Content-Type"].startswith("text/html" if kind == "html" else "application/json")
    assert (await get(live_server))[0] == 200


async def test_429_carries_the_live_headers(live_server: ExchangeServer) -> None:
    """``ratelimit`` and ``ratelimit-policy``, no ``Retry-After``."""
    live_server.fail_rest("429")
    _, headers, _ = await get(live_server)
    assert headers["ratelimit"] == "limit=60, remaining=0, reset=1"
    assert headers["ratelimit-policy"] == "60;w=60"
    assert "Retry-After" not in headers


async def test_failure_hits_one_path_so_often_as_ordered(live_server: ExchangeServer) -> None:
    """Other paths are answered meanwhile."""
    live_server.fail_rest("503", count=2, path="/orders")
    statuses = [
        (await call(live_server, "POST", f"{F}/{name}", {}))[0] for name in ("orders", "positions", "orders", "orders")
    ]
    assert statuses == [503, 200, 503, 200]


async def test_failure_can_last(live_server: ExchangeServer, exchange: Exchange) -> None:
    """By the behaviour, until it is taken back."""
    exchange.behaviour.rest_failure = "500"
    assert {(await get(live_server))[0] for _ in range(3)} == {500}
    exchange.behaviour.rest_failure = None
    assert (await get(live_server))[0] == 200


async def test_reset_cuts_the_connection(live_server: ExchangeServer) -> None:
    """No reply at all; the list says 0. (A GET would be repeated by the client by itself.)"""
    live_server.fail_rest("reset")
    with pytest.raises(aiohttp.ClientConnectionError):
        await call(live_server, "POST", f"{F}/orders", {})
    assert [row.status for row in live_server.rest_calls] == [0]
    assert (await get(live_server))[0] == 200


async def test_timed_out_call_is_never_answered(live_server: ExchangeServer) -> None:
    """And does not hold up the server's stop."""
    live_server.fail_rest("timeout")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await get(live_server)
    assert (await get(live_server))[0] == 200


async def test_budget_is_counted_down_and_renewed(live_server: ExchangeServer, exchange: Exchange) -> None:
    """Three calls, then 429 until the window ends; without a limit there are no headers."""
    assert "ratelimit" not in (await get(live_server))[1]
    exchange.behaviour.rest_limit, exchange.behaviour.rest_window_s = 3, 0.5
    seen = [await get(live_server) for _ in range(4)]
    assert [status for status, _, _ in seen] == [200, 200, 200, 429]
    assert [headers["ratelimit"] for _, headers, _ in seen] == [
        f"limit=3, remaining={n}, reset=1" for n in (2, 1, 0, 0)
    ]
    assert seen[0][1]["ratelimit-policy"] == "3;w=0.5"
    start_s = time.monotonic()
    await eventually(lambda: time.monotonic() - start_s > 0.5)
    assert (await get(live_server))[0] == 200


async def test_F19_date_of_replies_can_be_off(live_server: ExchangeServer, exchange: Exchange) -> None:
    """By which a client measures its own clock."""
    exchange.behaviour.clock_skew_ms = -3_600_000
    _, headers, _ = await get(live_server)
    ahead_s = parsedate_to_datetime(headers["Date"]).timestamp() - time.time()
    assert -3_605 < ahead_s < -3_595


async def test_calls_are_listed(live_server: ExchangeServer) -> None:
    """Method, path and status in order; the demo's own routes are not calls of the exchange."""
    live_server.fail_rest("503", path="/orders")
    await call(live_server, "POST", f"{F}/orders", {})
    await call(live_server, "GET", f"{F}/wallets", {})
    await get(live_server, "/simulator")
    rows = [(row.method, row.path, row.status) for row in live_server.rest_calls]
    assert rows == [("POST", f"{F}/orders", 503), ("GET", f"{F}/wallets", 200)]


async def test_F28_lists_trail_behind_the_socket(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """After a create the list shows nothing yet, then each status late; positions, wallets, fills and ledger alike."""
    exchange.behaviour.rest_lag_ms = 400
    await call(live_server, "POST", f"{F}/orders/create", {"order": ORDER})

    async def shown() -> tuple[list[str], list[Any], int, int, bool]:
        _, orders, _ = await call(live_server, "POST", f"{F}/orders", {})
        _, positions, _ = await call(live_server, "POST", f"{F}/positions", {})
        _, fills, _ = await call(live_server, "POST", f"{F}/trades", {"order_id": next(iter(exchange.orders))})
        _, rows, _ = await call(live_server, "POST", f"{F}/positions/transactions", {})
        _, wallets, _ = await call(live_server, "GET", f"{F}/wallets", {})
        sizes = [str(row["active_pos"]) for row in positions]
        return [row["status"] for row in orders], sizes, len(fills), len(rows), wallets[0]["locked_balance"] != "0.0"

    assert await shown() == ([], [], 0, 0, False)
    clock.now_ms = START_MS + 500
    assert await shown() == (["initial"], ["0.0"], 0, 0, True)
    clock.now_ms = START_MS + 900
    assert await shown() == (["initial"], ["0.0"], 0, 0, True)
    clock.now_ms = START_MS + 1_000
    assert await shown() == (["filled"], ["0.05"], 1, 1, True)
    exchange.behaviour.rest_lag_ms = 0
    assert (await shown())[0] == ["filled"]


async def test_F28_reply_can_be_overtaken_by_the_socket(
    live_server: ExchangeServer, exchange: Exchange, clock: Clock
) -> None:
    """The account is read, then the reply waits: frames of that time are newer than it."""
    exchange.behaviour.rest_reply_ms = 400
    async with Recorder() as client:
        await client.connect(live_server)
        await client.join_private(live_server)
        creating = asyncio.create_task(call(live_server, "POST", f"{F}/orders/create", {"order": ORDER}))
        await eventually(lambda: bool(exchange.orders))
        clock.now_ms += 1_000
        await eventually(lambda: len(client.events(wire.ORDER_EVENT)) == 3)
        assert not creating.done()
        _, rows, _ = await creating
        assert rows[0]["status"] == "initial"
        assert client.events(wire.ORDER_EVENT)[-1][0]["status"] == "filled"


async def test_refused_credentials_are_listed_as_401(live_server: ExchangeServer, exchange: Exchange) -> None:
    """Revoked: the right key no longer opens anything."""
    exchange.behaviour.is_revoked = True
    status, body, _ = await call(live_server, "GET", f"{F}/wallets", {})
    assert (status, body["message"]) == (401, "Invalid credentials")
    assert live_server.rest_calls[-1].status == 401
    assert msgspec.json.encode(body)
