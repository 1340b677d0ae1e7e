"""The client of the order routes: loopback only, and one clear line when something is not right."""

import asyncio
import socket
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from aiohttp import web
from simulator.helpers import eventually

from coindcx_feed.errors import ConfigError
from coindcx_feed.simulator import client, orders_api
from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.server import ExchangeServer


@pytest.fixture
async def stranger() -> AsyncIterator[int]:
    """Another program's HTTP server that answers everything with JSON of its own; yields its port."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"error": "something of another program"}, status=int(request.query.get("s", 200)))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def test_marks_are_the_same() -> None:
    """The client repeats the mark, so that it needs no server code."""
    assert client._SERVICE == orders_api.SERVICE
    assert client.HOST == "127.0.0.1"


async def test_order_is_placed_and_cancelled(live_server: ExchangeServer, exchange: Exchange) -> None:
    """With texts, as the command line has them."""
    port = live_server.port
    placed = await asyncio.to_thread(client.place_order, port, "buy", "B-ETH_USDT", "0.05", "2600", "4")
    assert (placed["status"], placed["price"], placed["leverage"]) == ("initial", 2600, 4)
    cancelled = await asyncio.to_thread(client.cancel_order, port, placed["id"])
    assert cancelled == {"id": placed["id"], "message": "success"}
    assert len(exchange.orders) == 1


async def test_optional_values_may_be_left_out(live_server: ExchangeServer) -> None:
    """A market order with a Decimal, in INR."""
    placed = await asyncio.to_thread(
        client.place_order, live_server.port, "sell", "B-SOL_USDT", Decimal("2"), margin_currency="INR"
    )
    assert (placed["order_type"], placed["margin_currency_short_name"]) == ("market_order", "INR")


async def test_refusal_is_the_simulators_line(live_server: ExchangeServer) -> None:
    """Word for word, also for an id with odd characters."""
    with pytest.raises(ConfigError, match="side: expected buy or sell, was 'up'"):
        await asyncio.to_thread(client.place_order, live_server.port, "up", "B-ETH_USDT", "1")
    with pytest.raises(ConfigError, match="Order not found"):
        await asyncio.to_thread(client.cancel_order, live_server.port, "../../simulator")


def test_nothing_listening_says_what_to_start() -> None:
    """One line with the port and the command."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}, was nothing; start `coindcx-feed simulate`") as caught:
        client.cancel_order(port, "x")
    assert "\n" not in str(caught.value)


def test_impossible_port_is_refused() -> None:
    """Not a traceback."""
    with pytest.raises(ConfigError):
        client.cancel_order(70_000, "x")


async def test_another_program_gets_no_order(stranger: int) -> None:
    """Whatever it answers: without the mark nothing is sent."""
    with pytest.raises(ConfigError, match="another program") as caught:
        await asyncio.to_thread(client.place_order, stranger, "buy", "B-ETH_USDT", "1")
    assert "something of another program" not in str(caught.value)


async def test_program_that_does_not_speak_http_is_refused() -> None:
    """It hangs up: one line, no traceback."""
    connections = 0

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(b"SSH-2.0-not-http\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConfigError, match="does not answer"):
            await asyncio.to_thread(client.cancel_order, port, "x")
    await eventually(lambda: connections == 1)
