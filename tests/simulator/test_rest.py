"""Signatures and error bodies of the REST API, and the exchange's own create, cancel and exit."""

import hashlib
import hmac
from decimal import Decimal as D
from typing import Any

import aiohttp
import msgspec
import pytest
from simulator.helpers import FIXTURES, START_MS, Clock, call

from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.server import DEMO_KEY, DEMO_SECRET, ExchangeServer

F = "/exchange/v1/derivatives/futures"
CAPTURED = {row["case"]: row for row in msgspec.json.decode((FIXTURES / "rest" / "errors.captured.json").read_bytes())}
ORDER: dict[str, Any] = {
    "side": "buy",
    "pair": "B-ETH_USDT",
    "order_type": "market_order",
    "total_quantity": 0.05,
    "leverage": 5,
}


async def send_raw(server: ExchangeServer, method: str, path: str, raw: bytes, headers: dict[str, str]) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, server.url + path, data=raw, headers=headers) as reply,
    ):
        return reply.status, msgspec.json.decode(await reply.read())


@pytest.mark.parametrize(("key", "secret"), [("wrong", DEMO_SECRET), (DEMO_KEY, "wrong")])
async def test_wrong_credentials_are_401(live_server: ExchangeServer, key: str, secret: str) -> None:
    """The captured body."""
    status, body, _ = await call(live_server, "POST", f"{F}/orders", {}, key=key, secret=secret)
    assert (status, body) == (401, CAPTURED["fake key and signature"]["body"])


async def test_no_headers_are_401_too(live_server: ExchangeServer) -> None:
    """The same body, and so for a signature that is no ASCII."""
    status, body = await send_raw(live_server, "POST", f"{F}/orders", b"{}", {})
    assert (status, body) == (401, CAPTURED["no auth headers"]["body"])
    headers = {"X-AUTH-APIKEY": DEMO_KEY, "X-AUTH-SIGNATURE": "\u00e9"}
    assert (await send_raw(live_server, "POST", f"{F}/orders", b"{}", headers))[0] == 401


@pytest.mark.parametrize("raw", [b"{nope", b"[]", b"7", b"[" * 100_000])
async def test_malformed_json_is_400_before_auth(live_server: ExchangeServer, raw: bytes) -> None:
    """Without any credentials."""
    status, body = await send_raw(live_server, "POST", f"{F}/orders", raw, {})
    assert (status, body) == (400, CAPTURED["malformed JSON body"]["body"])


@pytest.mark.parametrize(("method", "path"), [("GET", f"{F}/orders"), ("POST", f"{F}/wallets"), ("POST", f"{F}/nope")])
async def test_wrong_method_and_path_are_404(live_server: ExchangeServer, method: str, path: str) -> None:
    """Wallets are GET-only although signed like a POST."""
    status, body, _ = await call(live_server, method, path, {})
    assert (status, body) == (404, CAPTURED["wrong HTTP method"]["body"])


async def test_get_without_body_signed_over_nothing(live_server: ExchangeServer) -> None:
    """The fallback for clients that cannot send a body with GET; it needs the timestamp in the query."""
    signature = hmac.new(DEMO_SECRET.encode(), b"", hashlib.sha256).hexdigest()
    headers = {"X-AUTH-APIKEY": DEMO_KEY, "X-AUTH-SIGNATURE": signature}
    assert (await send_raw(live_server, "GET", f"{F}/wallets?timestamp=1", b"", headers))[0] == 200
    assert (await send_raw(live_server, "GET", f"{F}/wallets", b"", headers))[0] == 401


async def test_create_answers_an_array_of_one(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """Status ``initial``, Ruby's number style, no ``trades``; the order then lives."""
    status, rows, text = await call(live_server, "POST", f"{F}/orders/create", {"order": ORDER})
    assert status == 200
    assert [row["status"] for row in rows] == ["initial"]
    assert '"leverage":5.0' in text
    assert "trades" not in rows[0]
    clock.now_ms += 2_000
    _, listed, _ = await call(live_server, "POST", f"{F}/orders", {"side": "buy"})
    assert (listed[0]["id"], listed[0]["status"]) == (rows[0]["id"], "filled")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (
            {"order_type": "iceberg"},
            422,
            "Order type should be one of market_order, limit_order, stop_limit, "
            "stop_market, take_profit_limit, take_profit_market",
        ),
        ({"order_type": "stop_limit"}, 422, "Price can't be empty for stop_limit Order"),
        ({"order_type": "stop_market"}, 422, "Stop price can't be empty for stop_market Order"),
        ({"order_type": "limit_order"}, 422, "Price can't be empty for limit_order Order"),
        ({"total_quantity": "abc"}, 422, "total_quantity: expected a number above 0, was 'abc'"),
        ({"side": "hold"}, 422, "side: expected buy or sell, was 'hold'"),
        ({"pair": "B-NOPE_USDT"}, 404, "Instrument B-NOPE_USDT not found"),
        ({"total_quantity": 1000}, 400, "Insufficient funds"),
    ],
)
async def test_create_refusals(live_server: ExchangeServer, change: dict[str, Any], status: int, message: str) -> None:
    """The envelope carries status, message and code."""
    got, body, _ = await call(live_server, "POST", f"{F}/orders/create", {"order": ORDER | change})
    assert (got, body) == (status, {"message": message, "code": status, "status": "error"})


@pytest.mark.parametrize(
    "body", [{"order": ORDER, "timestamp": START_MS - 10_001}, {"order": 7}, {}, {"timestamp": "x"}]
)
async def test_stale_or_shapeless_create_is_400(live_server: ExchangeServer, body: dict[str, Any]) -> None:
    """A create older than 10 s is refused."""
    assert (await call(live_server, "POST", f"{F}/orders/create", body))[0] == 400


async def test_cancel_is_accepted_and_then_happens(live_server: ExchangeServer, clock: Clock) -> None:
    """The reply is acceptance only; afterwards it is refused."""
    order = ORDER | {"order_type": "limit_order", "price": 2600}
    _, rows, _ = await call(live_server, "POST", f"{F}/orders/create", {"order": order})
    status, body, _ = await call(live_server, "POST", f"{F}/orders/cancel", {"id": rows[0]["id"]})
    assert (status, body) == (200, {"message": "success", "status": 200, "code": 200})
    clock.now_ms += 1_000
    status, body, _ = await call(live_server, "POST", f"{F}/orders/cancel", {"id": rows[0]["id"]})
    assert (status, "cannot be cancelled" in body["message"]) == (422, True)


async def test_exit_answers_its_group(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """By position id; unknown ids are 404."""
    await call(live_server, "POST", f"{F}/orders/create", {"order": ORDER})
    clock.now_ms += 2_000
    _, positions, _ = await call(live_server, "POST", f"{F}/positions", {})
    assert positions[0]["active_pos"] == D("0.05")
    status, body, _ = await call(live_server, "POST", f"{F}/positions/exit", {"id": positions[0]["id"]})
    assert (status, "B-ETH_USDT" in body["data"]["group_id"]) == (200, True)
    assert (await call(live_server, "POST", f"{F}/positions/exit", {"id": "nope"}))[0] == 404
