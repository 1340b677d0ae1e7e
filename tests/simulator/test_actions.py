"""The exchange's own writing paths: what they answer and what happens then."""

from decimal import Decimal as D
from typing import Any

import msgspec
import pytest
from simulator.helpers import FIXTURES, Clock, call, near

from coindcx_feed.simulator.engine import Exchange
from coindcx_feed.simulator.server import ExchangeServer

F = "/exchange/v1/derivatives/futures"
ETH = "B-ETH_USDT"
ORDER: dict[str, Any] = {
    "side": "buy",
    "pair": ETH,
    "order_type": "market_order",
    "total_quantity": 0.5,
    "leverage": 5,
}


def documented(name: str) -> Any:
    return msgspec.json.decode((FIXTURES / "rest" / f"{name}.docs.json").read_bytes())


async def post(server: ExchangeServer, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    status, reply, _ = await call(server, "POST", f"{F}/{path}", body)
    return status, reply


async def open_position(server: ExchangeServer, exchange: Exchange, clock: Clock, **change: Any) -> str:
    """Return the id of an open position."""
    status, _ = await post(server, "orders/create", {"order": ORDER | change})
    assert status == 200
    clock.now_ms += 2_000
    await post(server, "orders", {})
    return exchange.account.positions[ETH, "USDT"].id


async def test_create_takes_every_order_type(live_server: ExchangeServer, exchange: Exchange) -> None:
    """Plain and with a trigger; the row names type, stop price and margin type."""
    ahead, further = (float(near(exchange, ETH, share)) for share in ("0.01", "0.02"))
    for order_type in ("limit_order", "stop_limit", "stop_market"):
        order = ORDER | {"order_type": order_type, "price": further, "stop_price": ahead}
        order |= {"position_margin_type": "crossed", "total_quantity": 0.05}
        status, rows = await post(live_server, "orders/create", {"order": order})
        assert status == 200
        assert (rows[0]["order_type"], rows[0]["position_margin_type"]) == (order_type, "crossed")
        assert rows[0]["status"] == ("initial" if order_type == "limit_order" else "untriggered")
        assert float(rows[0]["stop_price"]) == (0 if order_type == "limit_order" else ahead)


async def test_tpsl_answers_per_leg(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """The rows of the documented sample's fields, then a failure inside a 200."""
    position_id = await open_position(live_server, exchange, clock)
    legs = {
        "take_profit": {"stop_price": str(near(exchange, ETH, "0.03")), "order_type": "take_profit_market"},
        "stop_loss": {"stop_price": str(near(exchange, ETH, "-0.03")), "order_type": "stop_market"},
    }
    status, reply = await post(live_server, "positions/create_tpsl", {"id": position_id, **legs})
    assert (status, list(reply)) == (200, ["stop_loss", "take_profit"])
    assert set(documented("positions_create_tpsl")["stop_loss"]) <= set(reply["stop_loss"])
    assert {leg["status"] for leg in reply.values()} == {"untriggered"}
    status, reply = await post(live_server, "positions/create_tpsl", {"id": position_id, **legs})
    assert status == 200
    assert reply["take_profit"] == documented("positions_create_tpsl")["take_profit"]
    _, rows = await post(live_server, "positions", {})
    assert (rows[0]["stop_loss_trigger"], rows[0]["take_profit_trigger"]) == tuple(
        D(legs[name]["stop_price"]) for name in ("stop_loss", "take_profit")
    )


async def test_tpsl_takes_market_types_only(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """The other leg is made all the same; a price that is none is refused as a whole."""
    position_id = await open_position(live_server, exchange, clock)
    body: dict[str, Any] = {"id": position_id, "stop_loss": {"stop_price": 1, "order_type": "stop_limit"}}
    body["take_profit"] = {"stop_price": str(near(exchange, ETH, "0.03"))}
    _, reply = await post(live_server, "positions/create_tpsl", body)
    assert reply["stop_loss"] == {"success": False, "error": "Order type should be stop_market"}
    assert reply["take_profit"]["order_type"] == "take_profit_market"
    status, _ = await post(live_server, "positions/create_tpsl", {"id": position_id, "stop_loss": {"stop_price": "x"}})
    assert status == 422


async def test_cancel_all_ends_orders_together(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """Of every currency, or of one position."""
    order = ORDER | {"order_type": "limit_order", "total_quantity": 0.05}
    for share in ("-0.02", "-0.03"):
        for currency in ("USDT", "INR"):
            limit = {"price": float(near(exchange, ETH, share)), "margin_currency_short_name": currency}
            await post(live_server, "orders/create", {"order": order | limit})
    clock.now_ms += 1_000
    position = exchange.account.positions[ETH, "INR"]
    await post(live_server, "positions/cancel_all_open_orders_for_position", {"id": position.id})
    clock.now_ms += 1_000
    await post(live_server, "orders", {})
    assert [o.request.currency for o in exchange.open_orders()] == ["USDT", "USDT"]
    await post(live_server, "positions/cancel_all_open_orders", {"margin_currency_short_name": ["INR"]})
    await post(live_server, "positions/cancel_all_open_orders", {})
    clock.now_ms += 1_000
    await post(live_server, "orders", {})
    assert exchange.open_orders() == []


async def test_margin_type_of_a_flat_pair(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """An array of the position; open or INR positions are refused."""
    status, rows = await post(live_server, "positions/margin_type", {"pair": ETH, "margin_type": "crossed"})
    assert (status, rows[0]["margin_type"]) == (200, "crossed")
    assert set(documented("positions_margin_type")[0]) <= set(rows[0])
    await open_position(live_server, exchange, clock, position_margin_type="crossed")
    status, reply = await post(live_server, "positions/margin_type", {"pair": ETH, "margin_type": "isolated"})
    assert (status, "cannot be changed" in reply["message"]) == (422, True)
    body = {"pair": ETH, "margin_type": "crossed", "margin_currency_short_name": "INR"}
    assert (await post(live_server, "positions/margin_type", body))[0] == 422
    assert (await post(live_server, "positions/margin_type", body | {"margin_type": "both"}))[0] == 422


async def test_margin_is_added_and_removed(live_server: ExchangeServer, exchange: Exchange, clock: Clock) -> None:
    """The liquidation price follows; what would liquidate at once is refused with the documented message."""
    position_id = await open_position(live_server, exchange, clock)
    position = exchange.account.positions[ETH, "USDT"]
    margin, price = position.locked_margin, position.liquidation
    assert (await post(live_server, "positions/add_margin", {"id": position_id, "amount": 50}))[0] == 200
    assert (position.locked_margin, position.liquidation < price) == (margin + 50, True)
    assert exchange.account.wallet("USDT").locked == margin + 50
    assert (await post(live_server, "positions/remove_margin", {"id": position_id, "amount": "60"}))[0] == 200
    assert position.locked_margin == margin - 10
    status, reply = await post(live_server, "positions/remove_margin", {"id": position_id, "amount": 270})
    assert (status, reply["message"]) == (422, "Liquidation will be triggered instantly")
    status, reply = await post(live_server, "positions/add_margin", {"id": position_id, "amount": 10**6})
    assert (status, reply["message"]) == (400, "Insufficient funds")


@pytest.mark.parametrize("path", ["exit", "create_tpsl", "add_margin", "cancel_all_open_orders_for_position"])
async def test_unknown_position_is_404(live_server: ExchangeServer, path: str) -> None:
    """Whatever is asked of it."""
    status, reply = await post(live_server, f"positions/{path}", {"id": "nope", "amount": 1})
    assert (status, reply["message"]) == (404, "Position not found")


async def test_flat_position_cannot_be_closed_or_funded(
    live_server: ExchangeServer, exchange: Exchange, clock: Clock
) -> None:
    """The documented message for margin."""
    position_id = await open_position(live_server, exchange, clock)
    await post(live_server, "positions/exit", {"id": position_id})
    clock.now_ms += 2_000
    status, reply = await post(live_server, "positions/add_margin", {"id": position_id, "amount": 1})
    assert (status, reply["message"]) == (422, "Cannot change margin for an inactive position")
    assert (await post(live_server, "positions/exit", {"id": position_id}))[0] == 422
