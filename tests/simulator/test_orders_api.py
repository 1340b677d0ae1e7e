"""The demo's own routes: marker, placing, cancelling, and one clear line for every mistake."""

from typing import Any

import aiohttp
import msgspec
import pytest
from simulator.helpers import START_MS, Clock

from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.server import ExchangeServer

ORDER = {"side": "buy", "pair": "B-ETH_USDT", "qty": "0.05"}


async def send(
    server: ExchangeServer, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, data=raw, headers=headers or {}) as reply,
    ):
        return reply.status, msgspec.json.decode(await reply.read())


async def place(server: ExchangeServer, **change: object) -> tuple[int, Any]:
    return await send(server, "POST", "/simulator/orders", ORDER | change)


async def test_marker_names_service_version_and_pairs(live_server: ExchangeServer, exchange: Exchange) -> None:
    """By it clients know that this is no real exchange."""
    status, body = await send(live_server, "GET", "/simulator")
    assert (status, body["service"], body["pairs"]) == (200, "coindcx-feed simulator", exchange.pairs)
    assert set(body) == {"service", "version", "pairs"}


async def test_market_order_is_placed_and_fills(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """Leverage 5 unless said otherwise."""
    status, body = await place(live_server)
    assert (status, body["status"], body["order_type"], body["leverage"]) == (200, "initial", "market_order", 5)
    clock.now_ms += 2_000
    await send(live_server, "DELETE", "/simulator/orders/nope")
    assert exchange.orders[body["id"]].status == "filled"


async def test_limit_order_in_inr_is_placed_and_cancelled(
    live_server: ExchangeServer, exchange: Exchange, clock: Clock
) -> None:
    """Numbers may be numbers."""
    status, body = await place(live_server, price=2600, leverage=3, margin_currency="INR", qty=0.05)
    assert (status, body["price"], body["leverage"], body["margin_currency_short_name"]) == (200, 2600, 3, "INR")
    path = f"/simulator/orders/{body['id']}"
    assert await send(live_server, "DELETE", path) == (200, {"id": body["id"], "message": "success"})
    clock.now_ms = START_MS + 1_000
    status, again = await send(live_server, "DELETE", path)
    assert (status, "already cancelled" in again["error"]) == (409, True)


async def test_leverage_of_an_open_position_is_the_default(live_server: ExchangeServer, clock: Clock) -> None:
    """Otherwise the exchange would refuse a plain order."""
    await place(live_server, leverage="7")
    clock.now_ms += 2_000
    status, body = await place(live_server)
    assert (status, body["leverage"]) == (200, 7)
    status, body = await place(live_server, leverage=5)
    assert (status, "equal to position leverage" in body["error"]) == (409, True)


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"side": "hold"}, 400, "side: expected buy or sell, was 'hold'"),
        ({"qty": None}, 400, "qty: expected a number above 0, was None"),
        ({"qty": "1e999"}, 400, "qty: expected a number above 0"),
        ({"price": "cheap"}, 400, "price: expected a number above 0, was 'cheap'"),
        ({"price": 2600.005}, 400, "was refused: Price should be divisible by 0.01"),
        ({"leverage": "x"}, 400, "leverage: expected"),
        ({"margin_currency": "EUR"}, 400, "expected USDT or INR"),
        ({"pair": 5}, 400, "pair: expected a name such as B-BTC_USDT"),
        ({"pair": "B-NOPE_USDT"}, 404, "Instrument B-NOPE_USDT not found"),
        ({"qty": 1000}, 409, "Insufficient funds"),
        ({"typo": 1}, 400, "was 'typo'"),
    ],
)
async def test_mistakes_are_one_line(
    live_server: ExchangeServer, exchange: Exchange, change: dict[str, object], status: int, words: str
) -> None:
    """Expected, was; and no order exists."""
    got, body = await place(live_server, **change)
    assert (got, list(body)) == (status, ["error"])
    assert body["error"].startswith(("expected", "side", "qty", "price", "leverage", "margin currency", "pair"))
    assert words in body["error"]
    assert "\n" not in body["error"]
    assert exchange.orders == {}


@pytest.mark.parametrize("raw", [b"", b"nope", b"[]"])
async def test_body_that_is_no_object(live_server: ExchangeServer, raw: bytes) -> None:
    """Says what was expected."""
    status, body = await send(live_server, "POST", "/simulator/orders", raw)
    assert (status, "expected a JSON object" in body["error"]) == (400, True)


async def test_unknown_order_is_404(live_server: ExchangeServer) -> None:
    """Also with an odd id."""
    for order_id in ("nope", "%2e%2e", "a%20b"):
        assert (await send(live_server, "DELETE", f"/simulator/orders/{order_id}"))[0] == 404


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://127.0.0.1:8501"}, {"Origin": "https://evil.example"}, {"Host": "evil.example"}]
)
async def test_web_pages_cannot_place_orders(
    live_server: ExchangeServer, exchange: Exchange, headers: dict[str, str]
) -> None:
    """403 before anything is read, for cross-origin requests and rebound host names."""
    status, _ = await send(live_server, "POST", "/simulator/orders", ORDER, headers)
    assert (status, exchange.orders) == (403, {})
